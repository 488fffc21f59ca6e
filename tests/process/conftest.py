"""Fixtures of the process tests: one gateway and its scripted providers per module.

A module that needs other settings overrides `configure`. Everything runs in the module's own
event loop, so modules are marked `asyncio(loop_scope="module")`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anthropic
import openai
import pytest
import pytest_asyncio

from support.clients import Front, async_anthropic, async_openai, both_dialects
from support.stage import Configure, Providers, Stage, gateway_of, usual
from tiergate.mock.server import MockServer


@pytest.fixture(scope="module")
def configure() -> Configure:
    """How the module's gateway is configured."""
    return usual


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def providers() -> AsyncIterator[Providers]:
    """The scripted providers of the module."""
    async with Providers() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(
    configure: Configure, providers: Providers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """The gateway of the module."""
    gateway = gateway_of(configure(providers), tmp_path_factory.mktemp("gateway"))
    async with gateway:
        yield Stage(gateway, providers)


@pytest.fixture
def stage(shared_stage: Stage) -> Iterator[Stage]:
    """The gateway of the module, with providers that have seen and been told nothing yet."""
    shared_stage.providers.reset()
    yield shared_stage
    shared_stage.providers.reset()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for a gateway of the test's own."""
    made = tmp_path / "gateway"
    made.mkdir()
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_front(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """A gateway of the module in front of the mock server."""
    async with (
        MockServer() as mock,
        gateway_of(both_dialects(mock), tmp_path_factory.mktemp("gateway")) as gateway,
    ):
        yield Front(gateway, mock)


@pytest.fixture
def front(shared_front: Front) -> Iterator[Front]:
    """The gateway in front of the mock server, which has seen and been told nothing yet."""
    shared_front.reset()
    yield shared_front
    shared_front.reset()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def openai_client(shared_front: Front) -> AsyncIterator[openai.AsyncOpenAI]:
    """OpenAI's client, with the gateway in front of the mock server."""
    async with async_openai(shared_front.gateway) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def anthropic_client(shared_front: Front) -> AsyncIterator[anthropic.AsyncAnthropic]:
    """Anthropic's client, with the gateway in front of the mock server."""
    async with async_anthropic(shared_front.gateway) as client:
        yield client
