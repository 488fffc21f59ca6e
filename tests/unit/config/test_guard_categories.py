"""Subjects with files of words."""

from __future__ import annotations

import pytest

from support.guarded import Options
from tiergate.core.guard_options import (
    CategoryRule,
    FilterOptions,
    Nearness,
    PhraseRule,
    Reaction,
)

FILE = """
category_name: harm
description: ours
default_action: BLOCK
keywords:
  - {keyword: bomb, severity: high}
  - {keyword: knife, severity: low}
  - poison
phrases:
  - {phrase: how to kill, severity: high, match_type: exact}
  - {phrase: plan attack, severity: medium, match_type: fuzzy}
  - {phrase: gun school, severity: high, match_type: proximity, max_distance: 5}
  - {phrase: loose talk, severity: low}
exceptions: [crime statistics]
"""
ENTRY = "{category: harm, action: MASK, category_file: harm.yaml}"


def read(tmp_path, entry: str = ENTRY, more: str = "") -> tuple[FilterOptions | None, Options]:
    (tmp_path / "harm.yaml").write_text(FILE)
    options = Options(tmp_path)
    found = options.read(f"{{guardrail: litellm_content_filter, categories: [{entry}]{more}}}")
    assert found is None or isinstance(found, FilterOptions)
    return found, options


def test_a_file_of_words_becomes_a_subject(tmp_path):
    found, options = read(tmp_path)
    assert options.said() == []
    assert found is not None
    assert found.categories == (
        CategoryRule(
            name="harm",
            reaction=Reaction.MASK,
            keywords=("bomb", "poison"),
            phrases=(
                PhraseRule(words=("how", "to", "kill"), nearness=Nearness.EXACT, distance=3),
                PhraseRule(words=("plan", "attack"), nearness=Nearness.FUZZY, distance=3),
                PhraseRule(words=("gun", "school"), nearness=Nearness.PROXIMITY, distance=5),
            ),
            exceptions=("crime statistics",),
        ),
    )


@pytest.mark.parametrize(
    ("entry", "more", "number"),
    [
        ("{category: harm, category_file: harm.yaml, severity_threshold: high}", "", 1 + 1 + 2),
        (ENTRY, ", severity_threshold: low", 3 + 4),
        (ENTRY, ", severity_threshold: high", 1 + 1 + 2),
    ],
)
def test_only_words_that_are_severe_enough_count(entry, more, number, tmp_path):
    found, _ = read(tmp_path, entry, more)
    assert found is not None
    (category,) = found.categories
    assert len(category.keywords) + len(category.phrases) == number


def test_a_subject_can_be_switched_off(tmp_path):
    found, _ = read(
        tmp_path, "{category: harm, category_file: harm.yaml, enabled: false}", ", words: [x]"
    )
    assert found is not None
    assert found.categories == ()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            "{category: harmful_violence}",
            (
                "categories[0].category: Tiergate has no list of words for the category "
                '"harmful_violence"'
            ),
        ),
        (
            "{category: harm, category_file: no.yaml}",
            (
                "categories[0].category_file: FOLDER/no.yaml cannot be read: no such file or "
                "directory"
            ),
        ),
        (
            "{category: harm, category_file: list.yaml}",
            (
                "categories[0].category_file: FOLDER/list.yaml is no mapping with keywords and "
                "phrases"
            ),
        ),
        (
            "{category: harm, category_file: empty.yaml}",
            (
                "categories[0].category_file: FOLDER/empty.yaml has no keywords or phrases of "
                "this severity or above"
            ),
        ),
        (
            "{category: harm, category_file: odd.yaml}",
            '"odd.yaml".words: is not read in a file of words',
        ),
        (
            "{category: harm, category_file: harm.yaml, sevrity: x}",
            "categories[0].sevrity: is not read here",
        ),
    ],
)
def test_what_cannot_be_understood_is_an_error(entry, said, tmp_path):
    (tmp_path / "list.yaml").write_text("[a]")
    (tmp_path / "empty.yaml").write_text("exceptions: [a]")
    (tmp_path / "odd.yaml").write_text("{keywords: [a], words: [b]}")
    _, options = read(tmp_path, entry)
    assert f"error {said.replace('FOLDER', str(tmp_path))}" in options.said()
