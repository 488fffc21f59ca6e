"""Shows requests to guards before and beside their calls, and masks what must not be sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import msgspec

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import JsonObject
from tiergate.core.guard_plan import Stage
from tiergate.core.masking import Placeholders
from tiergate.pipeline.guard_checks import Checks, Installed
from tiergate.pipeline.guard_texts import Part, TokenPromptError, request_parts, rewritten
from tiergate.pipeline.guard_words import tokens_only
from tiergate.ports import Inbound
from tiergate.ports.guarding import Occasion
from tiergate.wire.members import BodyError, Members, encode

OWN_MEMBERS = frozenset({"model", "stream", "metadata", "litellm_metadata", "guardrails"})
"""Members that a class cannot change: who is called, and how, is decided already."""


@dataclass(slots=True)
class Asked:
    """One request and what guards have made of it.

    Attributes:
        inbound: As it goes on.
        parts: Its texts, as they go on.
        values: Masked values that are to be put back into the answer, by placeholder.
    """

    inbound: Inbound
    parts: list[Part]
    values: Mapping[str, str] = field(default_factory=dict[str, str])


def asked_of(inbound: Inbound, *, texts: bool) -> Asked:
    """Find the texts of a request.

    Args:
        inbound: The request.
        texts: Whether any guard looks at them.

    Raises:
        Refused: Its text cannot be read.
    """
    if not texts:
        return Asked(inbound, [])
    try:
        return Asked(inbound, request_parts(inbound.members))
    except TokenPromptError as exc:
        raise tokens_only(str(exc)) from None
    except BodyError as exc:
        raise Refused(400, str(exc), code="invalid_json") from None


def body_of(inbound: Inbound) -> JsonObject:
    """Return a request decoded, without what only speaks to the gateway."""
    body = cast("JsonObject", msgspec.json.decode(inbound.members.body))
    return {name: value for name, value in body.items() if name not in inbound.control}


async def before(
    checks: Checks, guards: Sequence[Installed], asked: Asked, occasion: Occasion
) -> Asked:
    """Let guards look at a request one after the other; each sees what those before it made.

    Raises:
        Refused: It must not be sent.
    """
    marks = Placeholders(part.passage.text for part in asked.parts)
    for each in guards:
        if each.call is not None:
            body = body_of(asked.inbound)
            found = await checks.run(each.plan, occasion, each.call.request(body, occasion))
            if found is not None:
                inbound = _with_body(asked.inbound, body_of(asked.inbound), found)
                asked = replace(asked_of(inbound, texts=bool(asked.parts)), values=marks.values)
            continue
        guard = each.guard
        restores = guard is not None and guard.restores

        def placeholder(kind: str, value: str, *, restored: bool = restores) -> str:
            return marks.of(kind, value, restored=restored)

        looked = await checks.look(each, asked.parts, occasion, placeholder)
        parts, texts = looked.applied(asked.parts)
        if texts:
            body_bytes = rewritten(asked.inbound.members.body, asked.parts, texts)
            asked = Asked(_with_members(asked.inbound, Members.read(body_bytes)), parts)
    return replace(asked, values=marks.values)


async def beside(
    checks: Checks, guards: Sequence[Installed], asked: Asked, occasion: Occasion
) -> None:
    """Let guards look at a request that is being called.

    What they would mask has been sent, so a finding to be masked stops the call here.

    Raises:
        Refused: The answer must not be shown.
    """
    for each in guards:
        if each.call is not None:
            work = each.call.beside(body_of(asked.inbound), occasion)
            await checks.run(each.plan, occasion, work)
            continue
        looked = await checks.look(each, asked.parts, occasion, _word)
        if looked.spans or looked.texts:
            raise checks.stop(each.plan, occasion, looked.kinds, "")


def later_stage(occasion: Occasion, stage: Stage) -> Occasion:
    """Return the same call at another stage."""
    return replace(occasion, stage=stage)


def _word(kind: str, value: str) -> str:
    del value
    return kind


def _with_members(inbound: Inbound, members: Members) -> Inbound:
    """Return a request with another body; what was read of the old one and holds still, stays."""
    output = inbound.output
    if output is not None:
        output = replace(output, members=members)
    return replace(inbound, members=members, output=output, note=None)


def _with_body(inbound: Inbound, old: JsonObject, new: JsonObject) -> Inbound:
    """Return a request with what a class has changed in its body."""
    changed: dict[str, bytes] = {}
    for name, value in new.items():
        if name not in OWN_MEMBERS and name not in inbound.control and old.get(name) != value:
            changed[name] = encode(value)
    gone = [name for name in old if name not in new and name not in OWN_MEMBERS]
    if not changed and not gone:
        return inbound
    return _with_members(inbound, Members.read(inbound.members.edit(changed, gone)))
