"""What all readers of settings share: the sections, the placement rule, and the report.

A setting may stand at several places. Given twice with one value it acts and is mentioned;
given twice with two values it is an error that names both lines.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from tiergate.config.findings import Findings
from tiergate.config.section import Section, Spot
from tiergate.config.tree import ScalarNode, same
from tiergate.config.typed import Typed

Shown: TypeAlias = str | float | bool | tuple[str, ...] | None
"""What a row of the report can show."""

DEFAULT = "default"
"""The origin of a value that the file does not give."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """One setting as it acts.

    Attributes:
        path: Its main place in the file, such as `router_settings.num_retries`.
        value: What it resolved to, in words or figures; secrets are masked.
        origin: `file:line`, `environment NAME`, or `default`.
    """

    path: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Sections:
    """The top of the file and its three sections of settings."""

    top: Section
    router: Section
    litellm: Section
    general: Section

    @staticmethod
    def of(top: Section, findings: Findings) -> Sections:
        """Open the sections; one that is missing or of a wrong shape is empty."""
        return Sections(
            top,
            top.section("router_settings", findings),
            top.section("litellm_settings", findings),
            top.section("general_settings", findings),
        )


@dataclass(frozen=True, slots=True)
class Reader:
    """Findings, typed readers, and the rows of the report."""

    findings: Findings
    typed: Typed
    rows: list[Resolved] = field(default_factory=list[Resolved])

    def pick(self, key: str, *places: Section) -> Spot | None:
        """Return the value of a setting that may stand in several sections.

        The first place wins where the values are the same. Two values are an error.
        """
        found = [spot for spot in (place.take(key) for place in places) if spot is not None]
        if not found:
            return None
        first = found[0]
        for other in found[1:]:
            later, earlier = _in_order(first, other)
            if same(first.node, other.node):
                self.findings.notice(
                    "repeated-value",
                    later.at,
                    f"is given twice with the same value, also as {earlier.at.path} "
                    f"at {earlier.position}",
                )
            else:
                self.findings.error(
                    "conflicting-values",
                    later.at,
                    f"has another value than {earlier.at.path} at {earlier.position}",
                    "Keep one of the two.",
                )
        return first

    def show(self, path: str, value: Shown, spot: Spot | None, *, text: str = "") -> None:
        """Add a row to the report.

        Args:
            path: The setting's main place.
            value: What it resolved to; None shows as `none`, a float without needless zeros.
            spot: Where it was given; None for a default.
            text: What to show instead of `value`.
        """
        self.rows.append(Resolved(path, text or show_value(value), origin_of(spot)))


def _in_order(first: Spot, second: Spot) -> tuple[Spot, Spot]:
    """Return the one that stands later in its file, and the other."""
    later_first = first.position.file == second.position.file and (
        first.position.line > second.position.line
    )
    return (first, second) if later_first else (second, first)


def origin_of(spot: Spot | None) -> str:
    """Return where a value came from."""
    if spot is None:
        return DEFAULT
    if isinstance(spot.node, ScalarNode) and spot.node.reference is not None:
        return f"{spot.position}, environment {spot.node.reference}"
    return str(spot.position)


def show_value(value: Shown) -> str:
    """Return a value for people: `none`, `true`, `30`, `0.5`, or the text."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return str(value)
