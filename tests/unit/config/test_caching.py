"""The response cache as a file describes it: what acts, what is refused, what is only said."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import Bench
from tiergate.base.values import Dialect, Operation, Secret
from tiergate.config.findings import Severity
from tiergate.config.stores import EXTRAS
from tiergate.core.cache_plan import CacheKind, CachePlan
from tiergate.core.caching import ALL_DOORS, CachePolicy
from tiergate.core.meaning_plan import MeaningKind

MODELS = "model_list: [{model_name: cheap, litellm_params: {model: openai/m, api_key: sk-key}}]\n"


def load(folder: Path, litellm: str, rest: str = "", extras=EXTRAS, **more: object):
    text = f"{MODELS}litellm_settings: {{{litellm}}}\n{rest}"
    return Bench(folder, extras=extras).load(text, **more)


def plan(folder: Path, litellm: str, rest: str = "") -> CachePlan | None:
    loaded = load(folder, litellm, rest)
    assert loaded.settings is not None, [str(f) for f in loaded.findings]
    return loaded.settings.cache


def said(folder: Path, litellm: str, rest: str = "", **more: object) -> list[tuple[str, str]]:
    """The findings about the cache: severity and code."""
    loaded = load(folder, litellm, rest, **more)
    return [(f.severity.value, f.code) for f in loaded.findings if "cache" in f.path]


def test_without_a_word_there_is_no_cache(tmp_path):
    assert plan(tmp_path, "drop_params: true") is None
    assert plan(tmp_path, "cache: false") is None


def test_cache_true_alone_is_a_cache_in_memory(tmp_path):
    assert plan(tmp_path, "cache: true") == CachePlan()


def test_the_router_s_word_for_it_works_too(tmp_path):
    rest = "router_settings: {cache_responses: true}\n"
    assert plan(tmp_path, "drop_params: true", rest) == CachePlan()
    assert plan(tmp_path, "cache: false", rest) is None


def test_params_without_the_switch_are_told(tmp_path):
    assert plan(tmp_path, "cache_params: {type: local}") is None
    assert said(tmp_path, "cache_params: {type: local}") == [("notice", "cache-off")]


def test_every_setting_of_the_policy_acts(tmp_path):
    found = plan(
        tmp_path,
        "cache: true, cache_params: {type: local, ttl: 5min, namespace: backlog, "
        "mode: default_off, supported_call_types: [acompletion, aembedding, arerank], "
        "share: [users, keys], max_entry_bytes: 1000, max_bytes: 5000}",
    )
    assert found == CachePlan(
        policy=CachePolicy(
            ttl=300.0,
            namespace="backlog",
            default_on=False,
            doors=frozenset(
                {
                    (Dialect.OPENAI, Operation.CHAT),
                    (Dialect.OPENAI, Operation.EMBEDDING),
                }
            ),
            share_users=True,
            share_keys=True,
            most_bytes=1000,
        ),
        most_bytes=5000,
    )


def test_one_word_stands_for_a_list_of_one(tmp_path):
    found = plan(
        tmp_path, "cache: true, cache_params: {share: users, supported_call_types: completion}"
    )
    assert found is not None
    assert found.policy.share_users and not found.policy.share_keys
    assert found.policy.doors == {(Dialect.OPENAI, Operation.CHAT)}


@pytest.mark.parametrize(
    ("litellm", "ttl"),
    [
        ("cache: true, cache_params: {type: local}", 3600.0),
        ("cache: true, cache_params: {ttl: 5, default_in_memory_ttl: 7}", 5.0),
        ("cache: true, cache_params: {default_in_memory_ttl: 7, default_in_redis_ttl: 8}", 7.0),
        ("cache: true, cache_params: {type: redis, default_in_redis_ttl: 8}", 8.0),
        ("cache: true, default_in_memory_ttl: 9, default_redis_ttl: 10", 9.0),
        (
            "cache: true, default_redis_ttl: 10, cache_params: {type: redis}",
            10.0,
        ),
    ],
)
def test_the_nearest_word_on_the_time_counts(tmp_path, litellm, ttl):
    found = plan(tmp_path, litellm)
    assert found is not None
    assert found.policy.ttl == ttl


def test_other_kinds_are_taken_over(tmp_path):
    disk = plan(tmp_path, "cache: true, cache_params: {type: disk, disk_cache_dir: /x}")
    assert disk is not None
    assert (disk.kind, disk.directory) == (CacheKind.DISK, "/x")
    sealed = plan(tmp_path, "cache: true, cache_params: {type: disk, encryption_key: abcdefgh}")
    assert sealed is not None
    assert sealed.encryption_key == Secret("abcdefgh")
    quick = plan(tmp_path, "cache: true, cache_params: {type: redis, socket_timeout: 0.02}")
    assert quick is not None
    assert (quick.kind, quick.wait) == (CacheKind.REDIS, 0.02)


@pytest.mark.parametrize(
    "params",
    [
        "type: chromadbs",
        "type: memory",
        "mode: sometimes",
        "namespace: 'a b'",
        "namespace: 'a*'",
        "share: [tenants]",
        "supported_call_types: [acompletions]",
    ],
)
def test_a_word_that_is_not_known_stops_the_start(tmp_path, params):
    found = said(tmp_path, f"cache: true, cache_params: {{{params}}}")
    assert found == [("error", "unknown-value")]


@pytest.mark.parametrize("params", ["ttl: 0", "ttl: -5", "ttl: 2y", "max_bytes: 0", "ttl: []"])
def test_a_number_that_cannot_be_stops_the_start(tmp_path, params):
    found = said(tmp_path, f"cache: true, cache_params: {{{params}}}")
    assert {severity for severity, _ in found} == {"error"}


@pytest.mark.parametrize(
    ("kind", "answers", "vectors"),
    [
        ("redis-semantic", CacheKind.REDIS, MeaningKind.REDIS),
        ("redis-vss", CacheKind.REDIS, MeaningKind.REDIS),
        ("qdrant-semantic", CacheKind.QDRANT, MeaningKind.QDRANT),
        ("qdrant", CacheKind.QDRANT, MeaningKind.QDRANT),
        ("chromadb", CacheKind.CHROMA, MeaningKind.CHROMA),
        ("embedded-semantic", CacheKind.DISK, MeaningKind.EMBEDDED),
    ],
)
def test_a_semantic_kind_keeps_answers_and_vectors_in_one_store(tmp_path, kind, answers, vectors):
    text = (
        f"cache: true, cache_params: {{type: {kind}, similarity_threshold: 0.8, "
        "qdrant_api_base: 'http://q:6333', chroma_api_base: 'http://c:8000'}"
    )
    found = plan(tmp_path, text)
    assert found is not None
    assert found.meaning is not None
    assert (found.kind, found.meaning.kind) == (answers, vectors)
    assert (found.redis is not None) == (answers is CacheKind.REDIS)


def test_what_does_nothing_with_this_kind_is_told(tmp_path):
    text = "cache: true, cache_params: {type: local, disk_cache_dir: /x, encryption_key: abcdefgh}"
    assert said(tmp_path, text) == [("notice", "no-effect")] * 2
    redis = "cache: true, cache_params: {type: redis, max_bytes: 5}"
    assert ("notice", "no-effect") in said(tmp_path, redis)


def test_a_kind_of_call_that_is_not_served_here_is_told(tmp_path):
    text = "cache: true, cache_params: {supported_call_types: [acompletion, atranscription]}"
    assert said(tmp_path, text) == [("notice", "no-effect")]


def test_a_time_in_words_is_told_in_seconds(tmp_path):
    assert said(tmp_path, "cache: true, cache_params: {ttl: 1h}") == [("notice", "converted")]


def test_a_long_wait_for_the_store_is_cut(tmp_path):
    text = "cache: true, cache_params: {type: redis, socket_timeout: 60}"
    found = plan(tmp_path, text)
    assert found is not None
    assert found.wait == 5.0
    assert ("warning", "read-as") in said(tmp_path, text)


@pytest.mark.parametrize(
    "params",
    [
        "type: redis",
        "type: s3, s3_bucket_name: b",
        "type: disk, encryption_key: abcdefgh",
    ],
)
def test_a_package_that_is_missing_is_named(tmp_path, params):
    found = load(tmp_path, f"cache: true, cache_params: {{{params}}}", extras=frozenset())
    missing = [f for f in found.findings if f.code == "missing-extra"]
    assert missing
    assert all(f.severity is Severity.ERROR and "pip install" in f.advice for f in missing)
    assert found.settings is None


def test_a_misspelt_key_is_an_error(tmp_path):
    assert said(tmp_path, "cache: true, cache_params: {tll: 5}") == [("error", "unknown-key")]


def test_the_report_shows_what_acts(tmp_path):
    loaded = load(tmp_path, "cache: true, cache_params: {namespace: backlog}")
    rows = {row.path: row.value for row in loaded.report if "cache" in row.path}
    assert rows["litellm_settings.cache"] == "true"
    assert rows["litellm_settings.cache_params.namespace"] == "backlog"
    assert rows["litellm_settings.cache_params.ttl"] == "3600"
    assert "litellm_settings.cache_params.max_bytes" in rows


def test_all_kinds_of_calls_are_cached_where_none_is_named():
    assert CachePolicy().doors == ALL_DOORS
