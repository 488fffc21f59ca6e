"""A small blocking HTTP/1.1 client over one kept connection, and the checked call made with it.

It exists because the generators must know exactly when bytes went out and came back; no library
in between. It is no general client: it knows 127.0.0.1, POST and GET, and bodies of known end.
"""

import contextlib
import json
import select
import socket
from collections.abc import Generator
from dataclasses import dataclass

import httptools

from bench import wire
from bench.wire import Dialect

_READ_SIZE = 262_144


class WrongAnswerError(Exception):
    """An answer is not the one the upstream gives; the message says what came instead."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole HTTP answer; `wire_bytes` counts its status line, headers and body as sent."""

    status: int
    body: bytes
    wire_bytes: int


@dataclass(frozen=True, slots=True)
class Target:
    """Where plain calls go, and what each one says."""

    port: int
    dialect: Dialect
    body: bytes

    def request(self) -> bytes:
        """The whole request as it goes over the wire."""
        return wire.request(self.dialect, self.port, self.body)


class Connection:
    """One connection that carries one call at a time."""

    __slots__ = ("_body", "_parser", "_received", "_socket", "_whole")

    def __init__(self, port: int, timeout: float) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._received = 0
        self._whole = False

    def fileno(self) -> int:
        """The socket's number, for `select`."""
        return self._socket.fileno()

    def is_stale(self) -> bool:
        """Whether the server has closed the idle connection, or sent what nobody asked for."""
        ready, _, _ = select.select((self._socket,), (), (), 0)
        return bool(ready)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def send(self, request: bytes) -> None:
        """Send a request; the answer to the one before must have been read."""
        self._body.clear()
        self._received = 0
        self._whole = False
        self._socket.sendall(request)

    def receive(self) -> Answer | None:
        """Read what has come; the answer once it is whole, else None.

        Raises:
            WrongAnswerError: the connection was closed, or what came is not HTTP.
        """
        data = self._socket.recv(_READ_SIZE)
        if not data:
            raise WrongAnswerError("the connection was closed before the answer was whole")
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise WrongAnswerError(f"the answer is not HTTP: {error}") from error
        if not self._whole:
            return None
        return Answer(self._parser.get_status_code(), b"".join(self._body), self._received)

    def call(self, request: bytes) -> Answer:
        """Send a request and wait for its whole answer."""
        self.send(request)
        while True:
            answer = self.receive()
            if answer is not None:
                return answer

    def on_body(self, body: bytes) -> None:
        """Parser: a piece of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Parser: the answer is whole."""
        self._whole = True


@contextlib.contextmanager
def connected(port: int, timeout: float) -> Generator[Connection, None, None]:
    """A connection for the length of a block."""
    connection = Connection(port, timeout)
    try:
        yield connection
    finally:
        connection.close()


def check(answer: Answer, dialect: Dialect) -> None:
    """Raise unless this is the upstream's plain answer in the caller's dialect.

    Raises:
        WrongAnswerError: with the status and the beginning of the body.
    """
    if answer.status == 200 and wire.answer_text(dialect, answer.body) == wire.PLAIN_TEXT:
        return
    raise WrongAnswerError(f"status {answer.status}, body {answer.body[:300]!r}")


def checked_call(target: Target, timeout: float) -> Answer:
    """One call on a new connection, with its answer checked.

    Raises:
        WrongAnswerError: the answer is wrong, or none came.
    """
    try:
        with connected(target.port, timeout) as connection:
            answer = connection.call(target.request())
    except OSError as error:
        raise WrongAnswerError(f"no answer from port {target.port}: {error}") from error
    check(answer, target.dialect)
    return answer


def get(port: int, path: str, timeout: float = 5.0) -> bytes:
    """The body of a GET.

    Raises:
        WrongAnswerError: the status is not 200.
    """
    with connected(port, timeout) as connection:
        answer = connection.call(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode())
    if answer.status != 200:
        raise WrongAnswerError(f"status {answer.status} from {path}")
    return answer.body


def plain_calls_seen(port: int) -> int:
    """How many requests the plain upstream has had, from nginx's `stub_status`.

    The counter line holds accepted connections, handled connections and requests.
    """
    lines = get(port, "/bench/stats").decode().splitlines()
    return int(lines[2].split()[2])


def streams_open(port: int) -> int:
    """How many streams the streaming upstream is playing."""
    return int(json.loads(get(port, "/bench/stats"))["open"])
