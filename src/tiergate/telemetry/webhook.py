"""Send call records to an HTTP address in batches (`generic_api`, `webhook`), off the hot path.

The queue is bounded: a sink that is slow, hanging or gone loses records, which are counted, and
never slows a request. Records hold no prompt, no answer and no key.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from tiergate.base.errors import Failure
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.money import NANO
from tiergate.base.values import Dialect, Operation
from tiergate.core.catalog import Deployment, WebhookSink
from tiergate.core.record import CallRecord, Outcome
from tiergate.ports import Clock

LOG = logging.getLogger("tiergate.webhook")

MOST_WAITING = 10_000
"""Records kept for one sink."""
MOST_TOGETHER = 512
"""Records in one request."""
INTERVAL = 1.0
"""Seconds between two requests while there is something to send."""
POST_SECONDS = 10.0
"""How long one request may take."""
FLUSH_SECONDS = 3.0
"""How long the last records may take when the gateway stops; orchestrators kill after ten."""
COMPLAIN_SECONDS = 60.0
"""Trouble with a sink is logged once in this time."""


class Post(Protocol):
    """Sends one HTTP POST."""

    async def __call__(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> int:
        """Return the answer's status.

        Raises:
            OSError: No answer came.
        """
        ...


class Webhooks:
    """Implements `ports.Observer` by sending records to all sinks.

    Args:
        post: Sends a request.
        clock: Monotonic seconds.
    """

    def __init__(self, post: Post, clock: Clock) -> None:
        self._post = post
        self._clock = clock
        self._queues: list[_Queue] = []

    @property
    def dropped(self) -> int:
        """Records lost so far, all sinks together."""
        return sum(queue.dropped for queue in self._queues)

    def configure(self, sinks: Iterable[WebhookSink]) -> None:
        """Serve these sinks from now on; a sink that stays keeps its queue."""
        known = {queue.sink.url: queue for queue in self._queues}
        queues: list[_Queue] = []
        for sink in sinks:
            queue = known.pop(sink.url, None) or _Queue(sink, self._post, self._clock)
            queue.sink = sink
            queues.append(queue)
        for gone in known.values():
            gone.stop()
        self._queues = queues

    async def aclose(self) -> None:
        """Send what is waiting, as far as `FLUSH_SECONDS` go."""
        await asyncio.gather(*(queue.aclose() for queue in self._queues))

    def began(self) -> None:
        """Nothing is known yet."""

    def ended(self, record: CallRecord) -> None:
        """Put the record into every queue that wants it."""
        if not self._queues:
            return
        good = record.outcome is Outcome.SUCCESS
        for queue in self._queues:
            if queue.sink.on_success if good else queue.sink.on_failure:
                queue.put(record)

    def refused(self, dialect: Dialect, operation: Operation, status: int, wall: float) -> None:
        """Requests that were not understood are counted in metrics, not sent."""

    def attempt_failed(self, deployment: Deployment, failure: Failure) -> None:
        """Single attempts are not sent; the record tells of them."""

    def cooled(self, deployment: Deployment, failure: Failure, seconds: float) -> None:
        """Cooldowns are not sent."""


class _Queue:
    """The records that wait for one sink, and the task that sends them."""

    def __init__(self, sink: WebhookSink, post: Post, clock: Clock) -> None:
        self.sink = sink
        self.dropped = 0
        self._stopped = False
        self._post = post
        self._clock = clock
        self._waiting: deque[CallRecord] = deque()
        self._task: asyncio.Task[None] | None = None
        self._complained = float("-inf")

    def put(self, record: CallRecord) -> None:
        """Take a record; the oldest goes when the queue is full."""
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(record)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """Stop sending; what waits is dropped."""
        self._stopped = True
        if self._task is not None:
            self._task.cancel()
        self.dropped += len(self._waiting)
        self._waiting.clear()

    async def aclose(self) -> None:
        """Send what waits, then stop."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        end = self._clock() + FLUSH_SECONDS
        while self._waiting and (left := end - self._clock()) > 0 and await self._send(left):
            pass
        self.stop()

    async def _run(self) -> None:
        """Send until nothing waits."""
        while self._waiting:
            await asyncio.sleep(INTERVAL)
            while len(self._waiting) >= MOST_TOGETHER and await self._send():
                pass
            if self._waiting:
                await self._send()

    async def _send(self, seconds: float = POST_SECONDS) -> bool:
        """Send one batch; it is gone whether it arrives or not."""
        size = min(MOST_TOGETHER, len(self._waiting))
        batch = [self._waiting.popleft() for _ in range(size)]
        body = msgspec.json.encode([payload(record) for record in batch])
        headers = (("content-type", "application/json"), *self.sink.headers)
        try:
            async with asyncio.timeout(seconds):
                status = await self._post(self.sink.url, headers, body)
        except asyncio.CancelledError:
            # The gateway stops, or the sink is gone: whether it arrived is not known. At the end
            # it is sent once more; the receiver knows records by their id.
            if self._stopped:
                self.dropped += size
            else:
                self._waiting.extendleft(reversed(batch))
            raise
        except TimeoutError:
            return self._lost(size, "no answer in time")
        except OSError as exc:
            return self._lost(size, type(exc).__name__)
        if not 200 <= status < 300:
            return self._lost(size, f"status {status}")
        return True

    def _lost(self, size: int, why: str) -> bool:
        self.dropped += size
        now = self._clock()
        if now - self._complained >= COMPLAIN_SECONDS:
            self._complained = now
            LOG.warning(
                "webhook does not take records", extra={"why": why, "dropped": self.dropped}
            )
        return False


def payload(record: CallRecord) -> Json:
    """Return a record under the names of LiteLLM's `standard_logging_object`."""
    usage = record.usage
    deployment = record.deployment
    out: JsonObject = {
        "id": record.call_id,
        "call_type": record.operation.value,
        "status": "success" if record.outcome is Outcome.SUCCESS else "failure",
        "outcome": record.outcome.value,
        "response_cost": record.cost / NANO if record.cost is not None else 0.0,
        "response_cost_nano_usd": record.cost,
        "model_group": record.asked,
        "model": deployment.model if deployment is not None else None,
        "model_id": deployment.id if deployment is not None else None,
        "custom_llm_provider": deployment.provider if deployment is not None else None,
        "api_base": deployment.api_base if deployment is not None else None,
        "stream": record.stream,
        "startTime": record.wall,
        "endTime": record.wall + record.seconds,
        "completionStartTime": record.wall + record.overhead_seconds + record.upstream_seconds,
        "total_tokens": usage.prompt_total + usage.output if usage is not None else 0,
        "prompt_tokens": usage.prompt_total if usage is not None else 0,
        "completion_tokens": usage.output if usage is not None else 0,
        "cached_tokens": usage.cache_read if usage is not None else None,
        "end_user": record.user,
        "request_tags": list[Json](record.tags),
        "status_code": record.status,
        "error_information": {
            "error_class": record.failure.value if record.failure is not None else None,
            "error_type": record.error_type,
            "error_message": record.message,
        },
        "attempted_retries": record.retries,
        "attempted_fallbacks": record.fallbacks,
        "why": record.why,
        "cache_hit": False,
    }
    return out
