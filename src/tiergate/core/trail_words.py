"""Says a compact trail in sentences: the answer to "why did this go to balanced?".

The compact trail (`core.trail.compact`) is what the ledger keeps of a request's decisions. A part
that is not known, or was cut off, is shown as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from tiergate.base.errors import FailureClass
from tiergate.core.routing import Why
from tiergate.core.trail import LONGEST_TEXT, SEPARATOR


class Mood(Enum):
    """What a step of a trail was."""

    ANSWERED = "answered"
    FAILED = "failed"
    PASSED_OVER = "passed over"
    WENT_ON = "went on"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a trail in a sentence."""

    mood: Mood
    text: str


NO_NAMES: Final[Mapping[str, str]] = MappingProxyType({})

_FAILURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        FailureClass.CONNECTION.value: "no connection, or one that broke",
        FailureClass.TIMEOUT.value: "it took too long",
        FailureClass.CALLER_TIMEOUT.value: "the caller's own time limit passed",
        FailureClass.RATE_LIMIT.value: "the provider's rate limit",
        FailureClass.UPSTREAM.value: "a fault of the provider",
        FailureClass.CONFLICT.value: "a conflict at the provider",
        FailureClass.CREDENTIALS.value: "the provider did not accept the gateway's key",
        FailureClass.NOT_FOUND.value: "the provider does not know this model",
        FailureClass.CONTEXT_WINDOW.value: "the prompt is longer than the model takes",
        FailureClass.CONTENT_POLICY.value: "the provider refused for safety reasons",
        FailureClass.BAD_REQUEST.value: "the request itself is wrong",
        FailureClass.UNTRANSLATABLE.value: "its protocol cannot say what the request says",
        FailureClass.BUDGET.value: "a budget is used up, and nothing was sent",
        FailureClass.CANCELLED.value: "the caller left",
    }
)
_REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Why.OFF.value: "is switched off",
        Why.ENVIRONMENT.value: "is not for the request's environment",
        Why.TAGS.value: "does not have the request's tags",
        Why.BUDGET.value: "has no budget left",
        Why.DEARER.value: "costs more than the alias whose budget is used up",
        Why.COOLING.value: "is cooling down after failures",
        Why.PROBING.value: "is being probed after a cooldown",
        Why.LIMIT.value: "is at its rate limit in this minute",
    }
)
_CHAINS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "general": "The fallback chain for failures begins.",
        "context_window": "The fallback chain for prompts that are too long begins.",
        "content_policy": "The fallback chain for refusals begins.",
        "budget": "The fallback chain for used-up budgets begins.",
        "no": "There is no fallback chain for this failure.",
    }
)

_TRIED = re.compile(
    r"(?P<alias>[^/]*)/(?P<to>.+?) (?P<end>ok|\d{3} [a-z_]+)(?: \(not (?P<not>.*)\))?"
)
_WAITED = re.compile(r"wait (?P<seconds>[\d.]+)s(?P<told> as told)?")
_CHAIN = re.compile(r"(?P<kind>[a-z_]+) chain")
_SKIPPED = re.compile(r"(?P<alias>.+) skipped \((?P<why>.*)\)")
_DRILLED = re.compile(r"(?P<alias>.+) failed by a (?P<kind>[a-z_]+) drill")
_LOST = re.compile(r"lost (?P<tokens>\d+) cached tokens at (?P<at>.+?)(?:, (?P<usd>[\d.]+) USD)?")

_PLAIN: Final[Mapping[str, Step]] = MappingProxyType(
    {
        "gave up": Step(Mood.FAILED, "Nobody was left to ask: the request was given up."),
        "response cache": Step(
            Mood.ANSWERED, "The response cache had this very answer; no provider was called."
        ),
        "semantic cache": Step(
            Mood.ANSWERED,
            "The semantic cache had the answer to a question of the same meaning; no provider "
            "was called.",
        ),
    }
)


def in_words(why: str, names: Mapping[str, str] = NO_NAMES) -> tuple[Step, ...]:
    """Return a compact trail as sentences, in its order.

    Args:
        why: The compact trail; an empty one has no steps.
        names: What deployments are called for people, by id; others are called by their id.
    """
    steps: list[Step] = []
    for part in why.split(SEPARATOR) if why else ():
        steps.extend(_said(part, names))
    if len(why) >= LONGEST_TEXT and why.endswith("..."):
        steps.append(Step(Mood.WENT_ON, "The rest was too long to be kept."))
    return tuple(steps)


def failure_words(kind: str) -> str:
    """Return a class of failure in words; one that is not known as it is."""
    return _FAILURES.get(kind, kind)


def _said(part: str, names: Mapping[str, str]) -> tuple[Step, ...]:
    plain = _PLAIN.get(part)
    if plain is not None:
        return (plain,)
    for form, say in _FORMS:
        found = form.fullmatch(part)
        if found is not None:
            return say(found, names)
    return (Step(Mood.WENT_ON, f"{part[:1].upper()}{part[1:]}."),)


def _tried(found: re.Match[str], names: Mapping[str, str]) -> tuple[Step, ...]:
    passed = _exclusions(found["not"], names) if found["not"] else ()
    who = _name(found["to"], names)
    if found["end"] == "ok":
        return (*passed, Step(Mood.ANSWERED, f"{who} answered for {found['alias']}."))
    status, _, kind = found["end"].partition(" ")
    why = failure_words(kind)
    said = f"{who} was asked for {found['alias']} and failed with {status}: {why}."
    return (*passed, Step(Mood.FAILED, said))


def _exclusions(text: str, names: Mapping[str, str]) -> tuple[Step, ...]:
    """Say who was passed over, and why: of `dep-a cooling, dep-b tags`."""
    steps: list[Step] = []
    for each in text.split(", "):
        deployment, _, why = each.rpartition(" ")
        reason = _REASONS.get(why, why)
        steps.append(
            Step(Mood.PASSED_OVER, f"{_name(deployment, names)} was passed over: it {reason}.")
            if deployment
            else Step(Mood.PASSED_OVER, each)
        )
    return tuple(steps)


def _waited(found: re.Match[str], names: Mapping[str, str]) -> tuple[Step, ...]:
    del names
    seconds = float(found["seconds"])
    told = ", as the provider had asked" if found["told"] else " before the next attempt"
    return (Step(Mood.WENT_ON, f"The gateway waited {seconds:g} s{told}."),)


def _chain(found: re.Match[str], names: Mapping[str, str]) -> tuple[Step, ...]:
    del names
    kind = found["kind"]
    mood = Mood.FAILED if kind == "no" else Mood.WENT_ON
    return (Step(mood, _CHAINS.get(kind, f"The {kind} chain begins.")),)


def _skipped(found: re.Match[str], names: Mapping[str, str]) -> tuple[Step, ...]:
    alias, why = found["alias"], found["why"]
    if why == "no such alias":
        return (Step(Mood.PASSED_OVER, f"{alias} was skipped: there is no such alias."),)
    if why == "not for this key":
        return (Step(Mood.PASSED_OVER, f"{alias} was skipped: the key may not use it."),)
    head = Step(Mood.PASSED_OVER, f"{alias} was skipped: nobody could serve there.")
    return (head, *_exclusions(why, names))


def _drilled(found: re.Match[str], names: Mapping[str, str]) -> tuple[Step, ...]:
    del names
    alias, kind = found["alias"], found["kind"].replace("_", " ")
    return (
        Step(
            Mood.FAILED, f"{alias} was made to fail by a drill ({kind}), as the request had asked."
        ),
    )


def _lost(found: re.Match[str], names: Mapping[str, str]) -> tuple[Step, ...]:
    cost = f", which cost {found['usd']} USD more" if found["usd"] else ""
    where = _name(found["at"], names)
    return (
        Step(
            Mood.WENT_ON,
            f"{int(found['tokens']):,} tokens were warm in the prompt cache of {where} and were "
            f"read anew elsewhere{cost}.",
        ),
    )


_FORMS: Final[
    tuple[
        tuple[re.Pattern[str], Callable[[re.Match[str], Mapping[str, str]], tuple[Step, ...]]], ...
    ]
] = (
    (_LOST, _lost),
    (_WAITED, _waited),
    (_DRILLED, _drilled),
    (_SKIPPED, _skipped),
    (_TRIED, _tried),
    (_CHAIN, _chain),
)


def _name(deployment: str, names: Mapping[str, str]) -> str:
    known = names.get(deployment)
    return f"{known} ({deployment})" if known else deployment
