"""Checks of the ways a call can take: rings of fallbacks, switched-off aliases, tags, time."""

from __future__ import annotations

from typing import Final

from tiergate.base.values import AliasName
from tiergate.config.chains import CHAIN_KEYS, Rule
from tiergate.config.checks.subject import Subject
from tiergate.config.deployment import ModelEntry
from tiergate.core.catalog import ChainKind
from tiergate.core.rings import shortest_ring

LONG_ANSWER_SECONDS: Final = 120.0
"""What a long plain answer takes: 8,000 tokens at 70 tokens a second."""

_MOST_RINGS: Final = 5


def check_paths(subject: Subject) -> None:
    """Look at fallback rings, deployments that are off, idle tags, and the time limit."""
    for kind in ChainKind:
        _rings(kind, [rule for rule in subject.routing.rules if rule.kind is kind], subject)
    _off(subject)
    _idle_tags(subject)
    _timeout(subject)


def _rings(kind: ChainKind, rules: list[Rule], subject: Subject) -> None:
    """Warn of rings such as cheap -> balanced -> cheap; each ring of aliases once."""
    edges = {rule.alias: rule.targets for rule in rules}
    seen: set[frozenset[AliasName]] = set()
    for rule in rules:
        ring = shortest_ring(rule.alias, edges)
        if not ring or frozenset(ring) in seen or len(seen) >= _MOST_RINGS:
            continue
        seen.add(frozenset(ring))
        subject.findings.warning(
            "fallback-cycle",
            rule.at,
            f"the {CHAIN_KEYS[kind]} form a cycle: {' -> '.join((*ring, ring[0]))}",
            "A call tries each alias once, so it ends; remove one step if this is not meant.",
        )


def _off(subject: Subject) -> None:
    serving = {e.deployment.alias for e in subject.entries if e.deployment.off is None}
    for entry in subject.entries:
        made = entry.deployment
        if made.off is None:
            continue
        alone = "" if made.alias in serving else f'; nothing serves "{made.alias}" then'
        subject.findings.warning(
            "deployment-off",
            entry.at,
            f'a deployment of "{made.alias}" is off: {made.off}{alone}',
            "Set TIERGATE_ENVIRONMENT, or use other names, which constrain requests by tag.",
        )


def _idle_tags(subject: Subject) -> None:
    if subject.routing.policy.tag_filtering:
        return
    tagged = [entry for entry in subject.entries if entry.deployment.tags]
    if tagged:
        subject.findings.warning(
            "idle-tags",
            tagged[0].at,
            f"has tags ({', '.join(tagged[0].deployment.tags)}), and tag filtering is off",
            "Write router_settings.enable_tag_filtering: true.",
        )


def _timeout(subject: Subject) -> None:
    spot = subject.routing.timeout
    policy = subject.routing.policy
    if spot is None or policy.request_timeout >= LONG_ANSWER_SECONDS:
        return
    bound = [e for e in subject.entries if _bound_by_request_timeout(e)]
    if policy.stream_timeout is not None or not bound:
        return
    subject.findings.warning(
        "short-timeout",
        spot.at,
        f"{policy.request_timeout:g} seconds end a plain call with all its attempts, and long "
        "answers take minutes; for streams they bound the time to the first content",
        "Stream long answers and set stream_timeout for the silence between events, or give "
        "slow deployments a timeout.",
    )


def _bound_by_request_timeout(entry: ModelEntry) -> bool:
    return entry.deployment.off is None and entry.deployment.timeout is None
