"""Reads the words of a call from what was kept of it, for the sinks that get words.

Nothing is kept where no sink wants it; see `core.telling`. Everything here is done when a batch
is written down, not while a caller waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeAlias

import msgspec

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.core.record import CallRecord
from tiergate.core.telling import Telling
from tiergate.wire.members import BodyError, Members

Fold: TypeAlias = Callable[[CallRecord, bytes], bytes | None]
"""Puts the events of a whole stream together to a plain answer; None if that cannot be done."""

_ASKED: Final = ("messages", "prompt", "input")
_APART: Final = frozenset(
    {*_ASKED, "model", "stream", "metadata", "litellm_metadata", "system", "user", "tags", "cache"}
)
_NO_PARAMETERS: Mapping[str, msgspec.Raw] = MappingProxyType({})
_NO_METADATA: Mapping[str, Json] = MappingProxyType({})


@dataclass(slots=True)
class Words:
    """The words of a call.

    Attributes:
        asked: JSON text of the messages (system prompt first), of the prompt, or of the input.
        answer: JSON text of the plain answer in the caller's dialect; None where there is none.
        parameters: JSON text of the request's other members by name.
        metadata: The request's metadata.
    """

    asked: bytes | None = field(default=None, repr=False)
    answer: bytes | None = field(default=None, repr=False)
    parameters: Mapping[str, msgspec.Raw] = field(
        default_factory=lambda: _NO_PARAMETERS, repr=False
    )
    metadata: Mapping[str, Json] = field(default_factory=lambda: _NO_METADATA, repr=False)


NOTHING_SAID: Final = Words()


def words_of(record: CallRecord, fold: Fold) -> Words:
    """Return the words of a call, as far as its sinks may see them.

    Args:
        record: Of the call.
        fold: Puts streams together.
    """
    telling = record.telling
    if telling is None or telling.request is None:
        return NOTHING_SAID
    try:
        members = Members.read(telling.request)
        metadata = _metadata(members)
    except BodyError:  # what only decoding shows; the call was refused for it
        return NOTHING_SAID
    if telling.wordless:
        return Words(metadata=metadata)
    parameters = {
        name: msgspec.Raw(members.raw(name) or b"null")
        for name in members.names()
        if name not in _APART
    }
    return Words(_asked(members), _answer(record, telling, fold), parameters, metadata)


def _asked(members: Members) -> bytes | None:
    """Return what the model was asked; a system prompt that stands apart becomes a message."""
    found = next((raw for name in _ASKED if (raw := members.raw(name)) is not None), None)
    system = members.raw("system")
    if system is None or found is None or not found.startswith(b"["):
        return found
    rest = found[1:].lstrip()
    comma = b"" if rest.startswith(b"]") else b","
    return b'[{"role":"system","content":' + system + b"}" + comma + rest


def _answer(record: CallRecord, telling: Telling, fold: Fold) -> bytes | None:
    if telling.cut or not telling.pieces:
        return None
    whole = b"".join(telling.pieces)
    if not telling.streamed:
        return whole
    folded = fold(record, whole)
    if folded is not None:  # the next sink need not do it again
        telling.pieces, telling.streamed = [folded], False
    return folded


def _metadata(members: Members) -> JsonObject:
    """Return the metadata of the request; LiteLLM's own member adds to the provider's.

    Raises:
        BodyError: It cannot be decoded.
    """
    found: JsonObject = {}
    for name in ("metadata", "litellm_metadata"):
        value = members.get(name) if name in members else None
        if isinstance(value, dict):
            found.update(value)
    return found
