"""One worker's side of its supervisor: its settings and sockets, and the figures of the others.

When the supervisor is gone the worker drains: nobody would replace it, and nobody should keep
the port.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from tiergate.core.catalog import Settings
from tiergate.telemetry.reports import Others, Report, pack_report, unpack_report
from tiergate.wiring.frames import (
    Frame,
    Frames,
    Kind,
    Standing,
    numbered,
    split_family,
    split_number,
)
from tiergate.wiring.handover import pack_settings, unpack_settings

LOG = logging.getLogger("tiergate")

REPORT_SECONDS = 1.0
"""How often figures are told unasked: what a killed worker counted since is lost to the page."""
PATIENCE_SECONDS = 1.0
"""How long a scrape waits for the supervisor."""
_PIECE = 256 * 1024


class SupervisorGoneError(Exception):
    """The supervisor has ended before it sent a configuration."""


@dataclass(frozen=True, slots=True)
class Gatewayside:
    """What the supervisor asks of a gateway.

    Attributes:
        report: Gives the figures of this worker.
        inherit: Counts on from the figures of the worker whose place this one takes.
        adopt: Serves a configuration. It raises ValueError if that cannot be.
        read: Reads the configuration files; None if they have errors, which it has logged.
        stop: Lets the gateway drain.
    """

    report: Callable[[], Report]
    inherit: Callable[[Report], None]
    adopt: Callable[[Settings], None]
    read: Callable[[], Settings | None]
    stop: Callable[[], None]


class Siblings:
    """The connection to the supervisor, and through it to the other workers.

    Args:
        reader: From the supervisor.
        writer: To it.
        workers: How many there are to be.
        sockets: Where to listen; bound, and not listening yet.
        host: The address they are bound to, as the user gave it.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        workers: int,
        sockets: tuple[socket.socket, ...],
        host: str,
    ) -> None:
        self.workers = workers
        self.sockets = sockets
        self.host = host
        self.alive = 0
        """How many workers serve, as far as is known."""
        self._reader = reader
        self._writer = writer
        self._frames = Frames()
        self._early: list[Frame] = []
        self._side: Gatewayside | None = None
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[bytes]] = {}
        self._told = b""
        self._adopted = b""
        self._tasks: list[asyncio.Task[None]] = []

    @staticmethod
    async def join(
        sock: socket.socket, workers: int, sockets: tuple[socket.socket, ...], host: str
    ) -> Siblings:
        """Begin to talk with the supervisor over this worker's end of the pair."""
        reader, writer = await asyncio.open_unix_connection(sock=sock)
        return Siblings(reader, writer, workers, sockets, host)

    async def settings(self) -> Settings:
        """Wait for the configuration to begin with.

        Raises:
            SupervisorGoneError: There will be none.
            ValueError: It is of another version of the program.
        """
        while True:
            frames = await self._receive()
            if not frames:
                raise SupervisorGoneError("the supervisor ended before this worker had begun")
            for at, frame in enumerate(frames):
                if frame.kind is Kind.SETTINGS:
                    self._early += frames[at + 1 :]
                    self._adopted = frame.body
                    return unpack_settings(frame.body)
                self._early.append(frame)

    def attend(self, side: Gatewayside) -> None:
        """Do from now on what the supervisor asks."""
        self._side = side
        for frame in self._early:
            self._handle(frame, side)
        self._early.clear()
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._listen(side)), loop.create_task(self._tell(side))]

    def ready(self, place: str) -> None:
        """Tell that this worker accepts connections.

        Args:
            place: Where it keeps what outlives it, in words for people.
        """
        if self._side is not None:
            self._report(self._side, 0)
        self._send(Frame(Kind.READY, place.encode()))

    def tell_leave(self, seconds: float) -> None:
        """Tell how long this worker may take leave, so that it is not killed before."""
        self._send(Frame(Kind.LEAVE, numbered(min(int(seconds * 1000), 0xFFFFFFFF))))

    async def others(self, own: Report) -> Others | None:
        """Return the figures of all other workers; None where nobody knows them.

        Args:
            own: This worker's, which its next page is not to fall below if it should die.
        """
        number = next(self._numbers) & 0xFFFFFFFF
        answer = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        self._send(Frame(Kind.ASK, numbered(number, pack_report(own))))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return _read_family(await answer)
        except TimeoutError:
            return Others((), serving=1, silent=self.workers - 1, ended=0)
        finally:
            del self._asked[number]

    async def aclose(self) -> None:
        """Tell the last figures and hang up."""
        for task in self._tasks:
            task.cancel()
        if self._side is not None:
            self._report(self._side, 0)
        self._writer.close()
        with contextlib.suppress(OSError):  # the supervisor may be gone
            await self._writer.wait_closed()

    # ------------------------------------------------------------------ frames

    async def _receive(self) -> list[Frame]:
        """Return the next frames; none at the end of the stream."""
        frames: list[Frame] = []
        while not frames:
            try:
                data = await self._reader.read(_PIECE)
            except OSError:
                return []
            if not data:
                return []
            frames = self._frames.feed(data)
        return frames

    async def _listen(self, side: Gatewayside) -> None:
        while frames := await self._receive():
            for frame in frames:
                self._handle(frame, side)
        LOG.error("the supervisor is gone: this worker drains and ends")
        side.stop()

    async def _tell(self, side: Gatewayside) -> None:
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            self._report(side, 0)

    def _handle(self, frame: Frame, side: Gatewayside) -> None:
        match frame.kind:
            case Kind.COUNT:
                self._report(side, split_number(frame.body)[0])
            case Kind.FAMILY:
                number, family = split_number(frame.body)
                answer = self._asked.get(number)
                if answer is not None and not answer.done():
                    answer.set_result(family)
            case Kind.INHERIT:
                report = _read_report(frame.body)
                if report is not None:
                    side.inherit(report)
            case Kind.SETTINGS:
                self._adopt(frame.body, side)
            case Kind.READ:
                self._read(side)
            case Kind.ALIVE:
                self.alive = split_number(frame.body)[0]
            case _:
                LOG.error("the supervisor sent what only workers send")

    def _report(self, side: Gatewayside, number: int) -> None:
        figures = pack_report(side.report())
        if number or figures != self._told:
            self._told = figures
            self._send(Frame(Kind.REPORT, numbered(number, figures)))

    def _read(self, side: Gatewayside) -> None:
        """Read the files for all workers; what can be served here can be served by all."""
        settings = side.read()
        if settings is None or not _adopted(settings, side):
            self._send(Frame(Kind.REFUSED))
            return
        self._adopted = pack_settings(settings)
        self._send(Frame(Kind.SETTINGS, self._adopted))

    def _adopt(self, body: bytes, side: Gatewayside) -> None:
        if body == self._adopted:  # it is this worker that has read it
            return
        try:
            settings = unpack_settings(body)
        except ValueError as exc:
            LOG.error("reload refused: the old configuration goes on serving", extra={"why": exc})  # noqa: TRY400 - a sentence, no traceback
            return
        if _adopted(settings, side):
            self._adopted = body

    def _send(self, frame: Frame) -> None:
        if not self._writer.is_closing():
            self._writer.write(frame.encode())


def _adopted(settings: Settings, side: Gatewayside) -> bool:
    try:
        side.adopt(settings)
    except ValueError as exc:
        LOG.error("reload refused: the old configuration goes on serving", extra={"why": exc})  # noqa: TRY400 - a sentence, no traceback
        return False
    return True


def _read_report(figures: bytes) -> Report | None:
    """Read a worker's figures; None if it runs another version of the program."""
    try:
        return unpack_report(figures)
    except msgspec.MsgspecError:
        LOG.warning("figures of a worker of another version are left out: restart the gateway")
        return None


def _read_family(body: bytes) -> Others | None:
    try:
        family = split_family(body)
    except (struct.error, ValueError):
        return None
    reports: list[Report] = []
    standings: dict[Standing, int] = dict.fromkeys(Standing, 0)
    for told in family:
        report = _read_report(told.figures) if told.figures else None
        unread = report is None and told.figures
        standings[Standing.SILENT if unread else told.standing] += 1
        if report is not None:
            ended = told.standing is Standing.ENDED
            reports.append(report.without_calls() if ended else report)
    return Others(
        tuple(reports),
        serving=1 + standings[Standing.ANSWERED],
        silent=standings[Standing.SILENT],
        ended=standings[Standing.ENDED],
    )
