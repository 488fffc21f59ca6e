"""Alarms become one message of a chat, or JSON each."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tiergate.core.alarms import Alarm, AlarmKind, Subject
from tiergate.telemetry.alarm_sink import MOST_LINES, AlarmSender, ChatSender, message

DOWN = Alarm(Subject(AlarmKind.OUTAGE, "provider x"), "Nothing of <x> answers & more.")
UP = Alarm(DOWN.subject, "It serves again.", over=True)


class Post:
    def __init__(self) -> None:
        self.sent: list[tuple[str, object]] = []

    async def __call__(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> int:
        self.sent.append((url, json.loads(body)))
        return 200


async def test_a_batch_is_one_message_in_the_form_of_slack():
    post = Post()
    await ChatSender(post, "http://chat/")([DOWN, UP])

    ((url, body),) = post.sent
    assert url == "http://chat/"
    first, second = body["text"].splitlines()
    assert first == ":red_circle: *Outage* Nothing of &lt;x&gt; answers &amp; more."
    assert second == ":large_green_circle: *Outage over* It serves again."


@pytest.mark.parametrize("kind", AlarmKind)
def test_every_kind_has_a_title(kind):
    assert "*" in message([Alarm(Subject(kind, "s"), "text")])


def test_a_long_batch_is_counted():
    text = message([DOWN] * (MOST_LINES + 3))
    assert text.endswith("... and 3 more")
    assert len(text.splitlines()) == MOST_LINES + 1


async def test_each_alarm_is_json_with_its_facts():
    post = Post()
    alarm = Alarm(Subject(AlarmKind.BUDGET, "key a"), "Spent.", facts=(("spend", 8.0),))
    await AlarmSender(post, "http://h/")([alarm])
    assert post.sent == [
        (
            "http://h/",
            {
                "event": "budget_alerts",
                "event_message": "Spent.",
                "subject": "key a",
                "over": False,
                "spend": 8.0,
            },
        )
    ]
