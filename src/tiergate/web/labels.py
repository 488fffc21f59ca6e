"""Reads the labels that a configuration adds to the metrics off a request.

LiteLLM's `custom_prometheus_metadata_labels` and `custom_prometheus_tags`. How many values become
series is bounded where they are counted, not here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tiergate.base.jsontypes import Json
from tiergate.core.caller import Caller
from tiergate.core.metrics_plan import MetadataLabel, MetricsPlan

Pairs = tuple[tuple[str, str], ...]

_AGENT = "User-Agent: "
"""How LiteLLM writes the caller's program among the tags."""


@dataclass(frozen=True, slots=True)
class LabelReader:
    """Reads them; made once per configuration.

    Attributes:
        metadata: Labels out of metadata.
        tags: Names of labels for tags, with what a tag must be.
        agents: Whether one of these is about the caller's program.
        entries: Entries of `metadata` that are labels and so meant for the gateway.
    """

    metadata: tuple[MetadataLabel, ...]
    tags: tuple[tuple[str, re.Pattern[str]], ...]
    agents: bool
    entries: frozenset[str]

    @staticmethod
    def of(plan: MetricsPlan) -> LabelReader | None:
        """Return the reader of a configuration; None where it adds no label."""
        if not plan.label_names:
            return None
        return LabelReader(
            metadata=plan.metadata,
            tags=tuple((label.name, _pattern(label.pattern)) for label in plan.tags),
            agents=any(label.pattern.startswith(_AGENT) for label in plan.tags),
            entries=frozenset(label.path[0] for label in plan.metadata),
        )

    def read(
        self,
        metadata: Mapping[str, Json],
        tags: Sequence[str],
        headers: Mapping[str, str],
        caller: Caller,
    ) -> Pairs:
        """Return names and values.

        Args:
            metadata: Of the request. Its entries come before those of the key, and these before
                those of the team.
            tags: Of the request and its key.
            headers: Of the request.
            caller: Who calls.
        """
        found: list[tuple[str, str]] = []
        for label in self.metadata:
            places = (metadata, caller.metadata, caller.team_metadata)
            values = (_value(place, label.path) for place in places)
            found.append((label.name, next(filter(None, values), "")))
        if self.tags:
            said = list(tags)
            if self.agents:
                said.append(_AGENT + headers.get("user-agent", ""))
            found += [
                (name, "true" if any(map(pattern.fullmatch, said)) else "false")
                for name, pattern in self.tags
            ]
        return tuple(found)


def _value(place: Mapping[str, Json], path: tuple[str, ...]) -> str:
    """Return what stands at a path as text; empty where it is nothing, or no single value."""
    value: Json = place.get(path[0])
    for name in path[1:]:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) else ""


def _pattern(tag: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, tag.split("*"))), re.DOTALL)
