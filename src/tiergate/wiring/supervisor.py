"""The supervisor of several workers: starts, replaces, reloads and ends them.

It serves no request and reads no configuration. It holds the port, the last good settings (as
bytes it does not look into) and the last figures of each worker. What it does when is decided in
`fleet`; this module has the processes, sockets, signals and the clock. It imports little on
purpose: it is to cost next to nothing.
"""

from __future__ import annotations

import logging
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from tiergate.telemetry.logs import configure_logging
from tiergate.wiring.channel import Channel, why_ended
from tiergate.wiring.crew import PATIENCE_SECONDS, Crew, command, marks, take
from tiergate.wiring.fleet import Fleet, Parcel
from tiergate.wiring.frames import Frame, Kind, split_number
from tiergate.wiring.notify import Notifier
from tiergate.wiring.seats import seats

LOG = logging.getLogger("tiergate")

WORKER = "tiergate.wiring.worker"
WATCH_SECONDS = 1.0

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


class Supervisor:
    """Carries one gateway of several workers through its life.

    Args:
        crew: How to run.
        settings: The configuration to begin with, for the workers.
        held: The sockets that hold the port.
        notifier: The way to the service manager.
    """

    def __init__(
        self, crew: Crew, settings: bytes, held: Sequence[socket.socket], notifier: Notifier
    ) -> None:
        self._crew = crew
        self._notifier = notifier
        self._leave_seconds = crew.leave_seconds
        self._settings = settings
        self._held = tuple(held)
        self._fleet = Fleet(crew.workers)
        self._channels: dict[int, Channel] = {}
        self._selector = selectors.DefaultSelector()
        self._pipe = socket.socketpair()
        self._said_serving = False
        self._status = 0
        self._stop_by: float | None = None
        """When workers are killed that have not ended; None while nobody wants an end."""
        self._reader: int | None = None
        """The worker that reads the configuration files at present."""
        self._reload_wanted = False
        self._marks = marks(crew.watched)
        self._look_at = time.monotonic() + WATCH_SECONDS
        self._pulse_at = 0.0

    def run(self) -> int:
        """Supervise until told to stop; return the exit status."""
        self._listen_to_signals()
        while self._stop_by is None or self._channels:
            now = time.monotonic()
            self._give_sign_of_life(now)
            if self._stop_by is None:
                self._start_due(now)
                self._look_at_files(now)
                self._begin_reload()
            elif now >= self._stop_by:
                self._kill("took too long to end", logging.ERROR)
            for key, events in self._selector.select(self._patience(now)):
                if key.data is None:
                    self._take_signals()
                elif isinstance(key.data, int):
                    self._attend(key.data, events)
            self._reap()
            self._send(self._fleet.overdue(time.monotonic()))
        return self._status

    # ------------------------------------------------------------------ signals

    def _listen_to_signals(self) -> None:
        woken, wakes = self._pipe
        woken.setblocking(False)
        wakes.setblocking(False)
        self._selector.register(woken, selectors.EVENT_READ, None)
        signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, _nothing)

    def _take_signals(self) -> None:
        for number in self._pipe[0].recv(4096):
            match number:
                case signal.SIGTERM | signal.SIGINT:
                    self._stop(0)
                case signal.SIGHUP:
                    self._reload_wanted = True
                case _:
                    pass  # a child has ended: it is reaped in every round

    def _stop(self, status: int) -> None:
        """Let the workers drain; at once if somebody says it twice."""
        if self._stop_by is not None:
            self._kill("was told twice to end", logging.WARNING)
            return
        self._status = status
        seconds = self._leave_seconds + PATIENCE_SECONDS
        self._stop_by = time.monotonic() + seconds
        self._notifier.stopping(seconds)
        for channel in self._channels.values():
            channel.signal(signal.SIGTERM)

    def _kill(self, why: str, level: int) -> None:
        for index, channel in self._channels.items():
            LOG.log(level, "killing a worker", extra={"worker": index + 1, "why": why})
            channel.signal(signal.SIGKILL)
        self._stop_by = float("inf")

    # ------------------------------------------------------------------ workers

    def _start_due(self, now: float) -> None:
        for index in self._fleet.due(now):
            try:
                self._start(index)
            except OSError as exc:
                LOG.error("a worker cannot be started", extra={"worker": index + 1, "why": exc})  # noqa: TRY400 - a sentence, no traceback
                self._fleet.started(index, now)
                self._send(self._fleet.ended(index, now))
            else:
                self._send(self._fleet.started(index, now))
                self._channels[index].send(Frame(Kind.SETTINGS, self._settings))

    def _start(self, index: int) -> None:
        sockets = seats(self._held)
        ours, theirs = socket.socketpair()
        descriptors = [theirs.fileno(), *(sock.fileno() for sock in sockets)]
        words = command(
            WORKER, self._crew.to_json(), str(index + 1), *(str(fd) for fd in descriptors)
        )
        try:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, pass_fds=descriptors)  # noqa: S603 - our own interpreter and module
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
            for sock in sockets:
                if sock not in self._held:
                    sock.close()
        self._channels[index] = Channel(process, ours)
        self._selector.register(ours, selectors.EVENT_READ, index)

    def _attend(self, index: int, events: int) -> None:
        channel = self._channels.get(index)
        if channel is None:
            return
        if events & selectors.EVENT_WRITE:
            channel.flush()
        if events & selectors.EVENT_READ:
            for frame in channel.receive():
                try:
                    self._heard(index, frame)
                except struct.error:
                    channel.open = False
        self._expect(index, channel)

    def _expect(self, index: int, channel: Channel) -> None:
        """Watch for what the socket is waited for."""
        known = channel.sock in self._selector.get_map()
        if not channel.open:
            if known:
                self._selector.unregister(channel.sock)
                # One that has hung up without ending is of no use to anybody. One that was told
                # to end hangs up last of all, and a signal would hit it without its handlers.
                if self._stop_by is None:
                    channel.signal(signal.SIGTERM)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if channel.held else 0)
        self._selector.modify(channel.sock, wanted, index)

    def _heard(self, index: int, frame: Frame) -> None:
        match frame.kind:
            case Kind.READY:
                self._send(self._fleet.ready(index, time.monotonic()))
                self._say_serving(frame.body.decode("utf-8", "replace"))
            case Kind.REPORT:
                number, figures = split_number(frame.body)
                self._send(self._fleet.reported(index, number, figures))
            case Kind.ASK:
                number, figures = split_number(frame.body)
                reachable = frozenset(i for i, c in self._channels.items() if not c.held)
                now = time.monotonic()
                self._send(self._fleet.asked(index, number, figures, now, reachable))
            case Kind.SETTINGS:
                self._adopt(frame.body)
            case Kind.LEAVE:
                self._leave_seconds = split_number(frame.body)[0] / 1000
            case Kind.REFUSED:
                self._reader = None
                self._notifier.ready()
            case _:
                LOG.error("a worker sent what only the supervisor sends")

    def _send(self, parcels: Sequence[Parcel]) -> None:
        for index, frame in parcels:
            channel = self._channels.get(index)
            if channel is not None:
                channel.send(frame)
                self._expect(index, channel)

    def _say_serving(self, stores: str) -> None:
        if self._said_serving or not self._fleet.complete:
            return
        self._said_serving = True
        self._notifier.ready()
        crew = self._crew
        LOG.info(
            "serving",
            extra={
                "url": f"http://{crew.host}:{crew.port}",
                "aliases": crew.aliases,
                "access": crew.access,
                "stores": stores,
                "workers": crew.workers,
            },
        )

    def _reap(self) -> None:
        for index, channel in list(self._channels.items()):
            code = channel.process.poll()
            if code is not None:
                self._bury(index, channel, code)

    def _bury(self, index: int, channel: Channel, code: int) -> None:
        """Take leave of a worker that has ended: what it sent last still counts."""
        while channel.open and (frames := channel.receive()):
            for frame in frames:
                self._heard(index, frame)
        if channel.sock in self._selector.get_map():
            self._selector.unregister(channel.sock)
        channel.close()
        del self._channels[index]
        if self._reader == index:
            self._reader, self._reload_wanted = None, True
        now = time.monotonic()
        self._send(self._fleet.ended(index, now))
        told = {"worker": index + 1, "pid": channel.process.pid, "ended": why_ended(code)}
        if self._stop_by is not None:
            if code != 0:
                self._status = 1
                LOG.error("a worker did not end in good order", extra=told)
            return
        due = self._fleet.places[index].due
        if code > 0 and not self._fleet.complete:
            LOG.error("not started: a worker ended at its start", extra=told)
            self._stop(1)
            return
        again = f"{max(0.0, (due or now) - now):.1f}"
        LOG.error("a worker ended and is replaced", extra={**told, "in_seconds": again})

    # ------------------------------------------------------------------ configuration

    def _look_at_files(self, now: float) -> None:
        if not self._crew.watch or now < self._look_at:
            return
        self._look_at = now + WATCH_SECONDS
        found = marks(self._crew.watched)
        if found != self._marks:
            self._marks = found
            self._reload_wanted = True

    def _begin_reload(self) -> None:
        """Let one worker read the files for all, so that all serve the same."""
        if not self._reload_wanted or self._reader is not None:
            return
        for index, place in enumerate(self._fleet.places):
            if place.serving:
                self._reader, self._reload_wanted = index, False
                self._notifier.reloading()
                self._send([(index, Frame(Kind.READ))])
                return

    def _adopt(self, settings: bytes) -> None:
        self._reader = None
        self._notifier.ready()
        self._settings = settings
        self._send([(index, Frame(Kind.SETTINGS, settings)) for index in self._channels])

    def _give_sign_of_life(self, now: float) -> None:
        pulse = self._notifier.pulse_seconds
        if pulse is not None and self._said_serving and now >= self._pulse_at:
            self._pulse_at = now + pulse
            self._notifier.alive()

    def _patience(self, now: float) -> float | None:
        instants = [self._fleet.next_instant() if self._stop_by is None else self._stop_by]
        if self._notifier.pulse_seconds is not None and self._said_serving:
            instants.append(self._pulse_at)
        if self._crew.watch and self._stop_by is None:
            instants.append(self._look_at)
        known = [instant for instant in instants if instant is not None]
        soonest = min(known, default=float("inf"))
        return None if soonest == float("inf") else max(0.0, soonest - now)


def _nothing(number: int, frame: object) -> None:
    """Signals are taken from the wake-up socket; a handler must be there all the same."""
    del number, frame


def main(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the supervisor.

    Args:
        words: The crew as JSON, the descriptor of the settings, and those of the sockets.
        environ: For the log.
    """
    configure_logging(environ)
    crew, kept, *descriptors = words
    held = [socket.socket(fileno=int(descriptor)) for descriptor in descriptors]
    for sock in held:
        sock.set_inheritable(False)
    return Supervisor(Crew.from_json(crew), take(int(kept)), held, Notifier(environ)).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
