"""Reads what the metrics page shows: labels, bounds, what is left out; and the traffic's targets.

The keys are LiteLLM's. A name of a metric or label that is neither LiteLLM's nor ours is an
error: it would leave something out, or keep something in, that somebody thinks is not.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from tiergate.base.values import AliasName
from tiergate.config.findings import At
from tiergate.config.keycheck import KeyCheck
from tiergate.config.reading import Reader, Sections
from tiergate.config.section import Section, Spot, as_section
from tiergate.config.suggest import did_you_mean
from tiergate.config.tree import ListNode
from tiergate.config.typed import items
from tiergate.core.metric_names import LABELS, LITELLM_LABELS, NOT_SERVED, SERVED
from tiergate.core.metrics_plan import (
    MOST_SERIES,
    MOST_TIMED,
    MetadataLabel,
    MetricGroup,
    MetricsPlan,
    TagLabel,
)

PAGE_SHARES: Final = (("cheap", 0.70), ("balanced", 0.25), ("frontier", 0.05))
"""The targets of the production page, for files that have its three aliases."""

_IDENTITIES: Final = ("api_key_alias", "user_email", "both")
_METADATA: Final = "metadata"
_NO_LABEL_SIGN: Final = re.compile(r"[^a-zA-Z0-9_]")
_NO_LABEL_START: Final = re.compile(r"[0-9]")
_WHOLE: Final = 100.0
_SLACK: Final = 0.01


def read_metrics(sections: Sections, reader: Reader, check: KeyCheck) -> MetricsPlan:
    """Return what `litellm_settings` says of the metrics page."""
    section = sections.litellm
    metadata = tuple(
        MetadataLabel(_label(text), _path(text))
        for text in reader.typed.texts(section.take("custom_prometheus_metadata_labels"))
    )
    tags = tuple(
        TagLabel(_label(f"tag_{text}"), text)
        for text in reader.typed.texts(section.take("custom_prometheus_tags"))
    )
    added = [label.name for label in (*metadata, *tags)]
    _refuse_clashes(added, section, reader)
    identity = reader.typed.choice(
        section.take("prometheus_deployment_and_latency_caller_identity"), _IDENTITIES
    )
    known = LABELS | LITELLM_LABELS | frozenset(added)
    most = _most_series(section, reader)
    return MetricsPlan(
        end_users=_end_users(section, reader),
        email_label=identity in ("user_email", "both"),
        alias_label=identity != "user_email",
        stream_label=reader.typed.flag(section.take("prometheus_emit_stream_label")) or False,
        metadata=metadata,
        tags=tags,
        groups=_groups(section.take("prometheus_metrics_config"), known, reader, check),
        without=_metrics(section.take("prometheus_exclude_metrics"), reader),
        without_labels=_names(section.take("prometheus_exclude_labels"), known, "label", reader),
        most_series=MOST_SERIES if most is None else most,
        most_timed=MOST_TIMED if most is None else most,
    )


def read_traffic_shares(
    sections: Sections, aliases: frozenset[str], reader: Reader
) -> tuple[tuple[AliasName, float], ...]:
    """Return the part of all calls that each alias is meant to serve, from 0 to 1."""
    spot = sections.general.take("traffic_shares")
    section = as_section(spot, reader.findings)
    if section is None:
        page = {name for name, _ in PAGE_SHARES} <= aliases
        shares = {name: share * _WHOLE for name, share in PAGE_SHARES} if page else {}
    else:
        shares = _shares(section, aliases, reader)
    told = tuple(f"{name} {share:g} %" for name, share in shares.items())
    reader.show("general_settings.traffic_shares", told, spot, text="" if told else "none")
    return tuple((AliasName(name), share / _WHOLE) for name, share in shares.items())


def _shares(section: Section, aliases: frozenset[str], reader: Reader) -> dict[str, float]:
    shares: dict[str, float] = {}
    for each in section.all():
        if each.key not in aliases:
            reader.findings.error(
                "unknown-alias",
                each.at,
                f"there is no alias {each.key}",
                did_you_mean(each.key, aliases),
            )
            continue
        percent = reader.typed.number(each)
        if percent is not None:
            shares[each.key] = percent
    whole = sum(shares.values())
    if whole > _WHOLE + _SLACK:
        reader.findings.error(
            "shares-above-whole",
            section.at,
            f"the shares add up to {whole:g} percent",
            "Write percent of all calls: at most 100 in all.",
        )
    return shares


def _end_users(section: Section, reader: Reader) -> bool:
    """End users are labels only where that is asked for, and nothing speaks against it."""
    wanted = reader.typed.flag(section.take("enable_end_user_cost_tracking_prometheus_only"))
    against = [
        reader.typed.flag(section.take(name))
        for name in (
            "disable_end_user_cost_tracking_prometheus_only",
            "disable_end_user_cost_tracking",
        )
    ]
    return bool(wanted) and not any(against)


def _most_series(section: Section, reader: Reader) -> int | None:
    spot = section.take("prometheus_metrics_max_series_per_metric")
    most = reader.typed.whole(spot, least=1)
    if most is not None:
        reader.show("litellm_settings.prometheus_metrics_max_series_per_metric", most, spot)
    return most


def _groups(
    spot: Spot | None, labels: Collection[str], reader: Reader, check: KeyCheck
) -> tuple[MetricGroup, ...]:
    if spot is None or spot.unresolved:
        return ()
    if not isinstance(spot.node, ListNode):
        reader.typed.refuse(spot, "a list of groups with `metrics` and `include_labels`")
        return ()
    groups: list[MetricGroup] = []
    for each in items(spot):
        section = as_section(each, reader.findings)
        if section is None:
            continue
        reader.typed.text(section.take("group"))
        metrics = _metrics(section.take("metrics"), reader)
        wanted = section.take("include_labels")
        kept = _names(wanted, labels, "label", reader) if wanted is not None else None
        check.left(section)
        groups.append(MetricGroup(metrics, kept))
    return tuple(groups)


def _metrics(spot: Spot | None, reader: Reader) -> frozenset[str]:
    """Return names of metrics, without the `_total` of counters."""
    known = SERVED | NOT_SERVED
    named = _names(spot, known | {f"{name}_total" for name in known}, "metric", reader)
    return frozenset(name.removesuffix("_total") for name in named)


def _names(spot: Spot | None, known: Collection[str], what: str, reader: Reader) -> frozenset[str]:
    if spot is None:
        return frozenset()
    found: set[str] = set()
    for name in reader.typed.texts(spot, f"a list of {what}s"):
        if name in known:
            found.add(name)
            continue
        reader.findings.error(
            f"unknown-{what}",
            spot.at,
            f"there is no {what} {name}",
            did_you_mean(name, known) or "docs/reference/metrics.md lists them.",
        )
    return frozenset(found)


def _label(text: str) -> str:
    """Return a text as the name of a label, as LiteLLM does."""
    name = _NO_LABEL_SIGN.sub("_", text.strip())
    return f"_{name}" if _NO_LABEL_START.match(name) else name


def _path(text: str) -> tuple[str, ...]:
    """Return where a label's value stands in metadata; `metadata.` in front says nothing."""
    parts = tuple(text.strip().split("."))
    return parts[1:] if len(parts) > 1 and parts[0] == _METADATA else parts


def _refuse_clashes(added: list[str], section: Section, reader: Reader) -> None:
    """Two labels of one name would make a page that nobody can read."""
    for name in dict.fromkeys(added):
        if name in LABELS or added.count(name) > 1:
            reader.findings.error(
                "label-twice",
                At("litellm_settings.custom_prometheus_metadata_labels", section.position),
                f"the metrics would have the label {name} twice",
                "Take one of the names out.",
            )
