"""Opens the store that a configuration names for cached answers.

A store's library is imported only when a configuration asks for it.
"""

from __future__ import annotations

import time
from pathlib import Path

from tiergate.core.cache_plan import CacheKind, CachePlan
from tiergate.ports import AnswerStore
from tiergate.stores.answer_packing import Seal
from tiergate.stores.answers_guarded import Bytes, GuardedAnswers
from tiergate.stores.answers_memory import MemoryAnswers
from tiergate.wiring.places import redis_place

FOLDER = "answers"
"""Of answers on disk, in the state directory."""


def open_answers(
    plan: CachePlan, directory: Path | None, opened: Bytes | None = None
) -> AnswerStore:
    """Open a store. One that is down is opened all the same, and used when it is there.

    Args:
        plan: What the configuration says.
        directory: The state directory; None where nothing outlives the process.
        opened: Where answers are, if they share a server with the vectors of a semantic cache.

    Raises:
        ValueError: The plan lacks something; the message says what.
    """
    if opened is not None:
        return GuardedAnswers(opened, plan.wait, time.time, _seal(plan))
    if plan.kind is CacheKind.LOCAL:
        return MemoryAnswers(plan.most_bytes, time.time)
    return GuardedAnswers(_bytes(plan, directory), plan.wait, time.time, _seal(plan))


def _bytes(plan: CachePlan, directory: Path | None) -> Bytes:
    if plan.kind is CacheKind.REDIS and plan.redis is not None:
        from tiergate.stores.answers_redis import RedisAnswers

        return RedisAnswers(redis_place(plan.redis))
    if plan.kind is CacheKind.S3 and plan.bucket is not None:
        from tiergate.stores.answers_s3 import BucketAnswers

        return BucketAnswers(plan.bucket)
    if plan.kind is CacheKind.DISK:
        from tiergate.stores.answers_disk import DiskAnswers

        return DiskAnswers(_folder(plan, directory), plan.most_bytes, time.time)
    raise ValueError(f"the cache of type {plan.kind.value} has no place to be in")


def _folder(plan: CachePlan, directory: Path | None) -> Path:
    if plan.directory is not None:
        return Path(plan.directory).expanduser()
    if directory is not None:
        return directory / FOLDER
    raise ValueError(
        "the cache of type disk needs a folder: write cache_params.disk_cache_dir, since "
        "state_dir is :memory:"
    )


def _seal(plan: CachePlan) -> Seal | None:
    if plan.encryption_key is None:
        return None
    from tiergate.stores.answer_seal import AnswerSeal

    return AnswerSeal(plan.encryption_key)
