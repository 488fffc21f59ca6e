"""Reports what `llmOps` of `backlog.config.json` asks for and this gateway does not do, by name.

Three kinds: what a later release brings (caches, batches), what is the toolkit's own affair, and
what does not exist. Values are checked all the same, so that they are right when they act.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from tiergate.config.findings import Severity
from tiergate.config.reading import Reader
from tiergate.config.section import Section, Spot
from tiergate.config.suggest import did_you_mean
from tiergate.config.tree import MapNode, ScalarNode


class Fate(Enum):
    """What becomes of a key that does not act."""

    LATER_BATCH = "batches come with a later release; until then every call is made at once"
    TOOLKIT = "it is the toolkit's own affair"


class Form(Enum):
    """What a value looks like."""

    FLAG = "flag"
    WHOLE = "whole"
    NUMBER = "number"
    TEXT = "text"
    ANY = "any"
    MAP = "map"


@dataclass(frozen=True, slots=True)
class Idle:
    """A key that does not act."""

    form: Form
    fate: Fate


_BATCH: Final = Fate.LATER_BATCH
_OWN: Final = Fate.TOOLKIT

IDLE: Final[Mapping[tuple[str, ...], Idle]] = MappingProxyType(
    {
        ("registry",): Idle(Form.MAP, _OWN),
        ("registry", "source"): Idle(Form.TEXT, _OWN),
        ("registry", "path"): Idle(Form.TEXT, _OWN),
        ("registry", "refreshCommand"): Idle(Form.TEXT, _OWN),
        ("cachePolicy",): Idle(Form.MAP, _OWN),
        ("cachePolicy", "warnBelowHitRate"): Idle(Form.NUMBER, _OWN),
        ("cachePolicy", "sessionMaxWaves"): Idle(Form.WHOLE, _OWN),
        ("batchPolicy",): Idle(Form.MAP, _BATCH),
        ("batchPolicy", "enabled"): Idle(Form.FLAG, _BATCH),
        ("batchPolicy", "eligiblePhases"): Idle(Form.ANY, _BATCH),
        ("batchPolicy", "forceBatchWhenQueueOver"): Idle(Form.WHOLE, _OWN),
        ("batchPolicy", "maxConcurrentBatchJobs"): Idle(Form.WHOLE, _OWN),
        ("batchPolicy", "retryPolicy"): Idle(Form.ANY, _OWN),
        ("ragPolicy",): Idle(Form.ANY, _OWN),
    }
)
"""Every key of the toolkit's contract (version 1.1) that does not act, by its path in `llmOps`."""

_TOLD_WHOLE: Final = frozenset({("batchPolicy",)})
"""Parts of which one sentence tells."""

ACTING: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "registry": ("strictMode",),
        "cachePolicy": (
            "responseCache",
            "semanticCache",
            "providerPromptCaching",
            "stablePrefixMinTokens",
        ),
        "gateway": ("baseURL", "apiKeyEnv", "requireEscalationReason"),
        "routing": ("entryModel", "escalationModel", "maxEscalationsPerTicket"),
        "tokenPolicy": ("maxInputByPhase", "maxOutputByPhase", "contextWindowStrategy"),
    }
)
"""The keys that act, by section; beside them `entryModel...` for each phase."""


def say_idle(ops: Section, reader: Reader) -> None:
    """Report everything under `llmOps` that does not act."""
    _strict_mode(ops, reader)
    for spot in ops.all():
        told = spot.key in ACTING  # where such a section is no object, its reader has said so
        if not told or ((spot.key,) in IDLE and isinstance(spot.node, MapNode)):
            _say(spot, reader, skip=ACTING.get(spot.key, ()))


def say_unknown(spot: Spot, reader: Reader, known: tuple[str, ...]) -> None:
    """Report a key that does not exist, with the one that was probably meant."""
    advice = did_you_mean(spot.key, known) or f"Known here are {', '.join(sorted(known))}."
    reader.findings.mistake("unknown-key", spot.at, "unknown key", advice)


def _strict_mode(ops: Section, reader: Reader) -> None:
    strict = ops.section("registry", reader.findings).take("strictMode")
    if reader.typed.flag(strict) is False and strict is not None:
        reader.findings.warning(
            "no-effect",
            strict.at,
            "false does not act: callers name aliases only, always",
            "Add an alias to model_list for a model that is to be called by its own name.",
        )


def _say(spot: Spot, reader: Reader, *, skip: tuple[str, ...] = (), quiet: bool = False) -> None:
    """Report one key and what is inside it.

    Args:
        spot: The key with its value.
        reader: Where findings go.
        skip: Keys inside it that act.
        quiet: What is above it was reported, or is switched off, so this need not be.
    """
    path = _inside_ops(spot)
    idle = IDLE.get(path)
    if idle is None:
        say_unknown(spot, reader, _siblings(spot))
        return
    if idle.form is not Form.MAP:
        if _read(idle.form, spot, reader) not in (None, False) and not quiet:
            _report(idle.fate, spot, reader)
        return
    if not isinstance(spot.node, MapNode):
        reader.typed.refuse(spot, "an object")
        return
    quiet = quiet or _is_off(spot.node)
    if path in _TOLD_WHOLE and not quiet:
        _report(idle.fate, spot, reader)
        quiet = True
    for entry in spot.node.entries:
        if entry.key not in skip:
            _say(spot.inside(entry.key, entry.position, entry.node), reader, quiet=quiet)


def _report(fate: Fate, spot: Spot, reader: Reader) -> None:
    if fate is Fate.TOOLKIT:
        reader.findings.notice("no-effect", spot.at, f"has no effect here: {fate.value}")
    else:
        reader.findings.idle(
            Severity.WARNING, "not-acting-yet", spot.at, f"is not acting yet: {fate.value}"
        )


def _is_off(node: MapNode) -> bool:
    entry = node.get("enabled")
    return entry is not None and isinstance(entry.node, ScalarNode) and entry.node.value is False


def _read(form: Form, spot: Spot, reader: Reader) -> object:
    """Check a value; return it, or None where it is of a wrong type or nothing."""
    typed = reader.typed
    readers: Mapping[Form, Callable[[Spot], object]] = {
        Form.FLAG: typed.flag,
        Form.WHOLE: typed.whole,
        Form.NUMBER: typed.number,
        Form.TEXT: typed.text,
    }
    read = readers.get(form)
    return (None if spot.empty else True) if read is None else read(spot)


def _inside_ops(spot: Spot) -> tuple[str, ...]:
    return tuple(str(part) for part in spot.path[1:])


def _siblings(spot: Spot) -> tuple[str, ...]:
    """Return the keys that exist at a place."""
    above = _inside_ops(spot)[:-1]
    idle = [path[-1] for path in IDLE if path[:-1] == above]
    acting = ACTING.get(above[0], ()) if len(above) == 1 else () if above else tuple(ACTING)
    return tuple(dict.fromkeys((*idle, *acting)))
