"""The metrics page as Prometheus's own parser reads it."""

from __future__ import annotations

from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as read_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as read_text
from prometheus_client.samples import Sample

from tiergate.core.caller import Caller
from tiergate.telemetry.metrics import Metrics
from tiergate.telemetry.page import Scene, page

NOTHING = Scene()
KEY = Caller(
    name="bot", key="ab" * 32, alias="bot", team="t1", team_alias="core", user="u1", email="u@x.y"
)
"""Who has a virtual key with everything."""


def samples_of(text: bytes, *, openmetrics: bool = False) -> dict[str, list[Sample]]:
    """All samples by their full names."""
    read = read_openmetrics if openmetrics else read_text
    found: dict[str, list[Sample]] = {}
    for family in read(text.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


def shown(metrics: Metrics, scene: Scene = NOTHING) -> dict[str, list[Sample]]:
    """What the page of some numbers has."""
    return samples_of(page(metrics, scene))


def value(metrics: Metrics, name: str, scene: Scene = NOTHING, **labels: str) -> float:
    """The sum of the samples with these labels."""
    found = shown(metrics, scene).get(name, [])
    return sum(s.value for s in found if labels.items() <= s.labels.items())


def one(metrics: Metrics, name: str, scene: Scene = NOTHING) -> Sample:
    """The only sample of a name that is not 0."""
    (sample,) = [each for each in shown(metrics, scene)[name] if each.value]
    return sample
