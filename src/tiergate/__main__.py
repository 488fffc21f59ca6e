"""`python -m tiergate`."""

from __future__ import annotations

from tiergate.cli import main

main()
