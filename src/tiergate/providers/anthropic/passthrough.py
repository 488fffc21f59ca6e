"""A Messages stream for a caller of the same dialect: every event goes on as it came.

Read are the kind of each event, the usage at the start and the end, and where a delta's text
begins; no text is decoded.
"""

from __future__ import annotations

import msgspec

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.anthropic.usage import merged, usage_from
from tiergate.providers.passthrough import ErrorFrame, Passthrough
from tiergate.providers.sse import SseEvent
from tiergate.wire.members import BodyError, Members


class _Head(msgspec.Struct):
    type: str = ""


_HEAD = msgspec.json.Decoder(_Head)
_LEAST = b'{"type":"content_block_delta",'
_SIGNATURE = b'signature_delta"'


class AnthropicPassthrough(Passthrough):
    """A Messages stream for an Anthropic caller."""

    __slots__ = ("_asked", "_stopped", "_usage")

    def __init__(self, asked: str, *, error_frame: ErrorFrame) -> None:
        super().__init__(error_frame)
        self._asked = msgspec.json.encode(asked)
        self._stopped = False
        self._usage: JsonObject = {}

    def _event(self, event: SseEvent) -> bytes:
        try:
            kind = _HEAD.decode(event.data).type
            match kind:
                case "content_block_delta":
                    self.content = True
                    self._hear(event.data)
                case "message_start":
                    return self._start(event)
                case "content_block_start":
                    self._block(event)
                case "message_delta":
                    self._delta(event)
                case "message_stop":
                    self.ended = True
                case "error":
                    error = Members.read(event.data).raw("error") or b'{"message":"unknown"}'
                    self._fail(error, Dialect.ANTHROPIC)
                    return b""
                case _:
                    pass
        except (msgspec.DecodeError, UnicodeDecodeError, BodyError):
            self.skipped += 1
            return b""
        return event.raw

    def _hear(self, data: bytes) -> None:
        """Count the text of a delta by where it begins, without decoding it.

        It is the event's last string, and a quote inside a string is escaped, so the last `":"`
        stands before it; behind it are a quote and two braces. A signature is no output.
        """
        begin = data.rfind(b'":"') + 3
        if begin < len(_LEAST):
            begin = data.rfind(b'": "') + 4
        if begin >= len(_LEAST) and _SIGNATURE not in data[:begin]:
            self.said_pieces += 1
            self.said_bytes += max(0, len(data) - begin - 3)

    def _start(self, event: SseEvent) -> bytes:
        """`message_start`: take the input usage, put the asked name in."""
        members = Members.read(event.data)
        message = Members.read(members.raw("message") or b"{}")
        self._count(message.get("usage"))
        if "model" not in message:
            return event.raw
        edited = members.edit({"message": message.edit({"model": self._asked})})
        if event.data in event.raw:
            return event.raw.replace(event.data, edited, 1)
        return b"event: message_start\ndata: " + edited + b"\n\n"

    def _block(self, event: SseEvent) -> None:
        """A block that is not an empty text begins the answer."""
        block = Members.read(event.data).get("content_block")
        if isinstance(block, dict) and not (
            block.get("type") in ("text", "thinking") and not block.get("text")
        ):
            self.content = True

    def _delta(self, event: SseEvent) -> None:
        members = Members.read(event.data)
        self.metered = self._count(members.get("usage")) or self.metered
        delta = members.get("delta")
        reason = delta.get("stop_reason") if isinstance(delta, dict) else None
        if reason is not None:
            self._stopped = self.content = True
            self.refused = reason == "refusal"

    def _count(self, usage: Json) -> bool:
        """Merge usage: later counts replace earlier ones, as the provider says they do."""
        if not isinstance(usage, dict):
            return False
        self._usage = merged(self._usage, usage)
        self.usage = usage_from(self._usage)
        return True

    def _close(self) -> bytes:
        if not self._stopped:
            self._break()
            return b""
        self.ended = True
        return b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
