"""Shows plain answers to guards, masks what must not be shown, and puts masked values back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import cast

import msgspec

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.core.masking import pattern_of, restored
from tiergate.pipeline.guard_checks import Checks, Installed
from tiergate.pipeline.guard_stream import check_all
from tiergate.pipeline.guard_texts import Part, answer_parts, rewritten
from tiergate.ports import Answered
from tiergate.ports.guarding import Occasion
from tiergate.wire.edits import Path, edited
from tiergate.wire.members import encode


async def checked(
    checks: Checks,
    guards: Sequence[Installed],
    answer: Answered,
    occasion: Occasion,
    values: Mapping[str, str],
    request: Callable[[], JsonObject],
) -> Answered:
    """Return an answer as it may be shown; the same one where nothing is changed.

    Args:
        checks: Runs guards.
        guards: Those of answers, in their order.
        answer: In the caller's dialect.
        occasion: The call.
        values: Masked values of the request, by placeholder.
        request: Gives the request decoded.

    Raises:
        Refused: It must not be shown.
    """
    body = answer.body
    decoded = cast("Json", msgspec.json.decode(body))
    parts = answer_parts(decoded)
    texts = await check_all(
        checks, [each for each in guards if each.call is None], parts, occasion
    )
    masked = bool(texts)
    _put_back(parts, texts, values)
    if texts:
        body = rewritten(body, parts, texts)
    if masked:
        body = edited(body, _tokens(decoded))
    for each in guards:
        if each.call is not None:
            body = await _shown(checks, each, body, occasion, request)
    return answer if body is answer.body else replace(answer, body=body)


def _put_back(parts: Sequence[Part], texts: dict[int, str], values: Mapping[str, str]) -> None:
    pattern = pattern_of(values)
    for number, part in enumerate(parts):
        if part.fixed is None:
            text = texts.get(number, part.passage.text)
            shown = restored(text, values, pattern)
            if shown != text:
                texts[number] = shown


def _tokens(answer: Json) -> dict[Path, Json]:
    """Return the changes that leave out the tokens of an answer: they would tell its text."""
    choices = answer.get("choices") if isinstance(answer, dict) else None
    return {
        ("choices", number, "logprobs"): None
        for number, choice in enumerate(choices if isinstance(choices, list) else [])
        if isinstance(choice, dict) and choice.get("logprobs") is not None
    }


async def _shown(
    checks: Checks,
    installed: Installed,
    body: bytes,
    occasion: Occasion,
    request: Callable[[], JsonObject],
) -> bytes:
    """Show an answer to a class of the user."""
    call = installed.call
    if call is None:
        return body
    answer = cast("JsonObject", msgspec.json.decode(body))
    before = encode(answer)
    work = call.answer(request(), answer, occasion)
    found = await checks.run(installed.plan, occasion, work)
    after = encode(answer if found is None else found)
    return body if after == before else after
