"""What a worker has for fallback routes: it looks in the background, and lets routes end."""

from __future__ import annotations

import asyncio
import logging
import time

from support.attempts import general
from support.fallbacks import Hand, Shaky, chain_of, routes_of
from tiergate.core.catalog import ChainKind
from tiergate.pipeline.fallback_book import By
from tiergate.stores.documents_memory import MemoryDocuments
from tiergate.wiring import fallbacks as wired
from tiergate.wiring.fallbacks import Fallbacks

ADA = By(author="ada")


def worker(documents, wall=None):
    made = Fallbacks(documents, wall or Hand(), lambda: "id")
    routes = routes_of(general(cheap="balanced"))
    made.govern(routes)
    return made, routes


async def until(routes, expected: str) -> None:
    async with asyncio.timeout(5):
        while chain_of(routes, "cheap") != expected:
            await asyncio.sleep(0.005)


def test_the_routes_of_the_api_are_there():
    made, _ = worker(MemoryDocuments())
    assert [(route.method, route.path) for route in made.routes()] == [
        ("GET", "/fallback"),
        ("POST", "/fallback"),
        ("GET", "/fallback/audit"),
        ("DELETE", "/fallback/audit"),
        ("GET", "/fallback/*"),
        ("DELETE", "/fallback/*"),
    ]


async def test_a_start_finds_what_is_set_before_the_first_request():
    documents = MemoryDocuments()
    await worker(documents)[0].book.put(ChainKind.GENERAL, "cheap", ("local",), ADA)
    made, routes = worker(documents)
    await made.start()
    try:
        assert chain_of(routes, "cheap") == "local"
    finally:
        await made.aclose()


async def test_changes_of_others_act_within_a_second():
    documents = MemoryDocuments()
    other, _ = worker(documents)
    made, routes = worker(documents)
    await made.start()
    await made.start()
    try:
        await other.book.put(ChainKind.GENERAL, "cheap", ("frontier",), ADA)
        begun = time.monotonic()
        await until(routes, "frontier")
        assert time.monotonic() - begun < 1.0
    finally:
        await made.aclose()
        await made.aclose()


class Hanging(MemoryDocuments):
    """Documents that can stop to answer."""

    hangs = False

    async def read(self, keys):
        if self.hangs:
            await asyncio.Event().wait()
        return await super().read(keys)


async def test_a_route_ends_at_its_instant_though_the_store_hangs(monkeypatch):
    documents = Hanging()
    made, routes = worker(documents, time.time)
    await made.book.put(ChainKind.GENERAL, "cheap", ("local",), By(author="a", seconds=0.4))
    ends = made.book.next_end()
    assert ends is not None
    documents.hangs = True
    monkeypatch.setattr(wired, "START_SECONDS", 0.01)
    try:
        await made.start()
        assert chain_of(routes, "cheap") == "local"
        await until(routes, "balanced")
        assert 0 <= time.time() - ends < 0.3
    finally:
        await made.aclose()


async def test_a_store_that_is_down_is_said_once_and_known_routes_go_on(caplog):
    documents = Shaky()
    made, routes = worker(documents)
    await made.book.put(ChainKind.GENERAL, "cheap", ("local",), ADA)
    with caplog.at_level(logging.INFO, "tiergate.fallbacks"):
        documents.down = True
        await made.look()
        await made.look()
        assert chain_of(routes, "cheap") == "local"
        documents.down = False
        await made.look()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert caplog.records[1].getMessage() == "changes of fallback routes are seen again"
