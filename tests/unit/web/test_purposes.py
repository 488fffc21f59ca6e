"""What a call is for, read from body, headers and tags: the nearest to the caller's hand wins."""

from __future__ import annotations

import json

import pytest

from tiergate.base.errors import Refused
from tiergate.core.purpose import LONGEST, NO_PURPOSE, Purpose
from tiergate.web.purposes import HEADERS, read_purpose
from tiergate.wire.members import Members


def read(metadata=None, headers=None, tags=(), **body: object) -> Purpose:
    members = Members.read(json.dumps({"model": "cheap", **body}).encode())
    return read_purpose(members, metadata or {}, headers or {}, tags)


def test_most_requests_are_for_nothing_in_particular():
    assert read() is NO_PURPOSE
    assert read({"other": 1}, {"x-other": "a"}, ("critical",)) is NO_PURPOSE
    assert read({"ticket_id": None, "phase": "  "}, {"x-tiergate-workflow": ""}) is NO_PURPOSE


def test_metadata_says_everything():
    assert read(
        {
            "ticket_id": "T-1",
            "session_id": "s",
            "phase": "review",
            "workflow": "nightly",
            "escalation_reason": "tests fail twice",
        }
    ) == Purpose(
        ticket="T-1", session="s", phase="review", workflow="nightly", reason="tests fail twice"
    )


def test_headers_say_everything():
    assert read(
        headers={
            "x-tiergate-ticket": "T-1",
            "x-tiergate-session": "s",
            "x-tiergate-phase": "review",
            "x-tiergate-workflow": "nightly",
            "x-tiergate-escalation-reason": "why",
        }
    ) == Purpose(ticket="T-1", session="s", phase="review", workflow="nightly", reason="why")


@pytest.mark.parametrize(
    ("member", "header", "attribute"),
    [
        ("ticket_id", "x-tiergate-ticket", "ticket"),
        ("session_id", "x-tiergate-session", "session"),
        ("phase", "x-tiergate-phase", "phase"),
        ("workflow", "x-tiergate-workflow", "workflow"),
        ("escalation_reason", "x-tiergate-escalation-reason", "reason"),
    ],
)
def test_the_body_wins_over_the_header(member, header, attribute):
    assert header in HEADERS
    assert getattr(read({member: "body"}, {header: "header"}), attribute) == "body"
    assert getattr(read({member: None}, {header: "header"}), attribute) == "header"


def test_a_ticket_may_stand_in_a_tag_where_nothing_else_names_one():
    tags = ("critical", "ticket:T-1", "ticket:T-2")
    assert read(tags=tags).ticket == "T-1"
    assert read({"ticket_id": "T-3"}, tags=tags).ticket == "T-3"
    assert read(headers={"x-tiergate-ticket": "T-4"}, tags=tags).ticket == "T-4"


def test_a_tag_without_a_ticket_names_none():
    assert read(tags=("ticket:",)) is NO_PURPOSE


@pytest.mark.parametrize("name", ["litellm_session_id", "session_id", "litellm_trace_id"])
def test_litellms_members_name_a_session(name):
    assert read(**{name: "s-1"}).session == "s-1"
    assert read({"session_id": "s-2"}, **{name: "s-1"}).session == "s-2"


@pytest.mark.parametrize("name", ["x-litellm-session-id", "x-litellm-trace-id"])
def test_litellms_headers_name_a_session(name):
    assert name in HEADERS
    assert read(headers={name: "s-1"}).session == "s-1"
    assert read(headers={name: "s-1", "x-tiergate-session": "s-2"}).session == "s-2"
    assert read(headers={name: "s-1"}, session_id="s-3").session == "s-3"


def test_tickets_are_often_numbers_and_spaces_around_names_are_nothing():
    assert read({"ticket_id": 4711}).ticket == "4711"
    assert read({"ticket_id": " T-1\n"}).ticket == "T-1"


@pytest.mark.parametrize("value", [True, 1.5, ["T-1"], {"id": "T-1"}])
def test_what_is_no_name_is_refused_and_named(value):
    with pytest.raises(Refused) as caught:
        read({"ticket_id": value})
    assert (caught.value.status, caught.value.code) == (400, "invalid_type")
    assert caught.value.param == "metadata.ticket_id"


PLACES = {
    "metadata": lambda value: read({"session_id": value}),
    "header": lambda value: read(headers={"x-tiergate-session": value}),
    "member": lambda value: read(session_id=value),
}


@pytest.mark.parametrize("value", ["x" * (LONGEST + 1), "a\nb", "a\x00", "\u202ea"])
@pytest.mark.parametrize("place", PLACES)
def test_a_name_that_is_too_long_or_not_printable_is_refused(value, place):
    """Names reach logs, documents' names and the ledger."""
    with pytest.raises(Refused) as caught:
        PLACES[place](value)
    assert (caught.value.status, caught.value.code) == (400, "invalid_value")
    assert f"at most {LONGEST}" in str(caught.value)


def test_the_longest_name_is_taken():
    assert read({"phase": "x" * LONGEST}).phase == "x" * LONGEST


def test_a_ticket_of_a_tag_is_as_long_as_its_tag():
    assert read(tags=("ticket:" + "x" * 40,)).ticket == "x" * 40
