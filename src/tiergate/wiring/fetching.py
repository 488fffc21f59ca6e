"""Asks HTTP services through the transport; implements `ports.guarding.Fetch`."""

from __future__ import annotations

from collections.abc import Sequence

from tiergate.transport import Transport, TransportError
from tiergate.wiring.adapters import post_head


class Fetcher:
    """Asks services.

    Args:
        transport: The way to them.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def __call__(
        self, url: str, headers: Sequence[tuple[str, str]], body: bytes, limit: int
    ) -> tuple[int, bytes]:
        """POST a body; see `ports.guarding.Fetch`.

        Raises:
            OSError: No answer came, or it is larger than `limit` bytes.
        """
        target, head = post_head(url, headers, body)
        try:
            exchange = await self._transport.send(target, head, body)
            try:
                answer = await exchange.read(limit)
            except BaseException:
                exchange.close()
                raise
            exchange.release()
        except TransportError as exc:
            raise ConnectionError(str(exc)) from None
        return exchange.status, answer
