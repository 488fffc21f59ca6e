"""Reads what a request about fallback routes asks for; what is not understood is a 422.

The fields are LiteLLM's (`model`, `fallback_models`, `fallback_type`) and ours beside them. An
unknown field is refused by name: a misspelt `expires_in` would make a hotfix last for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.core.catalog import ChainKind
from tiergate.pipeline.fallback_book import By
from tiergate.web.admin import Asked

AUTHOR_HEADER = "litellm-changed-by"
"""LiteLLM's header for the person on whose behalf a key is used."""

LONGEST_NOTE = 500
LONGEST_NAME = 256

Seconds = Callable[[str], float]
"""Reads a length of time such as `2h`; raises ValueError."""

_PUT = ("model", "fallback_models", "fallback_type", "expires_in", "note", "allow_cycle")
_REMOVE = ("fallback_type", "origin", "expires_in", "note")


@dataclass(frozen=True, slots=True)
class PutAsk:
    """A route to set."""

    kind: ChainKind
    model: str
    targets: tuple[str, ...]
    by: By
    allow_ring: bool


@dataclass(frozen=True, slots=True)
class RemoveAsk:
    """A route to remove; `restore`: only what was set at run time is taken back."""

    kind: ChainKind
    by: By
    restore: bool


def read_put(asked: Asked, seconds: Seconds) -> PutAsk:
    """Return the route that a body asks to set.

    Raises:
        Refused: 422, naming the field.
    """
    body = asked.body
    _only(body, _PUT)
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise malformed("model", "is required: the alias that the route leads away from.")
    allow = body.get("allow_cycle", False)
    if not isinstance(allow, bool):
        raise malformed("allow_cycle", "must be true or false.")
    return PutAsk(
        kind=read_kind(body.get("fallback_type")),
        model=model,
        targets=_targets(body),
        by=_by(asked, body, seconds),
        allow_ring=allow,
    )


def read_remove(asked: Asked, seconds: Seconds) -> RemoveAsk:
    """Return what a removal asks for; its fields stand in the query or in the body.

    Raises:
        Refused: 422, naming the field.
    """
    fields: JsonObject = {**asked.body, **asked.query}
    _only(fields, _REMOVE)
    origin = fields.get("origin")
    if origin not in (None, "runtime"):
        raise malformed("origin", "can be `runtime`: take back what was set at run time.")
    by = _by(asked, fields, seconds)
    if origin is not None and by.seconds is not None:
        raise malformed("expires_in", "has no meaning with origin=runtime.")
    return RemoveAsk(read_kind(fields.get("fallback_type")), by, origin is not None)


def read_kind(value: Json) -> ChainKind:
    """Return the kind of a route; `general` where nothing is said.

    Raises:
        Refused: 422.
    """
    if value is None:
        return ChainKind.GENERAL
    for kind in ChainKind:
        if value == kind.value:
            return kind
    known = ", ".join(kind.value for kind in ChainKind)
    raise malformed("fallback_type", f"must be one of {known}.")


def optional_kind(query: Mapping[str, str]) -> ChainKind | None:
    """Return the kind that a query asks for; None for all."""
    return read_kind(query["fallback_type"]) if "fallback_type" in query else None


def malformed(field: str, why: str) -> Refused:
    """Make the 422 of a field that is not understood."""
    return Refused(422, f"`{field}` {why}", code="invalid_value", param=field)


def _targets(body: JsonObject) -> tuple[str, ...]:
    value = body.get("fallback_models")
    if not isinstance(value, list):
        raise malformed("fallback_models", "is required: a list of aliases, tried in order.")
    names = [name for name in value if isinstance(name, str) and name]
    if len(names) != len(value):
        raise malformed("fallback_models", "must be a list of aliases: texts that are not empty.")
    return tuple(names)


def _by(asked: Asked, fields: Mapping[str, Json], seconds: Seconds) -> By:
    note = fields.get("note")
    if note is None:
        note = ""
    if not isinstance(note, str) or not _plain(note, LONGEST_NOTE):
        raise malformed("note", f"must be a text of at most {LONGEST_NOTE} printable characters.")
    author = asked.headers.get(AUTHOR_HEADER, "").strip()
    if not _plain(author, LONGEST_NAME):
        raise Refused(
            422,
            f"The header {AUTHOR_HEADER} must be at most {LONGEST_NAME} printable characters.",
            code="invalid_value",
            param=AUTHOR_HEADER,
        )
    name = asked.caller.name
    return By(
        author=author or name,
        key=name,
        note=note.strip(),
        seconds=_length(fields.get("expires_in"), seconds),
    )


def _length(value: Json, seconds: Seconds) -> float | None:
    """Return seconds; None where nothing is said."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise malformed("expires_in", _TIME)
    try:
        length = seconds(value if isinstance(value, str) else format(value, "f"))
    except ValueError as exc:
        raise malformed("expires_in", f"{exc}. It {_TIME}") from None
    if length <= 0:
        raise malformed("expires_in", "must be more than 0 seconds.")
    return length


_TIME = "must be a number of seconds, or a text such as 30min, 2h or 1d."


def _only(fields: Iterable[str], known: tuple[str, ...]) -> None:
    for name in fields:
        if name not in known:
            raise malformed(name[:40], f"is not known here; send {', '.join(known)}.")


def _plain(text: str, longest: int) -> bool:
    return len(text) <= longest and text.isprintable()
