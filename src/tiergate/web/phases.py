"""Apply what the phase of the work says to a request: the alias of `auto`, and token limits.

The policy was resolved before (`core.phases`); here it changes the request as it was read, so that
what is held, counted and sent is the same. Every change is noted for the trail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import AliasName, Dialect, Operation
from tiergate.core.auto import Auto
from tiergate.core.phases import AUTO, PhasePolicy, TooLong, WorkPolicy
from tiergate.core.tags import RequestTags
from tiergate.core.trail import Noted
from tiergate.core.turns import cut_order
from tiergate.ports import Inbound
from tiergate.web.prompts import countable, role_of
from tiergate.wire.members import Members, encode

Count = Callable[[JsonObject, str], int]
"""Counts a Messages request: decoded body and model in, tokens out, erring upward."""

_RAW_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_LIMIT_NAMES = ("max_completion_tokens", "max_tokens")
_WRITTEN = (Operation.CHAT, Operation.COMPLETION)
_LEAST_THINKING = 1024
"""Anthropic, "Extended thinking": the least `budget_tokens`, which must stay below max_tokens."""


@dataclass(frozen=True, slots=True)
class OutputLimit:
    """How an answer of an alias is limited where the request itself sets no limit.

    Attributes:
        name: `max_tokens`, or OpenAI's newer `max_completion_tokens`.
        most: What the alias's deployments are limited to anyway, tokens; None where unknown.
    """

    name: str = "max_tokens"
    most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What the phases mean for one configuration.

    Attributes:
        policy: What the file says.
        auto: Chooses the alias of `auto`; None where nobody may ask for it.
        count: Counts prompts.
        limits: How answers of each alias are limited.
        models: The model by whose tokens the prompts of each alias are counted.
    """

    policy: WorkPolicy
    auto: Auto | None
    count: Count
    limits: Mapping[AliasName, OutputLimit]
    models: Mapping[AliasName, str]

    def apply(self, inbound: Inbound, tags: RequestTags) -> tuple[Noted, ...]:
        """Change a request as its phase demands; return what was decided.

        Raises:
            Refused: 400, when `auto` means no alias, or the prompt is too long.
        """
        notes: list[Noted] = []
        phase = inbound.purpose.phase
        if self.auto is not None and inbound.alias == AUTO:
            chosen = self.auto.choose(phase, tags, inbound.caller.aliases)
            inbound.alias = chosen.alias
            notes.append(Noted(chosen.why))
        limits = self.policy.phase(phase)
        if limits is not None and inbound.operation is not Operation.COUNT_TOKENS:
            notes += self._shorten(inbound, limits)
            notes += self._clamp(inbound, limits)
        return tuple(notes)

    # ------------------------------------------------------------------ the answer

    def _clamp(self, inbound: Inbound, phase: PhasePolicy) -> list[Noted]:
        """Lower the request's limit of the answer, or set one."""
        most = phase.max_output
        if most is None or inbound.operation not in _WRITTEN:
            return []
        members = inbound.members
        changed: dict[str, bytes] = {}
        notes: list[Noted] = []
        given = _limits_of(inbound)
        for name, value in given.items():
            if value > most:
                changed[name] = b"%d" % most
                notes.append(Noted(f"phase {phase.name}: {name} {value} -> {most}"))
        if not given:
            own = self.limits.get(inbound.alias, OutputLimit())
            newer = inbound.dialect is Dialect.OPENAI and inbound.operation is Operation.CHAT
            name = own.name if newer else "max_tokens"
            limit = most if own.most is None else min(most, own.most)
            changed[name] = b"%d" % limit
            notes.append(Noted(f"phase {phase.name}: {name} {limit}"))
        if thinking := _less_thinking(members, most, phase):
            changed["thinking"] = thinking
            notes.append(Noted(f"phase {phase.name}: less thinking"))
        if changed:
            empty = [name for name in _LIMIT_NAMES if name in members and name not in given]
            inbound.members = Members.read(
                members.edit(changed, [name for name in empty if name not in changed])
            )
        return notes

    # ------------------------------------------------------------------ the prompt

    def _shorten(self, inbound: Inbound, phase: PhasePolicy) -> list[Noted]:
        """Check the length of the prompt; cut the oldest turns where the policy says so."""
        most = phase.max_input
        if most is None:
            return []
        members = inbound.members
        body: JsonObject = {name: members.get(name) for name in members.names()}
        found = self._count(inbound, body)
        if found <= most:
            return []
        cut = self.policy.too_long is TooLong.TRUNCATE_OLDEST
        if not cut or inbound.operation is not Operation.CHAT:
            raise _too_long(phase, found, most)
        return [self._cut(inbound, body, phase, found, most)]

    def _cut(
        self, inbound: Inbound, body: JsonObject, phase: PhasePolicy, found: int, most: int
    ) -> Noted:
        """Leave the oldest turns out of a conversation; what stays, stays byte for byte."""
        messages = body.get("messages")
        if not isinstance(messages, list):
            raise _too_long(phase, found, most)
        gone: set[int] = set()
        left = found
        for group in cut_order([role_of(each, inbound.dialect) for each in messages]):
            gone.update(group)
            left -= self._weight(inbound, [messages[index] for index in group])
            if left > most:
                continue
            kept = [each for index, each in enumerate(messages) if index not in gone]
            left = self._count(inbound, {**body, "messages": kept})
            if left <= most:
                break
        if left > most:
            raise _too_long(phase, left, most, after_cut=len(gone))
        raws = _RAW_LIST.decode(inbound.members.raw("messages") or b"[]")
        kept_raws = b",".join(bytes(raw) for i, raw in enumerate(raws) if i not in gone)
        inbound.members = Members.read(inbound.members.edit({"messages": b"[%b]" % kept_raws}))
        return Noted(
            f"phase {phase.name}: {len(gone)} oldest messages cut ({found} -> {left} tokens)"
        )

    def _count(self, inbound: Inbound, body: JsonObject) -> int:
        shape = countable(body, inbound.dialect, inbound.operation)
        return self.count(shape, self.models.get(inbound.alias, ""))

    def _weight(self, inbound: Inbound, messages: list[Json]) -> int:
        """Return what some messages add to a prompt."""
        empty = self._count(inbound, {"messages": []})
        return self._count(inbound, {"messages": messages}) - empty


def _limits_of(inbound: Inbound) -> dict[str, int]:
    """Return the limits of the answer that the request sets, by member."""
    found: dict[str, int] = {}
    for name in _LIMIT_NAMES:
        value = inbound.members.get(name) if name in inbound.members else None
        if isinstance(value, int) and not isinstance(value, bool):
            found[name] = value
    return found


def _less_thinking(members: Members, most: int, phase: PhasePolicy) -> bytes:
    """Return the thinking that fits into the answer; empty where nothing has to change.

    Raises:
        Refused: 400, when no thinking fits.
    """
    thinking = members.get("thinking") if "thinking" in members else None
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    if not isinstance(thinking, dict) or not isinstance(budget, int) or budget < most:
        return b""
    if most <= _LEAST_THINKING:
        raise Refused(
            400,
            f"The phase `{phase.name}` allows answers of {most} tokens "
            f"(llmOps.tokenPolicy.maxOutputByPhase), and thinking takes {_LEAST_THINKING} or "
            "more. Leave `thinking` out, or send another phase.",
            code="invalid_value",
            param="thinking.budget_tokens",
        )
    return encode({**thinking, "budget_tokens": max(_LEAST_THINKING, most // 2)})


def _too_long(phase: PhasePolicy, found: int, most: int, *, after_cut: int = 0) -> Refused:
    """Make the refusal of a long prompt, in the words by which agents know to compact it."""
    cut = f" after {after_cut} of the oldest messages were left out" if after_cut else ""
    return Refused(
        400,
        f"prompt is too long: {found} tokens > {most} maximum{cut}. The phase `{phase.name}` "
        f"allows prompts of {most} tokens (llmOps.tokenPolicy.maxInputByPhase). Shorten the "
        "conversation, or send another phase.",
        code="context_length_exceeded",
        param="messages",
        details=(("prompt_tokens", found), ("max_prompt_tokens", most), ("phase", phase.name)),
    )
