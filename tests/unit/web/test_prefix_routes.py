"""`GET /cache/prefix`: figures, rates, drifts; for administrators."""

from __future__ import annotations

import json

import pytest

from support.asking import told
from tiergate.base.jsontypes import JsonObject
from tiergate.core.prefix_figures import LastDrift, PrefixFigures, PrefixKey
from tiergate.web.prefix_routes import PrefixRoutes, drift_text, figures_object

DRIFT = LastDrift(1_000_000.0, "system", 2, "changed", 512, "timestamp")
FIGURES: dict[PrefixKey, PrefixFigures] = {
    ("hash", "cheap", "draft"): PrefixFigures(
        "ci", 4, 1000, 600, 100, 800, 600, 10**9, 10**8, 0, 0, {"system": 1}, DRIFT
    ),
    ("master", "dear", ""): PrefixFigures("master", 1, 3000, 0, 0),
}


def show(query: str = "") -> JsonObject:
    async def figures() -> dict[PrefixKey, PrefixFigures]:
        return FIGURES

    return json.loads(
        json.dumps(told(PrefixRoutes(figures).routes(), "/cache/prefix", query).body)
    )


def rows(query: str = "") -> list[JsonObject]:
    found = show(query)["prefixes"]
    assert isinstance(found, list)
    return [each for each in found if isinstance(each, dict)]


def test_the_longest_prompts_come_first_with_rates_and_money() -> None:
    first, second = rows()
    assert (first["alias"], first["phase"], first["hit_rate"]) == ("dear", None, 0.0)
    assert first["expected_hit_rate"] is None
    assert (second["key"], second["key_name"], second["phase"]) == ("hash", "ci", "draft")
    assert (second["hit_rate"], second["expected_hit_rate"]) == (0.6, 0.75)
    assert (second["saved_usd"], second["write_cost_usd"]) == (1.0, 0.1)


def test_the_total_is_of_what_is_shown() -> None:
    total = show()["total"]
    assert isinstance(total, dict)
    assert (total["calls"], total["input_tokens"], total["last_drift"]) == (5, 4000, None)
    total = show("alias=cheap")["total"]
    assert isinstance(total, dict)
    assert total["calls"] == 4


@pytest.mark.parametrize(
    ("query", "aliases"),
    [
        ("alias=cheap", ["cheap"]),
        ("phase=draft", ["cheap"]),
        ("key=ci", ["cheap"]),
        ("key=hash", ["cheap"]),
        ("key=other", []),
        ("alias=dear&phase=draft", []),
    ],
)
def test_rows_can_be_asked_for(query: str, aliases: list[str]) -> None:
    assert [row["alias"] for row in rows(query)] == aliases


def test_a_drift_is_told_by_its_place() -> None:
    drift = rows("alias=cheap")[0]["last_drift"]
    assert drift == {
        "at": "1970-01-12T13:46:40.000Z",
        "part": "system",
        "number": 2,
        "change": "changed",
        "offset": 512,
        "hint": "timestamp",
        "text": "system block 2 changed at about byte 512: it looks like a timestamp",
    }


def test_what_is_not_known_of_a_drift_is_left_out() -> None:
    drift = LastDrift(0.0, "tool", 3, "reordered")
    assert drift_text(drift) == "tool 3 reordered"
    drift_of_id = LastDrift(0.0, "message", 1, "changed", -1, "id")
    assert drift_text(drift_of_id) == "message 1 changed: it looks like an id"
    shown = figures_object(PrefixFigures(last=drift))["last_drift"]
    assert isinstance(shown, dict)
    assert (shown["offset"], shown["hint"]) == (None, None)
