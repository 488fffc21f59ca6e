"""Reads which guards a request asks for: `guardrails` of the body, or of its metadata.

A request can add guards and never take one away. A name that there is not is refused: whoever
asks for a check must not be served without it.
"""

from __future__ import annotations

from collections.abc import Collection

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.core.guard_plan import unknown_names
from tiergate.pipeline.guard_words import UNKNOWN, unknown
from tiergate.wire.members import Members

_NAME = "guardrails"
_MOST = 100


def asked_guardrails(
    members: Members, metadata: JsonObject, known: Collection[str]
) -> tuple[str, ...]:
    """Return the guards that a request asks for.

    Args:
        members: The request.
        metadata: Its `metadata`.
        known: The names of all guards.

    Raises:
        Refused: 400; one of them is not there, or the list has another form.
    """
    found = _names(members.get(_NAME), _NAME) if _NAME in members else ()
    found += _names(metadata.get(_NAME), "metadata.guardrails")
    side = members.get("litellm_metadata") if "litellm_metadata" in members else None
    if isinstance(side, dict):
        found += _names(side.get(_NAME), "litellm_metadata.guardrails")
    if not found:
        return ()
    names = tuple(dict.fromkeys(found))
    missing = unknown_names(names, known)
    if missing:
        raise unknown(missing, tuple(known))
    return names


def _names(value: Json, where: str) -> tuple[str, ...]:
    """Return a list of names; LiteLLM's older form is an object of names and true."""
    match value:
        case None:
            return ()
        case str():
            return (value,)
        case dict():
            return _switched(value, where)
        case list() if len(value) <= _MOST:
            return tuple(name for each in value for name in _one(each, where))
        case _:
            raise _wrong(where)


def _one(value: Json, where: str) -> tuple[str, ...]:
    """Return the name of an entry of the list."""
    match value:
        case str():
            return (value,)
        case dict():
            # LiteLLM lets a request give parameters to a guard: `{NAME: {extra_body: ...}}`.
            if any(isinstance(inner, dict) and inner for inner in value.values()):
                raise Refused(
                    400,
                    f"`{where}` gives parameters to a guardrail; these are the configuration's. "
                    "Name the guardrail only.",
                    param=_NAME,
                    code=UNKNOWN,
                )
            return tuple(value)
        case _:
            raise _wrong(where)


def _switched(value: JsonObject, where: str) -> tuple[str, ...]:
    off = [name for name, on in value.items() if on is False]
    if off:
        raise Refused(
            400,
            f"`{where}` switches the guardrail {off[0][:100]} off, which a request cannot do. "
            "Leave it out: guardrails run for everybody, for a key, or where a request names "
            "them.",
            param=_NAME,
            code="guardrail_not_optional",
        )
    return tuple(value)


def _wrong(where: str) -> Refused:
    return Refused(
        400,
        f'`{where}` must be a list of at most {_MOST} names, such as ["pii"].',
        param=_NAME,
        code="invalid_type",
    )
