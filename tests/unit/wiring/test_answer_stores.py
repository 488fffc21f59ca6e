"""The store that a configuration names is the one that is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.money import drive
from tiergate.base.values import Secret
from tiergate.core.cache_plan import BucketPlan, CacheKind, CachePlan
from tiergate.core.catalog import RedisPlan
from tiergate.stores.answers_guarded import GuardedAnswers
from tiergate.stores.answers_memory import MemoryAnswers
from tiergate.wiring.answer_stores import open_answers

REDIS = CachePlan(kind=CacheKind.REDIS, redis=RedisPlan(host="h", port=1), wait=0.02)
S3 = CachePlan(kind=CacheKind.S3, bucket=BucketPlan(name="b"))
DISK = CachePlan(kind=CacheKind.DISK, most_bytes=99, encryption_key=Secret("one"))


def test_local_is_memory_of_the_size_that_is_asked_for():
    store = open_answers(CachePlan(most_bytes=1234), None)
    assert isinstance(store, MemoryAnswers)
    assert drive(store.figures()).most == 1234


@pytest.mark.parametrize(
    ("plan", "kind", "place"),
    [
        (REDIS, "redis", "Redis at h:1"),
        (S3, "s3", "bucket b at S3 in us-east-1"),
        (DISK, "disk", "/state/answers"),
        (CachePlan(kind=CacheKind.DISK, directory="/own"), "disk", "/own"),
    ],
)
def test_what_is_outside_the_process_is_guarded(plan, kind, place):
    store = open_answers(plan, Path("/state"))
    assert isinstance(store, GuardedAnswers)
    assert (store._store.kind, store._store.place) == (kind, place)
    assert (store._seal is not None) is (plan is DISK)
    assert store._wait == plan.wait


def test_a_disk_without_a_folder_is_said():
    with pytest.raises(ValueError, match="disk_cache_dir"):
        open_answers(DISK, None)


def test_a_plan_without_a_place_is_said():
    with pytest.raises(ValueError, match="no place"):
        open_answers(CachePlan(kind=CacheKind.S3), None)
