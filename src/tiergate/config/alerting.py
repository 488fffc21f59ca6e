"""Reads who is alerted: `general_settings.alerting` and what belongs to it, in LiteLLM's form."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tiergate.base.values import Position
from tiergate.config.addresses import is_address
from tiergate.config.findings import At, Severity
from tiergate.config.reading import Reader, Sections
from tiergate.config.section import Section, Spot
from tiergate.config.suggest import did_you_mean
from tiergate.core.alarms import AlarmKind
from tiergate.core.sink_plan import AlertPlan

_CHAT: Final = ("SLACK_WEBHOOK_URL", "ALERTING_WEBHOOK_URL")
_ADDRESS: Final = "WEBHOOK_URL"
_KINDS: Final = {kind.value: kind for kind in AlarmKind}
_OF_LITELLM: Final = frozenset(
    """
    llm_exceptions llm_requests_hanging spend_reports failed_tracking_spend db_exceptions
    daily_reports new_model_added region_outage_alerts new_virtual_key_created
    virtual_key_updated virtual_key_deleted new_team_created team_updated team_deleted
    new_internal_user_created internal_user_updated internal_user_deleted
    """.split()  # noqa: SIM905 - a table of words
)
_CHANNELS: Final = frozenset({"slack", "webhook"})
_ELSEWHERE: Final = frozenset({"email"})


def read_alerts(
    sections: Sections, environ: Mapping[str, str], reader: Reader, *, look_up: bool
) -> AlertPlan | None:
    """Return who is alerted of what; None for nobody.

    Args:
        sections: The sections of the file.
        environ: The environment variables, which hold addresses.
        reader: Where findings and the report go.
        look_up: False for `--no-env`: a missing address is no error.
    """
    general, typed = sections.general, reader.typed
    spot = general.take("alerting")
    channels = _channels(spot, reader)
    kinds = _kinds(general.take("alert_types"), reader)
    own = _own(general.section("alert_to_webhook_url", reader.findings), reader)
    slow = typed.seconds(general.take("alerting_threshold"))
    if spot is None or not channels:
        return None
    chats: dict[AlarmKind, tuple[str, ...]] = {}
    if "slack" in channels:
        needed = not kinds <= own.keys()
        usual = _from(_CHAT, environ, spot, reader, needed=needed and look_up)
        for kind in AlarmKind:
            urls = own.get(kind) or ((usual,) if usual else ())
            if kind in kinds and urls:
                chats[kind] = urls
    address = None
    if "webhook" in channels:
        address = _from((_ADDRESS,), environ, spot, reader, needed=look_up)
    if not chats and address is None:
        return None
    reader.show("general_settings.alerting", tuple(sorted(channels)), spot)
    plan = AlertPlan(chats=MappingProxyType(chats), address=address)
    if slow is None:
        return plan
    return AlertPlan(chats=plan.chats, address=address, slow_seconds=slow)


def _channels(spot: Spot | None, reader: Reader) -> frozenset[str]:
    found: set[str] = set()
    for name in reader.typed.texts(spot):
        if spot is None:
            continue
        if name in _CHANNELS:
            found.add(name)
        elif name in _ELSEWHERE:
            reader.findings.idle(
                Severity.WARNING,
                "alerting-without-effect",
                spot.at,
                f"alerts by {name} are not sent here",
                "Write slack or webhook; most mail services offer a webhook.",
            )
        else:
            reader.findings.error(
                "unknown-value",
                spot.at,
                f'there is no way to alert called "{name}"',
                "Write slack (any webhook that takes Slack's form) or webhook.",
            )
    return frozenset(found)


def _kinds(spot: Spot | None, reader: Reader) -> frozenset[AlarmKind]:
    """Return the kinds of alarms that are wanted; all where nothing is said."""
    if spot is None:
        return frozenset(AlarmKind)
    return frozenset(
        kind
        for name in reader.typed.texts(spot)
        if (kind := _kind(name, spot, reader)) is not None
    )


def _kind(name: str, spot: Spot, reader: Reader) -> AlarmKind | None:
    found = _KINDS.get(name)
    if found is not None:
        return found
    if name in _OF_LITELLM:
        reader.findings.idle(
            Severity.NOTICE,
            "alert-without-effect",
            spot.at,
            f"alerts of the type {name} are not sent here",
            f"Sent are {', '.join(_KINDS)}; for the rest alert in Prometheus on /metrics.",
        )
    else:
        reader.findings.error(
            "unknown-value",
            spot.at,
            f'there is no type of alerts called "{name}"',
            did_you_mean(name, {*_KINDS, *_OF_LITELLM}) or f"Known are {', '.join(_KINDS)}.",
        )
    return None


def _own(section: Section, reader: Reader) -> dict[AlarmKind, tuple[str, ...]]:
    """Return the addresses of single kinds (`alert_to_webhook_url`)."""
    found: dict[AlarmKind, tuple[str, ...]] = {}
    for spot in section.all():
        kind = _kind(spot.key, spot, reader)
        urls = tuple(url for url in reader.typed.texts(spot) if _checked(url, spot.at, reader))
        if kind is not None and urls:
            found[kind] = urls
    return found


def _checked(url: str, at: At, reader: Reader) -> bool:
    if is_address(url):
        return True
    reader.findings.error(
        "bad-address", at, "is not an address that begins with http:// or https://"
    )
    return False


def _from(
    names: tuple[str, ...],
    environ: Mapping[str, str],
    spot: Spot,
    reader: Reader,
    *,
    needed: bool,
) -> str | None:
    """Return the address that the first of some variables holds."""
    name = next((each for each in names if environ.get(each, "").strip()), None)
    if name is not None:
        url = environ[name].strip()
        return url if _checked(url, At(name, Position("environment", 0)), reader) else None
    if needed:
        reader.findings.error(
            "unset-variable",
            spot.at,
            f"alerts need the environment variable {names[0]}, and it is not set",
            f"Set {names[0]} to the address that takes them.",
        )
    return None
