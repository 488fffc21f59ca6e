"""Who is counted as being there."""

from __future__ import annotations

from tiergate.front.limits import Limits
from tiergate.front.service import Service


class Member:
    task = None

    def sweep(self, now: float) -> None: ...

    def drain(self) -> None: ...

    def abort(self) -> None: ...


def service(most: int | None = None) -> Service:
    async def app(request, call) -> None: ...

    return Service(
        app,
        Limits(max_connections=most),
        lambda status, path, headers, sentence: ([], b""),
        lambda path, exc: None,
        "",
    )


def test_one_connection_too_many_is_told_so() -> None:
    here = service(2)
    assert [here.add(Member()) for _ in range(3)] == [True, True, False]
    assert here.connections == 3


def test_without_a_limit_everybody_may_come() -> None:
    here = service()
    assert all(here.add(Member()) for _ in range(100))


def test_the_last_to_go_is_noticed() -> None:
    here = service()
    gone: list[str] = []
    here.left = lambda: gone.append("all")
    first, second = Member(), Member()
    here.add(first)
    here.add(second)
    here.remove(first)
    here.remove(first)
    assert gone == []
    here.remove(second)
    assert gone == ["all"]
