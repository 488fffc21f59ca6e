"""What only a real PostgreSQL can tell: schemas, rights, logins, and workers that stand still."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.documents import counting
from support.ledger import entry
from tiergate.base.values import Secret
from tiergate.core.ledger import Filter
from tiergate.ports import StoreDownError
from tiergate.stores.postgres import PostgresDocuments, PostgresLedger
from tiergate.stores.sql_schema import NewerDatabaseError

HOLDER = """
import asyncio, sys
from tiergate.base.values import Secret
from tiergate.stores.postgres import PostgresDocuments

def change(seen):
    print("holding", flush=True)
    sys.stdin.read()
    return {"held": b"never"}, None

async def main():
    store = PostgresDocuments.open(Secret(sys.argv[1]), seconds=1.0)
    await store.update(["held"], change)

asyncio.run(main())
"""


async def test_a_schema_of_ones_own_is_used(postgres):
    postgres.sql('CREATE SCHEMA "gate Way"')
    url = Secret(f"{postgres.url}?schema=gate%20Way&connection_limit=5")

    ledger = PostgresLedger.open(url)
    await ledger.append([entry(1)])
    documents = PostgresDocuments.open(url)
    await documents.update(["a"], counting("a"))

    assert postgres.sql('SELECT COUNT(*) FROM "gate Way".tiergate_ledger') == "1"
    assert postgres.sql('SELECT COUNT(*) FROM "gate Way".tiergate_documents') == "1"
    await ledger.aclose()
    await documents.aclose()


async def test_a_user_who_may_not_make_tables_can_use_them(postgres):
    await PostgresLedger.open(Secret(postgres.url)).aclose()
    postgres.sql(
        "CREATE ROLE plain LOGIN PASSWORD 'plain-secret';"
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO plain"
    )
    url = Secret(f"postgresql://plain:plain-secret@127.0.0.1:{postgres.port}/postgres")

    ledger = PostgresLedger.open(url)
    await ledger.append([entry(4711)])

    found, _ = await ledger.entries(Filter(call_id="call-4711"), limit=1)
    assert found == [entry(4711)]
    await ledger.aclose()


def test_a_wrong_password_is_told_without_it(postgres):
    url = f"postgresql://postgres:wrong-one@127.0.0.1:{postgres.port}/postgres"

    with pytest.raises(StoreDownError, match="password authentication failed") as caught:
        PostgresDocuments.open(Secret(url))

    assert "wrong-one" not in str(caught.value)


async def test_a_newer_database_is_refused(postgres):
    await PostgresDocuments.open(Secret(postgres.url)).aclose()
    postgres.sql("UPDATE tiergate_schema SET version = 9 WHERE part = 'documents'")
    try:
        with pytest.raises(NewerDatabaseError, match="version 9"):
            PostgresDocuments.open(Secret(postgres.url))
    finally:
        postgres.sql("UPDATE tiergate_schema SET version = 1 WHERE part = 'documents'")


async def test_a_worker_that_stands_still_in_a_change_gives_way(postgres):
    """The server ends its transaction after its time limit, and the others go on."""
    store = PostgresDocuments.open(Secret(postgres.url), seconds=10.0)
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, postgres.url],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ,
    )  # fmt: skip
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"holding\n"
        holder.send_signal(signal.SIGSTOP)

        assert await store.update(["held"], counting("held")) == 1

        holder.kill()
    await store.aclose()


async def test_tables_are_made_once_by_many_who_open_at_the_same_time(postgres):
    postgres.sql("DROP TABLE IF EXISTS tiergate_documents, tiergate_schema CASCADE")
    postgres.sql("DROP TABLE IF EXISTS tiergate_ledger, tiergate_ledger_tags, tiergate_meta")
    program = (
        "import sys; from tiergate.base.values import Secret;"
        "from tiergate.stores.postgres import PostgresDocuments as D, PostgresLedger as L;"
        "D.open(Secret(sys.argv[1])); print(L.open(Secret(sys.argv[1])).source)"
    )
    command = [sys.executable, "-c", program, postgres.url]
    openers = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]

    sources = {opener.communicate(timeout=30)[0] for opener in openers}

    assert [opener.returncode for opener in openers] == [0, 0, 0, 0]
    assert len(sources) == 1
