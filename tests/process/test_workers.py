"""Several workers on one port: spread, replaced when they die, reloaded and ended together."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from support import dialects
from support.exchange import Gate, stream_reply
from support.gateway import Gateway, StartError
from support.shapes import CHAT, MESSAGES, minimal
from support.stage import (
    ANTHROPIC_ALIAS,
    OPENAI_ALIAS,
    Providers,
    Stage,
    gateway_of,
    usual,
)
from tiergate.base.jsontypes import JsonObject

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

TWO = ("--num_workers", "2")
DEBUG = {"TIERGATE_LOG": "debug"}
BODY = minimal(CHAT, OPENAI_ALIAS)


@pytest_asyncio.fixture(loop_scope="module")
async def crew(providers: Providers, folder: Path) -> AsyncIterator[Stage]:
    """A gateway of two workers, of the test's own."""
    providers.reset()
    async with gateway_of(usual(providers), folder, arguments=TWO, env=DEBUG) as gateway:
        yield Stage(gateway, providers)
    providers.reset()


def workers_of(gateway: Gateway) -> list[int]:
    """The process ids of the workers."""
    done = subprocess.run(
        ["ps", "-o", "pid=,stat=", "--ppid", str(gateway.pid)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    rows = [line.split() for line in done.stdout.splitlines()]
    return [int(pid) for pid, state in rows if not state.startswith("Z")]


def serving(gateway: Gateway) -> set[str]:
    """The workers that have logged a call."""
    return set(re.findall(r"debug call .*worker=(\d)", gateway.output))


async def page_of(gateway: Gateway) -> str:
    """The metrics page of whichever worker gets the connection, and lives to answer it."""
    for _ in range(20):
        answer = await gateway.get("/metrics")
        if answer.complete:
            assert answer.status == 200
            return answer.text
        await asyncio.sleep(0.02)
    raise AssertionError("no worker answers")


async def counted(gateway: Gateway) -> int:
    """The requests that the page shows."""
    page = await page_of(gateway)
    rows = re.findall(
        r"^litellm_proxy_total_requests_metric_total\{.*\} ([\d.]+)$", page, re.MULTILINE
    )
    return int(sum(map(float, rows)))


async def state_of(gateway: Gateway, state: str) -> int:
    page = await page_of(gateway)
    (found,) = re.findall(rf'^tiergate_workers{{state="{state}"}} ([\d.]+)$', page, re.MULTILINE)
    return int(float(found))


async def until(what: str, true: object, seconds: float = 8.0) -> None:
    """Wait until an awaitable question is answered with yes."""
    assert callable(true)
    deadline = asyncio.get_running_loop().time() + seconds
    while not await true():
        assert asyncio.get_running_loop().time() < deadline, what
        await asyncio.sleep(0.03)


async def all_serve(gateway: Gateway) -> None:
    async def two() -> bool:
        return await state_of(gateway, "serving") == 2

    await until("two workers serve", two)


def moved(providers: Providers) -> JsonObject:
    config = usual(providers)
    config["model_list"] = [providers.at_openai("brand-new")]
    return config


async def test_calls_are_spread_and_every_page_shows_the_sum(crew: Stage) -> None:
    answers = [await crew.gateway.post(CHAT, BODY) for _ in range(30)]
    assert {answer.status for answer in answers} == {200}
    assert serving(crew.gateway) == {"1", "2"}
    assert {await counted(crew.gateway) for _ in range(8)} == {30}
    ready = (await crew.gateway.get("/health/readiness")).json
    assert (ready["workers"], ready["workers_serving"]) == (2, 2)
    assert crew.gateway.output.count("serving") == 1


async def test_a_killed_worker_costs_its_own_calls_only_and_is_replaced(crew: Stage) -> None:
    gateway = crew.gateway
    seen: list[int] = []
    failed = 0

    async def load() -> None:
        nonlocal failed
        for _ in range(60):
            try:
                answer = await gateway.post(CHAT, BODY)
                assert answer.status == 200
            except (OSError, EOFError, AssertionError):
                failed += 1
            await asyncio.sleep(0.01)

    async def look() -> None:
        for _ in range(40):
            seen.append(await counted(gateway))
            await asyncio.sleep(0.03)

    victim = workers_of(gateway)[0]
    calls = [asyncio.ensure_future(load()) for _ in range(4)]
    await asyncio.sleep(0.3)
    os.kill(victim, signal.SIGKILL)
    await asyncio.gather(*calls)
    await gateway.said("ended=SIGKILL")
    await all_serve(gateway)
    assert failed <= 4, "each of the four callers had at most one call with the victim"
    assert victim not in workers_of(gateway)
    before = await counted(gateway)
    await asyncio.gather(look(), load())
    assert seen == sorted(seen)
    assert seen[0] >= before


async def test_what_a_page_has_shown_is_never_taken_back(crew: Stage) -> None:
    gateway = crew.gateway
    for _ in range(20):
        await gateway.post(CHAT, BODY)
    shown = await counted(gateway)
    assert shown == 20
    for victim in workers_of(gateway):
        os.kill(victim, signal.SIGKILL)
        assert await counted(gateway) == shown
        await all_serve(gateway)
    assert await counted(gateway) == shown
    page = await page_of(gateway)
    assert "litellm_in_flight_requests 0\n" in page


async def test_a_worker_that_does_not_answer_is_told_on_the_page_and_not_waited_for(
    crew: Stage,
) -> None:
    gateway = crew.gateway
    stopped = workers_of(gateway)[0]
    os.kill(stopped, signal.SIGSTOP)
    try:
        for _ in range(40):  # some connections go to the one that is stopped
            try:
                async with asyncio.timeout(1.0):
                    silent = await state_of(gateway, "silent")
                break
            except TimeoutError:
                continue
        assert silent == 1
    finally:
        os.kill(stopped, signal.SIGCONT)
    await all_serve(gateway)


async def test_a_reload_reaches_all_workers_and_a_bad_file_none(crew: Stage) -> None:
    gateway = crew.gateway
    gateway.reload("model_lisst: []\n")
    await gateway.said("reload refused")
    assert gateway.output.count("reload refused") == 1
    statuses = {(await gateway.post(CHAT, BODY)).status for _ in range(10)}
    assert statuses == {200}
    # One that is started now has the good configuration too, whatever the file says.
    os.kill(workers_of(gateway)[1], signal.SIGKILL)
    await gateway.said("ended=SIGKILL")
    await all_serve(gateway)
    statuses = {(await gateway.post(CHAT, BODY)).status for _ in range(10)}
    assert statuses == {200}

    gateway.reload(moved(crew.providers))

    async def both() -> bool:
        return len(set(re.findall(r"info reloaded .*worker=(\d)", gateway.output))) == 2

    await until("both have reloaded", both)
    body = minimal(CHAT, "brand-new")
    assert {(await gateway.post(CHAT, body)).status for _ in range(10)} == {200}
    assert {(await gateway.post(CHAT, BODY)).status for _ in range(10)} == {400}


async def test_the_file_watch_reloads_all(providers: Providers, folder: Path) -> None:
    arguments = (*TWO, "--watch")
    async with gateway_of(usual(providers), folder, arguments=arguments) as gateway:
        gateway.write_config(moved(providers))

        async def both() -> bool:
            return gateway.output.count("info reloaded") == 2

        await until("both have reloaded", both)
        body = minimal(CHAT, "brand-new")
        assert {(await gateway.post(CHAT, body)).status for _ in range(8)} == {200}


async def test_sigterm_lets_an_open_stream_end_and_frees_the_port(
    providers: Providers, folder: Path
) -> None:
    providers.reset()
    gate = Gate()
    events = dialects.text_events(ANTHROPIC_ALIAS, "from the provider")
    content = dialects.first_content(events)
    providers.anthropic.script(stream_reply(*events[:content], gate, *events[content:]))
    gateway = gateway_of(usual(providers), folder, arguments=TWO)
    await gateway.start()
    body = minimal(MESSAGES, ANTHROPIC_ALIAS, stream=True)
    async with gateway.posting(MESSAGES, body) as exchange:
        await exchange.head()
        gateway.signal(signal.SIGTERM)
        await gateway.said("draining")
        gate.open()
        answer = await exchange.rest()
    assert dialects.ends_well(answer, MESSAGES)
    assert await gateway.ended() == 0
    assert "Traceback" not in gateway.output
    with socket.create_server(("127.0.0.1", gateway.port)):
        pass


async def test_a_second_signal_ends_at_once(providers: Providers, folder: Path) -> None:
    providers.reset()
    events = dialects.text_events(ANTHROPIC_ALIAS, "from the provider")
    providers.anthropic.script(stream_reply(*events[:4], Gate()))
    gateway = gateway_of(usual(providers), folder, arguments=TWO)
    await gateway.start()
    body = minimal(MESSAGES, ANTHROPIC_ALIAS, stream=True)
    async with gateway.posting(MESSAGES, body) as exchange:
        await exchange.head()
        gateway.signal(signal.SIGINT)
        await gateway.said("draining")
        begun = asyncio.get_running_loop().time()
        gateway.signal(signal.SIGINT)
        assert await gateway.ended() == 1
        assert asyncio.get_running_loop().time() - begun < 2


async def test_without_their_supervisor_the_workers_serve_what_is_under_way_and_end(
    providers: Providers, folder: Path
) -> None:
    providers.reset()
    gate = Gate()
    events = dialects.text_events(ANTHROPIC_ALIAS, "from the provider")
    content = dialects.first_content(events)
    providers.anthropic.script(stream_reply(*events[:content], gate, *events[content:]))
    gateway = gateway_of(usual(providers), folder, arguments=TWO)
    await gateway.start()
    workers = workers_of(gateway)
    body = minimal(MESSAGES, ANTHROPIC_ALIAS, stream=True)
    async with gateway.posting(MESSAGES, body) as exchange:
        await exchange.head()
        os.kill(gateway.pid, signal.SIGKILL)
        await gateway.said("the supervisor is gone")
        gate.open()
        answer = await exchange.rest()
    assert dialects.ends_well(answer, MESSAGES)

    async def none_left() -> bool:
        return not any(_lives(pid) for pid in workers)

    await until("the workers have ended", none_left)
    with socket.create_server(("127.0.0.1", gateway.port)):
        pass
    await gateway.kill()


def _lives(pid: int) -> bool:
    done = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return bool(done.stdout.strip()) and not done.stdout.strip().startswith("Z")


async def refused(gateway: Gateway) -> StartError:
    try:
        with pytest.raises(StartError) as caught:
            await gateway.start()
    finally:
        await gateway.kill()
    return caught.value


async def test_a_port_that_is_taken_is_said_once(
    providers: Providers, folder: Path, tmp_path: Path
) -> None:
    gateway = gateway_of(usual(providers), folder, arguments=TWO)
    with socket.create_server(("127.0.0.1", gateway.port)):
        error = await refused(gateway)
    assert error.code == 1
    assert error.output.count("not started") == 1
    assert "--port" in error.output
    async with gateway:
        second = gateway_of(usual(providers), tmp_path / "second", arguments=TWO)
        second.port = gateway.port
        error = await refused(second)
        assert error.code == 1
        assert error.output.count("not started") == 1
        assert (await gateway.get("/v1/models")).status == 200


async def test_errors_of_the_configuration_are_said_once(folder: Path) -> None:
    error = await refused(Gateway("model_lisst: []\n", folder, arguments=TWO))
    assert error.code == 1
    assert error.output.count("model_lisst") == 1


async def test_the_system_may_choose_the_port(providers: Providers, folder: Path) -> None:
    gateway = gateway_of(usual(providers), folder, env={"NUM_WORKERS": "2"})
    gateway.port = 0
    gateway.command = tuple("0" if word == "{port}" else word for word in gateway.command)
    started = asyncio.ensure_future(gateway.start())
    try:

        async def said() -> bool:
            return "info serving" in gateway.output

        await until("it serves", said)
        (port,) = re.findall(r"url=http://127\.0\.0\.1:(\d+)", gateway.output)
        gateway.port = int(port)
        await started
        assert "workers=2" in gateway.output
        assert (await gateway.get("/v1/models")).status == 200
    finally:
        await gateway.stop()
