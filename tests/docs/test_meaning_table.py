"""The tables of the page on the semantic cache are what its script makes now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_shows_what_the_script_measures():
    script = [sys.executable, str(ROOT / "scripts" / "meaning_table.py")]
    made = subprocess.run(script, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert made.count("| 0.95 |") == 2
    page = (ROOT / "docs" / "how-to" / "cache-by-meaning.md").read_text("utf-8")
    assert made.strip() in page, "put the output of scripts/meaning_table.py into the page"
