"""Write citations as OpenAI annotations, with their place in the joined text of the answer.

Of Anthropic's citations only those of web results have such a form; all of them also stand in
`provider_specific_fields.citations`, LiteLLM's place for them.
"""

from __future__ import annotations

from collections.abc import Sequence

from tiergate.base.jsontypes import Json, JsonObject


def annotations_of(citations: Sequence[Json], start: int, end: int) -> list[Json]:
    """Return the annotations of a text that stands at `start` to `end` (characters)."""
    found: list[Json] = []
    for citation in citations:
        if not isinstance(citation, dict):
            continue
        if citation.get("type") == "url_citation":
            found.append(citation)
        elif isinstance(url := citation.get("url"), str):
            title = citation.get("title")
            place: JsonObject = {
                "start_index": start,
                "end_index": end,
                "url": url,
                "title": title if isinstance(title, str) else "",
            }
            found.append({"type": "url_citation", "url_citation": place})
    return found


def foreign_of(citations: Sequence[Json]) -> list[Json]:
    """Return the citations that are not OpenAI's own, as they came."""
    return [
        citation
        for citation in citations
        if isinstance(citation, dict) and citation.get("type") != "url_citation"
    ]
