"""A real client and a real server on the loopback interface, on both event loops.

Every test that serves is also a leak test: it fails if the event loop had anything to complain
about (a pending task, an exception nobody fetched), if a socket stays open, or if the application
failed in a way the test did not ask for.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import pytest
import uvloop

from support.front import Served, open_sockets, told, until
from tiergate.front import Front, Limits


def pytest_asyncio_loop_factories(
    config, item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def nothing_left_behind() -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    complaints: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    before = open_sockets()
    gc.freeze()  # what is older than the test need not be searched below
    yield
    with contextlib.suppress(TimeoutError):
        await until(lambda: open_sockets() <= before, 1.0)
    gc.collect()
    gc.unfreeze()
    leftover = asyncio.all_tasks() - {asyncio.current_task()}
    assert not leftover
    assert complaints == []
    assert open_sockets() <= before


@pytest.fixture
async def serve(nothing_left_behind) -> AsyncIterator[Callable[..., Awaitable[Served]]]:
    """Start a server for a handler `async (request, call)`; it must not fail unexpectedly."""
    running: list[tuple[Served, bool]] = []

    async def start(
        app,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        *,
        host: str = "127.0.0.1",
        fails: bool = False,
        ssl_context: ssl.SSLContext | None = None,
    ) -> Served:
        failures: list[tuple[str, Exception | None]] = []
        front = Front(app, limits, told, lambda path, exc: failures.append((path, exc)))
        served = Served(front, failures)
        running.append((served, fails))
        await front.start(host, 0, ssl_context=ssl_context)
        return served

    yield start
    for served, fails in running:
        for client in served.clients:
            client.abort()
        try:
            await until(lambda served=served: served.front.in_flight == 0)
        finally:
            await served.front.aclose()
        assert served.front.connections == 0
        assert served.front.in_flight == 0
        assert fails or served.failures == []


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> Path:
    """A self-signed certificate for localhost and 127.0.0.1, with its key, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    both.write_bytes(key.read_bytes() + cert.read_bytes())
    return both
