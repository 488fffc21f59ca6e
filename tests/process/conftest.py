"""Fixtures of the process tests: one gateway and one pair of scripted providers per module.

A module that needs other settings overrides `configure`. Everything runs in the module's own
event loop, so modules are marked `asyncio(loop_scope="module")`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from support.stage import Configure, Providers, Stage, gateway_of, usual


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
