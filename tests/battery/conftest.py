"""Servers that all tests of the battery share; each test begins with empty ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.chroma import ChromaServer, running_chroma
from support.s3 import S3Server, running_s3
from support.servers import PostgresServer, RedisServer, running_postgres, running_redis

REDIS_PASSWORD = "of-the-battery"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(folder(tmp_path_factory), password=REDIS_PASSWORD) as server:
        yield server


@pytest.fixture(scope="session")
def redis_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(folder(tmp_path_factory), cluster=True) as server:
        yield server


@pytest.fixture(scope="session")
def redis_sentinel(
    redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RedisServer]:
    """It watches the server of `redis`."""
    with running_redis(
        folder(tmp_path_factory), password=REDIS_PASSWORD, sentinel_of=redis.port
    ) as server:
        yield server


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    with running_chroma(tmp_path_factory.mktemp("chroma")) as server:
        yield server


def folder(factory: pytest.TempPathFactory) -> Path:
    return factory.mktemp("redis")
