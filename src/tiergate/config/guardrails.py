"""Refuses files that ask for guardrails: starting without them would leave calls unchecked.

Guardrails themselves are not read yet; whoever asks for a check must not be served without it.
"""

from __future__ import annotations

from collections.abc import Iterable

from tiergate.config.findings import Findings
from tiergate.config.reading import Sections
from tiergate.config.section import Section, Spot
from tiergate.config.tree import ListNode


def refuse_guardrails(top: Section, sections: Sections, findings: Findings) -> None:
    """Add an error for each place that asks for guardrails."""
    for spot in _asked(top, sections):
        findings.error(
            "guardrails-not-acting",
            spot.at,
            "guardrails do not act yet, and a gateway that starts without the checks that its "
            "file asks for is open",
            "Take the section out to serve without checks, or check in front of the gateway.",
        )


def _asked(top: Section, sections: Sections) -> Iterable[Spot]:
    for section in (top, sections.litellm):
        spot = section.take("guardrails")
        if spot is not None and not spot.empty and not _is_empty_list(spot):
            yield spot


def _is_empty_list(spot: Spot) -> bool:
    return isinstance(spot.node, ListNode) and not spot.node.items
