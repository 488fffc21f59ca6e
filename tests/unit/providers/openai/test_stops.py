"""Finish reasons."""

from __future__ import annotations

import pytest

from tiergate.base.chat import Stop
from tiergate.base.jsontypes import Json
from tiergate.providers.openai.stops import reason_for, stop_from


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("stop", Stop.END),
        ("eos", Stop.END),
        ("length", Stop.LENGTH),
        ("model_length", Stop.LENGTH),
        ("tool_calls", Stop.TOOLS),
        ("function_call", Stop.TOOLS),
        ("content_filter", Stop.REFUSED),
        ("insufficient_system_resource", Stop.OTHER),
        (None, Stop.OTHER),
        (3, Stop.OTHER),
    ],
)
def test_a_reason_is_read_whatever_the_host_calls_it(reason: Json, stop: Stop) -> None:
    assert stop_from(reason, called_tools=False, refused=False) is stop


def test_calls_and_refusals_correct_a_plain_stop() -> None:
    assert stop_from("stop", called_tools=True, refused=False) is Stop.TOOLS
    assert stop_from("stop", called_tools=False, refused=True) is Stop.REFUSED
    assert stop_from("length", called_tools=True, refused=True) is Stop.LENGTH


def test_every_stop_has_one_of_openais_reasons() -> None:
    known = {"stop", "length", "tool_calls", "content_filter"}
    assert {reason_for(stop, refused=False) for stop in Stop} == known
    assert reason_for(Stop.REFUSED, refused=True) == "stop"
