"""Opens the stores that a configuration names, and says where their files are.

A database's library is imported only when a configuration asks for it: PostgreSQL and Redis are
optional extras, and cost memory and time at the start.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from tiergate.core.rules import RedisPlan, StoreKind, StorePlan
from tiergate.ports import Documents, Ledger
from tiergate.stores.documents_memory import MemoryDocuments
from tiergate.stores.redis_place import RedisPlace
from tiergate.stores.sqlite import SqliteDocuments, SqliteLedger

DIRECTORY_VARIABLE = "TIERGATE_STATE_DIR"
LEDGER_FILE = "ledger.db"
DOCUMENTS_FILE = "state.db"

_HOME_VARIABLE = "XDG_STATE_HOME"
_NAME_LENGTH = 16


def state_directory(
    configured: str | None, paths: Sequence[Path], environ: Mapping[str, str]
) -> Path:
    """Return where a gateway keeps its files.

    `general_settings.state_dir`, else `TIERGATE_STATE_DIR`, else
    `~/.local/state/tiergate/HASH`, where HASH is of the absolute paths of the configuration
    files: gateways of different configurations on one machine do not mix their books.

    Args:
        configured: What the configuration says, if anything.
        paths: The configuration files, in the order they are given.
        environ: The environment.
    """
    named = configured or environ.get(DIRECTORY_VARIABLE)
    if named:
        return Path(named).expanduser()
    home = environ.get(_HOME_VARIABLE)
    base = Path(home) if home else Path.home() / ".local" / "state"
    return base / "tiergate" / _name(paths)


def _name(paths: Sequence[Path]) -> str:
    text = "\n".join(str(path.expanduser().resolve()) for path in paths)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:_NAME_LENGTH]


async def open_documents(plan: StorePlan, directory: Path) -> Documents:
    """Open the store of budgets, keys and escalations that a configuration names.

    Raises:
        StoreDownError: It cannot be opened.
    """
    if plan.kind is StoreKind.POSTGRES and plan.database_url is not None:
        from tiergate.stores.postgres import PostgresDocuments

        return await asyncio.to_thread(PostgresDocuments.open, plan.database_url)
    if plan.kind is StoreKind.REDIS and plan.redis is not None:
        return _redis(plan.redis)
    if plan.kind is StoreKind.MEMORY:
        return MemoryDocuments()
    return await asyncio.to_thread(SqliteDocuments.open, directory / DOCUMENTS_FILE)


async def open_shared_rates(plan: StorePlan) -> Documents | None:
    """Open the Redis that shares rate limits beside a PostgreSQL; None where there is none."""
    if plan.kind is StoreKind.POSTGRES and plan.redis is not None:
        return _redis(plan.redis)
    return None


async def open_ledger(plan: StorePlan, directory: Path) -> Ledger:
    """Open the ledger that a configuration names.

    Raises:
        StoreDownError: It cannot be opened.
    """
    if plan.database_url is not None:
        from tiergate.stores.postgres import PostgresLedger

        return await asyncio.to_thread(PostgresLedger.open, plan.database_url)
    return await asyncio.to_thread(SqliteLedger.open, directory / LEDGER_FILE)


def redis_place(plan: RedisPlan) -> RedisPlace:
    """Return the place of a Redis as its client wants it said."""
    return RedisPlace(
        url=plan.url,
        host=plan.host,
        port=plan.port,
        db=plan.db,
        username=plan.username,
        password=plan.password,
        ssl=plan.ssl,
        verify=plan.verify,
        ca_file=plan.ca_file,
        startup_nodes=plan.nodes,
        sentinel_nodes=plan.sentinels,
        sentinel_password=plan.sentinel_password,
        service_name=plan.service,
        namespace=plan.namespace,
        prefix=plan.prefix,
    )


def _redis(plan: RedisPlan) -> Documents:
    from tiergate.stores.redis_documents import RedisDocuments

    return RedisDocuments(
        redis_place(plan),
        random.Random(os.urandom(16)).random,  # noqa: S311 - it spreads attempts in time
    )
