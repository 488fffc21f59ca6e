"""The words of Redis's protocol, version 2: commands as bytes, answers from bytes.

Every Redis knows this version. Nothing here touches a connection.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from tiergate.ports import StoreDownError

Told: TypeAlias = "bytes | int | list[Told] | RedisSaidError | None"
"""What Redis answers."""

_END: Final = b"\r\n"

NIL: Final = b"$-1\r\n"
"""The answer to a question that finds nothing."""


class RedisSaidError(StoreDownError):
    """Redis has answered with an error; the message is its own."""


class IncompleteError(Exception):
    """More bytes must come; `needed` is how many there must be at least, from the beginning."""

    def __init__(self, needed: int) -> None:
        super().__init__("more must come")
        self.needed = needed


def get_command(key: str) -> bytes:
    """Write a question for the bytes of a key; as `command_of`, at a third of its cost."""
    name = key.encode()
    return b"*2\r\n$3\r\nGET\r\n$%d\r\n%b\r\n" % (len(name), name)


def set_command(key: str, data: bytes, milliseconds: int) -> bytes:
    """Write a command that keeps bytes for so long; see `get_command`."""
    name, time = key.encode(), b"%d" % milliseconds
    return _SET % (len(name), name, len(data), data, len(time), time)


_SET: Final = b"*5\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n$2\r\nPX\r\n$%d\r\n%b\r\n"


def command_of(args: tuple[bytes | str | int, ...]) -> bytes:
    """Write any command."""
    made = b"*%d\r\n" % len(args)
    for arg in args:
        text = arg if isinstance(arg, bytes) else str(arg).encode()
        made += b"$%d\r\n%b\r\n" % (len(text), text)
    return made


def read_told(data: bytearray, place: int) -> tuple[Told, int]:
    """Read one answer.

    Raises:
        IncompleteError: Not all of it has come.
        ValueError: It is not the protocol's.
    """
    end = data.find(_END, place)
    if end < 0:
        raise IncompleteError(len(data) + 1)
    kind, line, after = data[place], bytes(data[place + 1 : end]), end + 2
    if kind == _SIMPLE:
        return line, after
    if kind == _NUMBER:
        return int(line), after
    if kind == _ERROR:
        return RedisSaidError(line.decode("utf-8", "replace")), after
    length = int(line)
    if length < 0:
        return None, after
    if kind == _BULK:
        if len(data) < after + length + 2:
            raise IncompleteError(after + length + 2)
        return bytes(data[after : after + length]), after + length + 2
    if kind != _LIST:
        raise ValueError("not the protocol of Redis")
    items: list[Told] = []
    for _ in range(length):
        item, after = read_told(data, after)
        items.append(item)
    return items, after


_SIMPLE, _NUMBER, _ERROR, _BULK, _LIST = b"+:-$*"
