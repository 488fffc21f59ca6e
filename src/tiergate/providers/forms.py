"""Turn a stored answer into the form that another caller of its dialect asks for.

Which answers are kept, and who gets them, is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from tiergate.base.chat import Answer, Broken
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import Dialect, Operation, Usage
from tiergate.ports import Inbound
from tiergate.providers import anthropic, openai
from tiergate.providers.failures import UnreadableAnswerError
from tiergate.providers.folding import Folding
from tiergate.providers.replay import events_of
from tiergate.providers.sse import EventTooLargeError, SseSplitter
from tiergate.providers.translated import StreamDecoder, StreamEncoder

_OBJECT: Final[msgspec.json.Decoder[JsonObject]] = msgspec.json.Decoder(dict[str, Any])


class AnswerForms:
    """Implements `ports.Forms`.

    Args:
        wall: Gives the Unix time in seconds, for answers that have no time of their own.
    """

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall

    def as_stream(self, inbound: Inbound, body: bytes) -> bytes | None:
        """Write a plain answer as a stream; see `ports.Forms.as_stream`."""
        if inbound.operation is not Operation.CHAT:
            return None
        try:
            decoded = _OBJECT.decode(body)
            if inbound.dialect is Dialect.ANTHROPIC:
                answer = anthropic.decode_answer(decoded)
            else:
                answer = openai.decode_answer(decoded)
        except (msgspec.MsgspecError, UnreadableAnswerError, RecursionError):
            return None
        writer = self._writer(inbound, answer)
        return b"".join([writer.feed(event) for event in events_of(answer)])

    def as_plain(self, inbound: Inbound, events: bytes, usage: Usage | None) -> bytes | None:
        """Write a complete stream as a plain answer; see `ports.Forms.as_plain`."""
        if inbound.operation is not Operation.CHAT:
            return None
        decoder: StreamDecoder
        if inbound.dialect is Dialect.ANTHROPIC:
            decoder = anthropic.StreamDecoder()
        else:
            decoder = openai.StreamDecoder()
        folding = Folding()
        try:
            for event in SseSplitter().feed(events):
                for said in decoder.feed(event):
                    if isinstance(said, Broken):
                        return None
                    folding.feed(said)
        except EventTooLargeError:
            return None
        answer = folding.answer(usage)
        if answer is None:
            return None
        created = int(self._wall())
        if inbound.dialect is Dialect.ANTHROPIC:
            return anthropic.encode_answer(answer, model=inbound.asked, created=created)
        return openai.encode_answer(answer, model=inbound.asked, created=created)

    def _writer(self, inbound: Inbound, answer: Answer) -> StreamEncoder:
        created = int(self._wall()) if answer.created is None else answer.created
        if inbound.dialect is Dialect.ANTHROPIC:
            return anthropic.StreamEncoder(
                model=inbound.asked, include_usage=True, id=answer.id, created=created
            )
        return openai.StreamEncoder(
            model=inbound.asked,
            include_usage=inbound.include_usage,
            id=answer.id,
            created=created,
        )
