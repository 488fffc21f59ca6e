"""LiteLLM's `cache_control_injection_points`, read into places of breakpoints."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import KEY, Bench, Loaded
from tiergate.core.breakpoints import Breakpoints, Part, Place

MODEL = """
model_list:
  - model_name: a
    litellm_params:
      model: anthropic/claude-sonnet-4-5
      api_key: k1
      cache_control_injection_points: %s
"""


def load(folder: Path, points: str) -> Loaded:
    return Bench(folder).load(MODEL % points + KEY)


def places(folder: Path, points: str) -> tuple[Place, ...] | None:
    draft = load(folder, points).draft
    assert draft is not None
    marks: Breakpoints | None = draft.deployments[0].breakpoints
    return None if marks is None else marks.places


@pytest.mark.parametrize(
    ("point", "place"),
    [
        ("{location: message, role: system}", Place(part=Part.SYSTEM)),
        ("{role: system}", Place(part=Part.SYSTEM)),
        ("{location: tool_config}", Place(part=Part.TOOLS)),
        ("{location: message, index: -1}", Place(part=Part.MESSAGES, index=-1)),
        ('{location: message, index: "-1"}', Place(part=Part.MESSAGES, index=-1)),
        ("{location: message, index: 2, role: user}", Place(part=Part.MESSAGES, index=2)),
        ("{location: message, role: user}", Place(part=Part.MESSAGES, role="user")),
        (
            "{role: system, control: {type: ephemeral, ttl: 1h}}",
            Place(part=Part.SYSTEM, one_hour=True),
        ),
    ],
)
def test_a_point_means_a_place(tmp_path: Path, point: str, place: Place) -> None:
    assert places(tmp_path, f"[{point}]") == (place,)


def test_places_come_in_the_order_of_the_prompt(tmp_path: Path) -> None:
    found = places(tmp_path, "[{index: -1}, {role: system}, {location: tool_config}]")
    assert found is not None
    assert [place.part for place in found] == [Part.TOOLS, Part.SYSTEM, Part.MESSAGES]


def test_an_empty_list_switches_them_off(tmp_path: Path) -> None:
    assert places(tmp_path, "[]") is None


@pytest.mark.parametrize(
    ("points", "code"),
    [
        ("5", "wrong-type"),
        ("[5]", "wrong-type"),
        ("[{location: body}]", "unknown-value"),
        ("[{role: tool}]", "unknown-value"),
        ("[{location: message}]", "missing-key"),
        ("[{index: x}]", "wrong-type"),
        ("[{role: system, controls: {}}]", "unknown-key"),
        ("[{role: system, control: {ttl: 2h}}]", "unknown-value"),
        ("[{index: 0}, {index: 1}, {index: 2}, {index: 3}, {index: 4}]", "too-many-breakpoints"),
        ("[{role: system}, {index: -1, control: {ttl: 1h}}]", "breakpoint-order"),
    ],
)
def test_what_means_nothing_is_refused(tmp_path: Path, points: str, code: str) -> None:
    loaded = load(tmp_path, points)
    assert code in [f.code for f in loaded.findings]
    assert loaded.settings is None
