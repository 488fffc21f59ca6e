"""Records become objects of a bucket under LiteLLM's keys, at a real server that speaks S3."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import obstore
import pytest

from support.records import SERVED
from support.s3 import S3Server, running_s3
from support.told import no_fold, told
from tiergate.core.alerts import BudgetAlert
from tiergate.core.catalog import ScopeKind
from tiergate.core.sink_plan import BucketPlace
from tiergate.stores.answers_s3 import open_bucket
from tiergate.telemetry.bucket_sink import BucketSender, key_of
from tiergate.telemetry.outbox import NotTakenError
from tiergate.telemetry.posting import Writer

DAY = "2026-09-21/time-14-13-20-000000_call-1.json"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_s3(tmp_path_factory.mktemp("s3")) as running:
        yield running


def clock() -> float:
    return asyncio.get_running_loop().time()


async def test_each_record_is_an_object(server: S3Server):
    place = BucketPlace(bucket=server.plan("logs"))
    store = open_bucket(place.bucket, 5.0)
    alert = BudgetAlert(ScopeKind.GATEWAY, "", "50", 1, 2, None, "1d", None)

    await BucketSender(place, store, Writer(no_fold, nameless=False), clock)([told(), alert])

    found = await obstore.get_async(store, f"logs/{DAY}")
    record = json.loads(bytes(await found.bytes_async()))
    assert record["id"] == "call-1"
    assert record["messages"][1]["content"] == "What is two and two?"


async def test_many_records_go_together(server: S3Server):
    place = BucketPlace(bucket=server.plan("many"))
    store = open_bucket(place.bucket, 5.0)
    batch = [replace(SERVED, call_id=f"c{number}") for number in range(40)]

    await BucketSender(place, store, Writer(None, nameless=False), clock)(batch)

    pages = [page async for page in obstore.list(store, "many/")]
    assert sum(map(len, pages)) == 40


async def test_a_bucket_that_is_not_there_is_said_in_one_line(server: S3Server):
    place = BucketPlace(bucket=replace(server.plan(), name="no-such-bucket-here"))
    send = BucketSender(place, open_bucket(place.bucket, 5.0), Writer(None, nameless=False), clock)
    with pytest.raises(NotTakenError) as caught:
        await send([SERVED])
    assert "\n" not in str(caught.value)
    assert "secret-of-the-tests" not in str(caught.value)


def test_keys_are_litellms(tmp_path: Path):
    place = BucketPlace(bucket=S3Server(tmp_path).plan("a/b"))
    assert key_of(SERVED, place) == f"a/b/{DAY}"
    assert key_of(told(), replace(place, by_team=True)) == f"a/b/blue/{DAY}"
    assert key_of(SERVED, replace(place, by_team=True)) == f"a/b/{DAY}", "no team, no part"


def test_an_id_cannot_leave_its_folder(tmp_path: Path):
    place = BucketPlace(bucket=S3Server(tmp_path).plan())
    assert "/" not in key_of(told(call_id="../../x y"), place).split("/", 1)[1]
