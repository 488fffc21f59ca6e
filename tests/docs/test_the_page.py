"""The page about the production settings has every line of them, and they are the real ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from support.snippets import snippets_of

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "the-page.md"
TEXT = PAGE.read_text("utf-8")
GOLDEN = (ROOT / "tests" / "golden" / "config" / "cases" / "page.txt").read_text("utf-8")
"""The settings, and what is made of them."""

PARTS = [each.text for each in snippets_of(PAGE) if (each.file or "").startswith("page/")]
LISTED = re.compile(r"^\| (.+?) \| .+ \| .+ \|$", re.MULTILINE)


def test_the_blocks_of_the_page_are_the_settings():
    settings = GOLDEN.partition("--- a.yaml\n")[2].partition("=== findings\n")[0]
    assert "".join(PARTS) == settings


def paths(value: object, above: str = "") -> Iterator[str]:
    """The dotted paths of a configuration's keys; below `fallbacks` stand names of aliases."""
    if isinstance(value, dict):
        for name, below in value.items():
            path = f"{above}.{name}" if above else str(name)
            yield from ([] if path.endswith("fallbacks") else list(paths(below, path))) or [path]
    elif isinstance(value, list):
        for below in value:
            yield from paths(below, f"{above}[]") if isinstance(below, dict) else [above]


KEYS = sorted({path for part in PARTS for path in paths(yaml.safe_load(part))})


def test_there_are_keys():
    assert len(KEYS) >= 20


@pytest.mark.parametrize("key", KEYS)
def test_every_key_of_the_settings_has_a_row(key):
    rows = " ".join(LISTED.findall(TEXT))
    assert f"`{key}`" in rows


NAMED = re.compile(r"`((?:litellm|router|general|model|provider)_[\w\[\]]+\.[\w.\[\]]+)`")


def test_every_row_about_a_key_names_one_that_is_there():
    for row in LISTED.findall(TEXT):
        for named in NAMED.findall(row):
            assert named in KEYS, named
