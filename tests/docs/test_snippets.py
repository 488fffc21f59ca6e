"""Every block of every page is run as a reader would run it, or says why it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.snippets import DRAWINGS, PAGES, ROOT, RUN, Snippet, snippets_of, world_of
from support.stories import Story

GENERATED = {"command-line.md", "litellm-keys.md", "litellm-differences.md"}
"""Pages that are made from the code: their tests hold every line."""

FEWEST_WORDS = 4
"""What a reason has at least."""

TOLD = [page for page in PAGES if page.name not in GENERATED]
BLOCKS = [snippet for page in TOLD for snippet in snippets_of(page)]
STORIES = [page for page in TOLD if any(each.is_run for each in snippets_of(page))]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("snippet", BLOCKS, ids=[each.place for each in BLOCKS])
def test_every_block_is_run_or_says_why_it_is_not(snippet: Snippet) -> None:
    if snippet.reason is not None:
        assert len(snippet.reason.split()) >= FEWEST_WORDS, "the reason is too short"
    elif snippet.test is not None:
        test = ROOT / snippet.test
        assert test.is_file(), f"there is no {snippet.test}"
        assert snippet.page.name in test.read_text("utf-8"), f"{test} does not read this page"
    else:
        known = snippet.language in RUN | DRAWINGS or snippet.file or snippet.mark == "output"
        assert known, f"nothing runs {snippet.language!r}: see tests/support/snippets.py"


@pytest.mark.process
@pytest.mark.parametrize("page", STORIES, ids=name)
def test_a_reader_who_follows_the_page_gets_there(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    with Story(folder) as story:
        story.ask_for(world_of(page))
        for snippet in snippets_of(page):
            if snippet.is_run:
                try:
                    story.go_on(snippet)
                except AssertionError as error:
                    raise AssertionError(f"{snippet.place}: {error}") from error


def test_few_blocks_are_not_run() -> None:
    left = [each for each in BLOCKS if each.reason is not None]
    assert len(left) <= len(BLOCKS) / 5, [each.place for each in left]
