"""Sends batches by HTTP: records as a JSON list, and spans as OTLP."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from tiergate.core.alerts import BudgetAlert
from tiergate.core.record import CallRecord
from tiergate.core.sink_plan import OtlpPlace, WebhookPlace
from tiergate.ports import Clock
from tiergate.telemetry.otlp import Span, write_request, write_resource, write_span
from tiergate.telemetry.outbox import NotTakenError, in_slices
from tiergate.telemetry.payload import alert_payload, payload
from tiergate.telemetry.told import Told, is_large
from tiergate.telemetry.words import NOTHING_SAID, Fold, Words, words_of

_AGAIN: Final = frozenset({408, 425, 429})
_ZIPPED_FROM: Final = 16 * 1024
"""Bytes from which a body is compressed, for places that must be able to read that."""


class Post(Protocol):
    """Sends one HTTP POST."""

    async def __call__(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> int:
        """Return the answer's status.

        Raises:
            OSError: No answer came.
        """
        ...


async def post_batch(
    post: Post, url: str, headers: Sequence[tuple[str, str]], body: bytes
) -> None:
    """POST a body.

    Raises:
        NotTakenError: It was not taken.
    """
    try:
        status = await post(url, headers, body)
    except OSError as exc:
        raise NotTakenError(type(exc).__name__) from None
    if not 200 <= status < 300:
        raise NotTakenError(f"status {status}", again=status >= 500 or status in _AGAIN)


class Writer:
    """Writes what is told as JSON objects.

    Args:
        fold: Puts streams together; None where the sink gets no words.
        nameless: Leave out whose key, user and team it was.
    """

    def __init__(self, fold: Fold | None, *, nameless: bool) -> None:
        self._fold = fold
        self._nameless = nameless

    def __call__(self, told: Told) -> bytes:
        """Return one JSON object."""
        if isinstance(told, BudgetAlert):
            return msgspec.json.encode(alert_payload(told))
        words = NOTHING_SAID if self._fold is None else words_of(told, self._fold)
        return msgspec.json.encode(payload(told, words, nameless=self._nameless))


class WebhookSender:
    """Sends lists of records to an address."""

    def __init__(self, post: Post, place: WebhookPlace, write: Writer, clock: Clock) -> None:
        self._post = post
        self._place = place
        self._write = write
        self._clock = clock

    async def __call__(self, batch: Sequence[Told]) -> None:
        """Send a batch; see `outbox.Send`."""
        items = await in_slices(batch, self._write, self._clock, is_large)
        if self._place.lines:
            kind, body = "application/x-ndjson", b"".join([item + b"\n" for item in items])
        else:
            kind, body = "application/json", b"[" + b",".join(items) + b"]"
        headers = (("content-type", kind), *self._place.headers)
        await post_batch(self._post, self._place.url, headers, body)


SpansOf = Callable[[CallRecord, Words], list[Span]]


class OtlpSender:
    """Sends calls as spans. Budget marks are no calls, and are not sent."""

    def __init__(
        self,
        post: Post,
        place: OtlpPlace,
        spans_of: SpansOf,
        fold: Fold | None,
        version: str,
        clock: Clock,
    ) -> None:
        self._post = post
        self._url = place.url
        self._headers = (("content-type", "application/x-protobuf"), *place.headers)
        self._resource = write_resource(place.resource)
        self._spans_of = spans_of
        self._fold = fold
        self._version = version
        self._clock = clock

    async def __call__(self, batch: Sequence[Told]) -> None:
        """Send a batch; see `outbox.Send`."""
        records = [told for told in batch if not isinstance(told, BudgetAlert)]
        made = await in_slices(records, self._write, self._clock, is_large)
        spans = [span for each in made for span in each]
        if not spans:
            return
        body, headers = write_request(self._resource, spans, self._version), self._headers
        if len(body) >= _ZIPPED_FROM:
            body = gzip.compress(body, 1)
            headers = (*headers, ("content-encoding", "gzip"))
        await post_batch(self._post, self._url, headers, body)

    def _write(self, record: CallRecord) -> list[bytes]:
        words = NOTHING_SAID if self._fold is None else words_of(record, self._fold)
        return [write_span(span) for span in self._spans_of(record, words)]
