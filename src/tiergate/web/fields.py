"""The request fields that everybody knows, with their types; checked in one pass over the bytes.

Fields that are not listed are not looked at: they belong to the caller's dialect, or to whoever
understands them.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

import msgspec

from tiergate.base.errors import Refused
from tiergate.base.values import Dialect, Operation
from tiergate.wire.members import BodyError, Members

_Object: TypeAlias = dict[str, Any]
"""A decoded object. The decoder cannot resolve the recursive `JsonObject`."""
_WHERE = re.compile(
    r"Expected `(?P<wanted>[^`]+)`, got `(?P<got>[^`]+)`(?: - at `\$(?P<at>[^`]*)`)?"
)
_NAMES = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


class Fields(msgspec.Struct):
    """What both dialects share."""

    model: str | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    metadata: _Object | None = None

    @property
    def includes_usage(self) -> bool:
        """Whether the caller asked for a usage chunk; Anthropic's streams always have one."""
        return False

    @property
    def output(self) -> tuple[int | None, int]:
        """The most tokens of one answer, None where there is no limit, and how many answers."""
        return self.max_tokens, 1

    @property
    def end_user(self) -> str | None:
        """Who the caller says is asking."""
        user: object = self.metadata.get("user_id") if self.metadata else None
        return user if isinstance(user, str) else None


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class OpenAIFields(Fields):
    """The fields of chat, completion and embedding requests."""

    stream_options: _StreamOptions | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    tool_choice: str | _Object | None = None
    response_format: _Object | None = None
    parallel_tool_calls: bool | None = None
    logprobs: bool | int | None = None
    top_logprobs: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: _Object | None = None
    user: str | None = None
    reasoning_effort: str | None = None

    @property
    def includes_usage(self) -> bool:
        """Whether the caller asked for a usage chunk."""
        options = self.stream_options
        return options is not None and options.include_usage is True

    @property
    def output(self) -> tuple[int | None, int]:
        """See `Fields.output`; where both limits are given the larger one counts."""
        limit, newer = self.max_tokens, self.max_completion_tokens
        if newer is not None and (limit is None or newer > limit):
            limit = newer
        return limit, max(1, self.n or 1)

    @property
    def end_user(self) -> str | None:
        """Who the caller says is asking."""
        return self.user


class AnthropicFields(Fields):
    """The fields of Messages requests."""

    top_k: int | None = None
    stop_sequences: list[str] | None = None
    tool_choice: _Object | None = None
    thinking: _Object | None = None
    output_config: _Object | None = None


_OPENAI = msgspec.json.Decoder(OpenAIFields)
_ANTHROPIC = msgspec.json.Decoder(AnthropicFields)


_BULKY = ("messages", "tools", "system", "prompt", "input", "functions")
"""Members that make a body large; of these only the beginning is looked at."""

_LARGE = 4096
"""Bytes above which the bulky members are taken out before the others are decoded."""


def read_fields(members: Members, dialect: Dialect, operation: Operation) -> Fields:
    """Check the known fields of a body.

    Raises:
        Refused: 400 that names the field, what it must be, and what came.
        BodyError: A string in a known field is broken.
    """
    body = members.body
    if len(body) > _LARGE:
        body = members.edit({}, _BULKY)
    fields: AnthropicFields | OpenAIFields
    try:
        if dialect is Dialect.ANTHROPIC:
            fields = _ANTHROPIC.decode(body)
            _check_start(members, "system", b'"[', "a string or a list")
        else:
            fields = _OPENAI.decode(body)
    except msgspec.ValidationError as exc:
        raise _wrong_type(str(exc)) from None
    except msgspec.DecodeError as exc:
        raise BodyError(f"The request body is not valid JSON: {exc}.") from None
    except RecursionError:
        raise BodyError("The request body is nested too deeply.") from None
    _check_start(members, "tools", b"[", "a list")
    match operation:
        case Operation.CHAT | Operation.COUNT_TOKENS:
            _check_messages(members.begins("messages"))
        case Operation.COMPLETION:
            _check_start(members, "prompt", b'"[', "a string or a list", required=True)
        case Operation.EMBEDDING:
            _check_start(members, "input", b'"[', "a string or a list", required=True)
    return fields


def _check_messages(start: bytes) -> None:
    if not start or start == b"null":
        raise _missing("messages")
    if start[:1] != b"[" or not (start[1:].lstrip() or b"{").startswith(b"{"):
        raise Refused(
            400, "`messages` must be a list of message objects, at least one.", param="messages"
        )


def _check_start(
    members: Members, name: str, starts: bytes, what: str, *, required: bool = False
) -> None:
    """Check a value that is not decoded by its first byte."""
    start = members.begins(name)
    if not start or start == b"null":
        if required:
            raise _missing(name)
        return
    if start[0] not in starts:
        raise Refused(400, f"`{name}` must be {what}.", param=name, code="invalid_type")


def _missing(name: str) -> Refused:
    return Refused(400, f"`{name}` is required.", param=name, code="missing_parameter")


def _wrong_type(text: str) -> Refused:
    """Put the decoder's words into ours: which field, what it must be, what came."""
    found = _WHERE.match(text)
    if found is None:
        return Refused(400, f"The request body does not fit: {text}.", code="invalid_type")
    wanted = " or ".join(
        _NAMES.get(part, part) for part in found["wanted"].split(" | ") if part != "null"
    )
    field = (found["at"] or "").lstrip(".")
    name = re.split(r"[.\[]", field, maxsplit=1)[0]
    got = _NAMES.get(found["got"], found["got"])
    return Refused(
        400, f"`{field}` must be {wanted}, not {got}.", param=name or None, code="invalid_type"
    )
