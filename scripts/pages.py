"""Writes the pages of the docs that are made from the code: `make docs`."""  # noqa: INP001 - a script

from __future__ import annotations

from pathlib import Path

from board import BOARD
from board import text as board_text

from tiergate.cli.main import main
from tiergate.cli.reference import command_reference
from tiergate.config.differences import differences
from tiergate.config.keydocs import key_reference
from tiergate.config.keys import load_key_table

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"

(REFERENCE / "command-line.md").write_text(command_reference(main, "tiergate"), "utf-8")
(REFERENCE / "litellm-keys.md").write_text(key_reference(load_key_table()), "utf-8")
(REFERENCE / "litellm-differences.md").write_text(differences(load_key_table()), "utf-8")
BOARD.write_text(board_text(), "utf-8")
