"""Sends alarms: as a text to addresses that take Slack's form, or each as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from tiergate.core.alarms import Alarm, AlarmKind
from tiergate.telemetry.outbox import Pace
from tiergate.telemetry.posting import Post, post_batch

PACE: Final = Pace(interval=3.0)
"""What happens together is one message."""

MOST_LINES: Final = 20
"""Alarms that one message names; it counts the others."""

_JSON: Final = (("content-type", "application/json"),)
_TITLES: Final = {
    AlarmKind.BUDGET: "Budget",
    AlarmKind.OUTAGE: "Outage",
    AlarmKind.COOLDOWN: "Cooldown",
    AlarmKind.FALLBACK: "Dearer fallback",
    AlarmKind.SLOW: "Slow call",
    AlarmKind.DRIFT: "Prompt prefix",
}


class ChatSender:
    """Sends alarms to a chat: one message for all of a batch."""

    def __init__(self, post: Post, url: str) -> None:
        self._post = post
        self._url = url

    async def __call__(self, batch: Sequence[Alarm]) -> None:
        """Send a batch; see `outbox.Send`."""
        body = msgspec.json.encode({"text": message(batch)})
        await post_batch(self._post, self._url, _JSON, body)


class AlarmSender:
    """Sends each alarm as JSON to an address (LiteLLM's `alerting: ["webhook"]`)."""

    def __init__(self, post: Post, url: str) -> None:
        self._post = post
        self._url = url

    async def __call__(self, batch: Sequence[Alarm]) -> None:
        """Send a batch of one; see `outbox.Send`."""
        for alarm in batch:
            body = msgspec.json.encode(alarm_payload(alarm))
            await post_batch(self._post, self._url, _JSON, body)


ONE_BY_ONE: Final = Pace(interval=1.0, together=1)
"""The pace of an `AlarmSender`: what was taken is never sent again with what was not."""


def message(batch: Sequence[Alarm]) -> str:
    """Return a text in the markup of Slack (which Mattermost, Rocket.Chat and Discord read)."""
    lines = [_line(alarm) for alarm in batch[:MOST_LINES]]
    if len(batch) > MOST_LINES:
        lines.append(f"... and {len(batch) - MOST_LINES} more")
    return "\n".join(lines)


def _line(alarm: Alarm) -> str:
    kind = alarm.subject.kind
    sign = ":large_green_circle:" if alarm.over else ":red_circle:"
    if kind not in (AlarmKind.OUTAGE, AlarmKind.COOLDOWN) and not alarm.over:
        sign = ":large_yellow_circle:"
    title = f"{_TITLES[kind]} over" if alarm.over else _TITLES[kind]
    return f"{sign} *{title}* {_escaped(alarm.text)}"


def _escaped(text: str) -> str:
    """Escape the three characters that Slack reads as markup of its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def alarm_payload(alarm: Alarm) -> dict[str, object]:
    """Return an alarm as JSON; budgets have LiteLLM's members beside these."""
    return {
        "event": alarm.subject.kind.value,
        "event_message": alarm.text,
        "subject": alarm.subject.name,
        "over": alarm.over,
        **dict(alarm.facts),
    }
