"""Citations as annotations."""

from __future__ import annotations

from tiergate.base.jsontypes import JsonObject
from tiergate.providers.openai.annotations import annotations_of, foreign_of

OWN: JsonObject = {"type": "url_citation", "url_citation": {"url": "u"}}
WEB: JsonObject = {"type": "web_search_result_location", "url": "https://a.example", "title": None}
PAGE: JsonObject = {"type": "page_location", "document_index": 0}


def test_web_citations_get_their_place_and_own_ones_stay() -> None:
    place: JsonObject = {
        "start_index": 3,
        "end_index": 9,
        "url": "https://a.example",
        "title": "",
    }
    assert annotations_of([OWN, WEB, PAGE, "x"], 3, 9) == [
        OWN,
        {"type": "url_citation", "url_citation": place},
    ]


def test_every_foreign_citation_is_kept_as_it_came() -> None:
    assert foreign_of([OWN, WEB, PAGE, "x"]) == [WEB, PAGE]
