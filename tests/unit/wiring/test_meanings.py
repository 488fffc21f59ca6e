"""What is opened for a plan: answers and vectors in one place, and what makes the vectors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from support.engine import served_by
from tiergate.base.values import AliasName, Dialect
from tiergate.core.cache_plan import CacheKind, CachePlan
from tiergate.core.meaning_plan import MeaningKind, MeaningPlan
from tiergate.core.rules import RedisPlan
from tiergate.embedding.local import LocalEmbedder
from tiergate.pipeline.embedding import AliasEmbedder
from tiergate.ports import Remembered
from tiergate.wiring.meanings import FOLDER, Embedders, Vault, behind_of

REDIS = RedisPlan(host="127.0.0.1", port=1)


def plan(kind: CacheKind, meaning: MeaningKind, address: str = "", **more) -> CachePlan:
    return CachePlan(kind=kind, meaning=MeaningPlan(kind=meaning, address=address), **more)


def opened(of: CachePlan, directory: Path | None = None) -> Vault:
    return Vault(of, directory, lambda: 0.0)


@pytest.mark.parametrize(
    ("of", "both"),
    [
        (plan(CacheKind.QDRANT, MeaningKind.QDRANT, ":memory:"), True),
        (plan(CacheKind.LOCAL, MeaningKind.QDRANT, ":memory:"), False),
        (plan(CacheKind.CHROMA, MeaningKind.CHROMA, "http://c:1"), True),
        (plan(CacheKind.LOCAL, MeaningKind.CHROMA, "http://c:1"), False),
        (plan(CacheKind.REDIS, MeaningKind.REDIS, redis=REDIS), False),
        (plan(CacheKind.LOCAL, MeaningKind.EMBEDDED), False),
    ],
)
async def test_answers_share_the_server_of_the_vectors_only_where_they_are_there(of, both):
    vault = opened(of)
    assert vault.meanings is not None
    assert (vault.answers is not None) == both
    await vault.meanings.aclose()


def test_without_a_semantic_cache_nothing_is_opened():
    assert opened(CachePlan()).meanings is None


def test_redis_without_a_place_is_refused():
    with pytest.raises(ValueError, match="no place"):
        opened(plan(CacheKind.LOCAL, MeaningKind.REDIS))


@pytest.mark.parametrize(
    ("kind", "configured", "where"),
    [
        (CacheKind.LOCAL, None, None),
        (CacheKind.DISK, None, FOLDER),
        (CacheKind.DISK, "own", "own"),
        (CacheKind.REDIS, None, FOLDER),
    ],
)
async def test_embedded_vectors_are_in_a_file_unless_answers_are_in_memory(
    tmp_path, kind, configured, where
):
    own = None if configured is None else str(tmp_path / configured)
    vault = opened(plan(kind, MeaningKind.EMBEDDED, directory=own), tmp_path)
    assert vault.meanings is not None
    question = Remembered(key="k", space="n", partition="n:p", sides=(), expires=1e12)
    await vault.meanings.add(question, (1.0,))
    assert vault.meanings.fault is None
    found = [path.parent.name for path in tmp_path.rglob("*.db")]
    assert found == ([] if where is None else [where])
    await vault.meanings.aclose()


def test_a_local_model_is_kept_over_reloads_and_an_alias_is_not():
    embedders = Embedders()
    local = MeaningPlan()
    made = [embedders.of(local, None, (), lambda: 0.0) for _ in range(2)]  # pyright: ignore[reportArgumentType]
    assert isinstance(made[0], LocalEmbedder)
    assert made[0] is made[1]
    alias = replace(local, embedding=AliasName("embed"))
    served = (served_by("embed", "e", Dialect.OPENAI), served_by("cheap", "a"))
    found = embedders.of(alias, None, served, lambda: 0.0)  # pyright: ignore[reportArgumentType]
    assert isinstance(found, AliasEmbedder)
    assert found.model == behind_of(AliasName("embed"), served)
    embedders.close()


def test_what_stands_behind_an_alias_does_not_depend_on_the_order():
    one, other = served_by("embed", "a"), replace(served_by("embed", "b"), model="m2")
    assert behind_of(AliasName("embed"), (one, other)) == behind_of(
        AliasName("embed"), (other, one)
    )
    assert behind_of(AliasName("embed"), (one,)) != behind_of(AliasName("embed"), (other,))
