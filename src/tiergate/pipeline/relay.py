"""Carry one open stream from its deployment to the caller, a piece at a time.

After the commit point there is no way back: a break ends in the caller's in-band error frame,
never in an end that looks like success. A slow caller slows the reading; a caller that leaves
ends it at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tiergate.base.errors import Failure, FailureClass
from tiergate.pipeline.attempt import Open, unreachable
from tiergate.ports import Exchange, TransportError

Send = Callable[[bytes], Awaitable[None]]


async def relay(opened: Open, send: Send, silence: float | None) -> Failure | None:
    """Send a stream on until it ends.

    Args:
        opened: The stream, read up to its first content.
        send: Writes to the caller and waits while the caller is slow.
        silence: Most seconds between two pieces of the upstream stream.

    Returns:
        None after a proper end, else the failure that the caller was told in-band.

    Raises:
        OSError: What `send` raises when the caller has left.
        asyncio.CancelledError: The caller left, or the gateway stops.
    """
    exchange, reader = opened.exchange, opened.reader
    watch = _Watchdog(exchange, silence)
    failure: Failure | None = None
    try:
        if opened.held:
            await send(opened.held)
        while not reader.ended:
            watch.waiting = True
            piece = await exchange.next()
            watch.waiting = False
            watch.heard = True
            out = reader.feed(piece) if piece else reader.eof()
            if out:
                await send(out)
            if reader.failure is not None:
                failure = reader.failure
                break
    except TransportError as exc:
        failure = silent() if watch.barked else unreachable(exc)
    finally:
        watch.stop()
        if reader.ended:
            exchange.release()
        else:
            exchange.close()
    if failure is not None:
        await send(reader.error(failure))
    return failure


async def cut_short(opened: Open, send: Send) -> None:
    """Tell the caller of a stream that the gateway stops before its end.

    Args:
        opened: A stream that `relay` was carrying when it was cancelled.
        send: Writes to the caller.

    Raises:
        OSError: What `send` raises when the caller has left too.
    """
    await send(opened.reader.error(_stopping()))


class _Watchdog:
    """Closes an exchange whose next piece does not come in time; costs nothing per piece.

    One timer looks now and then, instead of one timer a piece. Only the time spent waiting for the
    provider counts, so a slow caller is not taken for a silent provider.
    """

    __slots__ = (
        "_exchange",
        "_loop",
        "_quiet",
        "_seconds",
        "_timer",
        "barked",
        "heard",
        "waiting",
    )

    def __init__(self, exchange: Exchange, seconds: float | None) -> None:
        self._exchange = exchange
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._quiet = 0
        self.barked = False
        self.heard = False
        self.waiting = False
        self._timer: asyncio.TimerHandle | None = None
        if seconds is not None:
            self._timer = self._loop.call_later(seconds / _LOOKS, self._look)

    def stop(self) -> None:
        """Stop looking."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        if self._seconds is None:
            return
        self._quiet = 0 if self.heard or not self.waiting else self._quiet + 1
        self.heard = False
        if self._quiet >= _LOOKS:
            self.barked = True
            self._exchange.close()
            return
        self._timer = self._loop.call_later(self._seconds / _LOOKS, self._look)


_LOOKS = 10
"""Looks per limit: silence is noticed not before the limit, and within a tenth of it after."""


def _stopping() -> Failure:
    return Failure(
        FailureClass.CANCELLED,
        503,
        "The gateway is stopping and cannot carry this answer to its end. Send the request again.",
        type="api_error",
        code="gateway_stopping",
    )


def silent() -> Failure:
    """The failure of a stream whose next piece does not come."""
    return Failure(
        FailureClass.TIMEOUT,
        408,
        "The provider's stream fell silent for longer than the configured limit.",
        type="timeout_error",
        code="timeout",
    )
