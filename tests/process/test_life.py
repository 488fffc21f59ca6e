"""A gateway process starts only where it may, and ends only when its callers are served."""

from __future__ import annotations

import asyncio
import signal
import socket
from pathlib import Path

import pytest

from support import dialects
from support.exchange import Gate, stream_reply
from support.gateway import Gateway, StartError
from support.shapes import CHAT, DOORS, minimal
from support.stage import (
    ANTHROPIC_ALIAS,
    OPENAI_ALIAS,
    Providers,
    gateway_of,
    usual,
    with_settings,
)
from tiergate.base.jsontypes import JsonObject

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]


def without_key(providers: Providers) -> JsonObject:
    config = usual(providers)
    del config["general_settings"]
    return config


def serving(gateway: Gateway, host: str) -> tuple[str, ...]:
    """The command with another address to listen on."""
    command = gateway.command
    return tuple(host if word == "{host}" else word for word in command)


async def refusal_of(gateway: Gateway) -> StartError:
    try:
        with pytest.raises(StartError) as caught:
            await gateway.start()
    finally:
        await gateway.kill()
    return caught.value


def sentence(error: StartError) -> str:
    """The one line that says why nothing was started."""
    lines = [line for line in error.output.splitlines() if "not started" in line]
    assert len(lines) == 1, error.output
    assert "Traceback" not in error.output
    return lines[0]


async def test_a_port_that_is_taken_is_one_line_and_status_1(
    providers: Providers, folder: Path
) -> None:
    gateway = gateway_of(usual(providers), folder)
    with socket.create_server(("127.0.0.1", gateway.port)):
        error = await refusal_of(gateway)
    assert error.code == 1
    assert f"127.0.0.1:{gateway.port}" in sentence(error)
    assert "--port" in sentence(error)


async def test_a_port_of_a_running_gateway_is_not_shared(
    providers: Providers, folder: Path, tmp_path: Path
) -> None:
    async with gateway_of(usual(providers), folder) as first:
        second = gateway_of(usual(providers), tmp_path / "second")
        second.port = first.port
        error = await refusal_of(second)
        assert error.code == 1
        assert (await first.get("/v1/models")).status == 200


async def test_it_does_not_listen_to_all_without_a_key(providers: Providers, folder: Path) -> None:
    gateway = gateway_of(without_key(providers), folder)
    gateway.command = serving(gateway, "0.0.0.0")
    error = await refusal_of(gateway)
    assert error.code == 1
    assert "master_key" in sentence(error)


@pytest.mark.parametrize("key", ["sk-1234", "hunter2-abc"])
async def test_it_does_not_listen_to_all_with_a_weak_key(
    providers: Providers, folder: Path, key: str
) -> None:
    config = with_settings(usual(providers), general_settings={"master_key": key})
    gateway = gateway_of(config, folder)
    gateway.command = serving(gateway, "0.0.0.0")
    error = await refusal_of(gateway)
    assert error.code == 1
    assert "weak" in sentence(error)
    assert key not in sentence(error)


async def test_without_a_key_it_serves_this_machine_and_no_web_page(
    providers: Providers, folder: Path
) -> None:
    async with gateway_of(without_key(providers), folder) as gateway:
        body = minimal(CHAT, OPENAI_ALIAS)
        assert (await gateway.post(CHAT, body, key=None)).status == 200
        page = [("origin", "https://somewhere.example")]
        assert (await gateway.post(CHAT, body, key=None, headers=page)).status == 403
        named = [("host", "rebound.example")]
        assert (await gateway.post(CHAT, body, key=None, headers=named)).status == 403
        assert "no key" in gateway.output


async def test_a_configuration_with_errors_is_not_started(folder: Path) -> None:
    error = await refusal_of(Gateway("model_lisst: []\n", folder))
    assert error.code == 1
    assert "config.yaml:1" in error.output
    assert "model_list" in error.output
    sentence(error)


async def test_a_variable_that_is_not_set_is_named(providers: Providers, folder: Path) -> None:
    config = usual(providers)
    config["model_list"] = [
        providers.at_anthropic(ANTHROPIC_ALIAS, api_key="os.environ/NO_SUCH_KEY")
    ]
    error = await refusal_of(Gateway(config, folder))
    assert error.code == 1
    assert "NO_SUCH_KEY" in error.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_an_idle_gateway_at_once_with_status_0(
    providers: Providers, folder: Path, number: signal.Signals
) -> None:
    gateway = gateway_of(usual(providers), folder)
    await gateway.start()
    begun = asyncio.get_running_loop().time()
    gateway.signal(number)
    assert await gateway.ended() == 0
    assert asyncio.get_running_loop().time() - begun < 3
    assert "Traceback" not in gateway.output


@pytest.mark.parametrize("path", DOORS)
async def test_sigterm_lets_an_open_stream_come_to_its_end(
    providers: Providers, folder: Path, path: str
) -> None:
    providers.reset()
    gate = Gate()
    events = dialects.text_events(ANTHROPIC_ALIAS, "from the provider")
    content = dialects.first_content(events)
    providers.anthropic.script(stream_reply(*events[:content], gate, *events[content:]))
    gateway = gateway_of(usual(providers), folder)
    await gateway.start()
    body = minimal(path, ANTHROPIC_ALIAS, stream=True)
    async with gateway.posting(path, body) as exchange:
        await exchange.head()
        gateway.signal(signal.SIGTERM)
        await gateway.said("draining")
        gate.open()
        answer = await exchange.rest()
    assert answer.complete
    assert dialects.ends_well(answer, path)
    assert await gateway.ended() == 0
