"""Write citations as the Messages API's own; those of OpenAI become citations of web results."""

from __future__ import annotations

from collections.abc import Sequence

from tiergate.base.jsontypes import Json, JsonObject


def citation_to(citation: Json, text: str = "") -> JsonObject | None:
    """Return one citation, or None for a thing that is none.

    Args:
        citation: An Anthropic citation, or an OpenAI `url_citation` annotation.
        text: The text it belongs to, for the words it covers.
    """
    if not isinstance(citation, dict):
        return None
    if citation.get("type") != "url_citation":
        return citation
    inner = citation.get("url_citation")
    place = inner if isinstance(inner, dict) else citation
    start, end = place.get("start_index"), place.get("end_index")
    title = place.get("title")
    return {
        "type": "web_search_result_location",
        "cited_text": text[start:end] if isinstance(start, int) and isinstance(end, int) else "",
        # Another provider's result has no index that Anthropic could read back.
        "encrypted_index": "",
        "title": title if isinstance(title, str) else None,
        "url": str(place.get("url") or ""),
    }


def citations_to(citations: Sequence[Json], text: str) -> list[Json]:
    """Return all citations of a text."""
    found = (citation_to(citation, text) for citation in citations)
    return [citation for citation in found if citation is not None]
