"""What a Redis says, as bytes."""

from __future__ import annotations


def written(value: object) -> bytes:
    """An answer, as a Redis writes it."""
    if value is None:
        return b"$-1\r\n"
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, bytes):
        return b"$%d\r\n%s\r\n" % (len(value), value)
    assert isinstance(value, list)
    return b"*%d\r\n%s" % (len(value), b"".join(written(each) for each in value))
