"""Citations for an Anthropic client."""

from __future__ import annotations

import pytest

from tiergate.providers.anthropic.citations import citation_to, citations_to

PLACE = {"url": "https://a.example", "title": "A", "start_index": 4, "end_index": 7}


@pytest.mark.parametrize(
    "citation",
    [{"type": "url_citation", "url_citation": PLACE}, {"type": "url_citation", **PLACE}],
)
def test_an_annotation_becomes_a_web_result(citation):
    assert citation_to(citation, "see the source") == {
        "type": "web_search_result_location",
        "cited_text": "the",
        "encrypted_index": "",
        "title": "A",
        "url": "https://a.example",
    }


def test_an_annotation_without_a_place_covers_no_text():
    found = citation_to({"type": "url_citation", "url_citation": {"url": "u"}}, "text")

    assert found is not None
    assert (found["cited_text"], found["title"], found["url"]) == ("", None, "u")


def test_own_citations_stay_and_things_that_are_none_go():
    own = {"type": "char_location", "cited_text": "x"}

    assert citations_to([own, "x", None, 5], "text") == [own]
