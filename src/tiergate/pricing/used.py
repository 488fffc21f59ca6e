"""What a call has used: what the provider told, and our own count where it told nothing.

A host may leave `usage` out, a stream may break or be left by its caller before its usage comes.
Then the prompt is counted from the request, and the output from what was received. Such a usage
says `estimated`. No text of a stream is kept for this: readers count bytes and pieces.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Final, TypeAlias

import msgspec

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect, Operation, Usage
from tiergate.core.catalog import Deployment
from tiergate.ports import Answered, Inbound, StreamReader
from tiergate.pricing.families import token_ratio
from tiergate.pricing.order import ordered, searches_of_chat, sent
from tiergate.pricing.prompt import count_prompt, count_texts

PER_BYTE: Final = Fraction(3, 11)
"""Tokens of a byte of an answer: a little above prose (0.22) and code (0.27) in English; other
scripts have fewer."""

_LIMITS: Final = ("max_completion_tokens", "max_tokens")
_CHOICES: Final = ("n", "best_of")
_Texts: TypeAlias = list[str]


class UsageMeter:
    """Implements `ports.Meter`."""

    def of_answer(self, inbound: Inbound, deployment: Deployment, answer: Answered) -> Usage:
        """Return what a plain answer has used.

        A usage of nothing but zeros is no usage: some hosts send one that do not count.

        Args:
            inbound: The request.
            deployment: Who answered.
            answer: The answer in the caller's dialect.
        """
        told = answer.usage
        if told is not None and (told.output or told.prompt_total or told.billed):
            if told.searches or deployment.provider != "openai":
                return told
            return _with_searches(told, inbound, deployment)
        output = 0
        if inbound.operation is not Operation.EMBEDDING:
            counted = count_texts(_texts(answer.body, inbound.dialect), deployment.model)
            output = _within_limit(counted, inbound, deployment)
        return _counted(inbound, deployment, output)

    def of_stream(self, inbound: Inbound, deployment: Deployment, reader: StreamReader) -> Usage:
        """Return what a stream has used so far, wherever it ended.

        Anthropic tells the prompt at the start of a stream and the output at its end: where the
        end is missing the first is kept, and the second counted.
        """
        told = reader.usage
        if told is not None and not _counts(told):
            told = None
        if told is not None and reader.metered:
            return _with_searches(told, inbound, deployment)
        by_bytes = reader.said_bytes * PER_BYTE * token_ratio(deployment.model)
        counted = max(reader.said_pieces, -(-by_bytes // 1))
        output = _within_limit(counted, inbound, deployment)
        if told is None:
            return _counted(inbound, deployment, output)
        return replace(told, output=max(told.output, output), estimated=True)

    def of_prompt(self, inbound: Inbound, deployment: Deployment) -> Usage:
        """Return what a call has used that the provider began and that brought nothing back."""
        return _counted(inbound, deployment, 0)


def _counts(told: Usage) -> bool:
    return bool(told.output or told.prompt_total or told.billed)


def _within_limit(counted: int, inbound: Inbound, deployment: Deployment) -> int:
    """Return a count of output, which is never above what the request allowed, and was held."""
    given = [sent(inbound, deployment, name) for name in _LIMITS]
    limits = [each for each in given if isinstance(each, int) and each > 0]
    if not limits:
        return counted
    asked = [sent(inbound, deployment, name) for name in _CHOICES]
    choices = max([1, *(each for each in asked if isinstance(each, int))])
    return min(counted, max(limits) * choices)


def _counted(inbound: Inbound, deployment: Deployment, output: int) -> Usage:
    order = ordered(inbound, deployment)
    return Usage(
        input=count_prompt(inbound, deployment),
        output=output,
        estimated=True,
        tier=order.tier,
        searches=searches_of_chat(inbound, deployment),
        surcharge=order.surcharge,
    )


def _with_searches(told: Usage, inbound: Inbound, deployment: Deployment) -> Usage:
    """Add the search that OpenAI bills apart and does not count."""
    if told.searches or deployment.provider != "openai":
        return told
    searches = searches_of_chat(inbound, deployment)
    return replace(told, searches=searches) if searches else told


def _texts(body: bytes, dialect: Dialect) -> _Texts:
    """Return what the model has written in a plain answer."""
    try:
        answer: Json = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return [body.decode(errors="replace")]
    found: _Texts = []
    if not isinstance(answer, dict):
        return found
    if dialect is Dialect.ANTHROPIC:
        _blocks(answer.get("content"), found)
        return found
    choices = answer.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            _strings(choice, ("text",), found)
            message = choice.get("message")
            if isinstance(message, dict):
                _message(message, found)
    return found


def _message(message: JsonObject, found: _Texts) -> None:
    _strings(message, ("content", "reasoning_content", "reasoning", "refusal"), found)
    content = message.get("content")
    if isinstance(content, list):
        _blocks(content, found)
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            _strings(function, ("name", "arguments"), found)


def _blocks(blocks: Json, found: _Texts) -> None:
    for block in blocks if isinstance(blocks, list) else ():
        if isinstance(block, dict):
            _strings(block, ("text", "thinking", "name"), found)
            if isinstance(given := block.get("input"), dict):
                found.append(msgspec.json.encode(given).decode())


def _strings(value: JsonObject, names: tuple[str, ...], found: _Texts) -> None:
    found += [text for name in names if isinstance(text := value.get(name), str)]
