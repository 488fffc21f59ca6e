"""The command line: serve, check, explain, mock, demo."""

from __future__ import annotations

from tiergate.cli.main import main

__all__ = ["main"]
