"""Which guards a request asks for."""

from __future__ import annotations

import json

import pytest

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json
from tiergate.web.guardrails import asked_guardrails
from tiergate.wire.members import Members

KNOWN = ("a", "b", "c")


def asked(metadata: Json = None, **body: Json) -> tuple[str, ...]:
    members = Members.read(json.dumps(body).encode())
    return asked_guardrails(members, metadata or {}, KNOWN)


def test_names_stand_in_the_body_or_in_its_metadata():
    assert asked(guardrails=["a"]) == ("a",)
    assert asked({"guardrails": ["b", "a"]}, guardrails=["a"]) == ("a", "b")
    assert asked(litellm_metadata={"guardrails": ["c"]}) == ("c",)
    assert asked() == ()


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ([], ()),
        (None, ()),
        ("a", ("a",)),
        ({"a": True, "b": {}}, ("a", "b")),
        ([{"a": {}}, {"b": None}], ("a", "b")),
    ],
)
def test_litellms_forms_are_understood(value: Json, names):
    assert asked(guardrails=value) == names


@pytest.mark.parametrize("value", [["x"], "x", {"x": True}, [{"x": {}}]])
def test_a_name_that_is_not_there_is_refused(value: Json):
    with pytest.raises(Refused, match="Known are a, b, c") as end:
        asked(guardrails=value)
    assert (end.value.status, end.value.code) == (400, "unknown_guardrail")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": False}, "switches the guardrail a off"),
        ([{"a": {"extra_body": {"x": 1}}}], "gives parameters"),
        (5, "must be a list"),
        ([5], "must be a list"),
        (["a"] * 101, "must be a list"),
    ],
)
def test_what_a_request_cannot_ask_is_said(value: Json, words: str):
    with pytest.raises(Refused, match=words):
        asked(guardrails=value)
