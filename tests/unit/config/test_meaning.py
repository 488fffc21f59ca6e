"""What the file says of the semantic cache."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from support.config_world import small_world
from tiergate.config.load import Loaded, load
from tiergate.core.meaning import MeaningPolicy
from tiergate.core.meaning_plan import MeaningKind, MeaningPlan

MODELS = """
model_list:
  - {model_name: cheap, litellm_params: {model: openai/gpt-4o, api_key: k}}
  - {model_name: embed, litellm_params: {model: openai/text-embedding-3-small, api_key: k}}
general_settings: {master_key: 7f3kQ9xV2mZp8LwR4tYb}
"""
WITH = "semantic_cache_embedding_model: embed"


def read(
    folder: Path,
    params: str,
    environ: dict[str, str] | None = None,
    extras: frozenset[str] | None = None,
    models: str = MODELS,
) -> Loaded:
    text = f"{models}litellm_settings: {{cache: true, cache_params: {{{params}}}}}\n"
    (folder / "a.yaml").write_text(text)
    known = small_world()
    if extras is not None:
        known = replace(known, extras=extras)
    return load([folder / "a.yaml"], {"K": "k", **(environ or {})}, known=known)


def meaning(folder: Path, params: str, environ: dict[str, str] | None = None) -> MeaningPlan:
    loaded = read(folder, params, environ)
    assert loaded.settings is not None, [str(f) for f in loaded.findings]
    assert loaded.settings.cache is not None
    assert loaded.settings.cache.meaning is not None
    return loaded.settings.cache.meaning


def errors(loaded: Loaded) -> list[tuple[str, str]]:
    return [(f.code, f.message) for f in loaded.findings if f.severity.value == "error"]


def test_without_a_semantic_word_there_is_no_semantic_cache(tmp_path):
    loaded = read(tmp_path, "type: local, similarity_threshold: 0.9")
    assert loaded.settings is not None
    assert loaded.settings.cache is not None
    assert loaded.settings.cache.meaning is None


def test_everything_has_a_default_but_the_address(tmp_path):
    found = meaning(tmp_path, f"semantic_backend: embedded, {WITH}")
    assert found == MeaningPlan(
        policy=MeaningPolicy(), kind=MeaningKind.EMBEDDED, embedding=found.embedding
    )
    assert found.policy.threshold == 0.95


def test_litellms_settings_of_qdrant_are_taken(tmp_path):
    found = meaning(
        tmp_path,
        "type: qdrant-semantic, qdrant_api_base: 'http://q:6333/', qdrant_api_key: os.environ/Q, "
        "qdrant_collection_name: answers, qdrant_semantic_cache_embedding_model: embed, "
        "qdrant_semantic_cache_vector_size: 64, similarity_threshold: 0.8, "
        "semantic_cache_embedding_timeout: 2, semantic_cache_embedding_max_input_tokens: 99",
        {"Q": "secret"},
    )
    assert (found.kind, found.address, found.collection) == (
        MeaningKind.QDRANT,
        "http://q:6333",
        "answers",
    )
    assert found.api_key is not None
    assert found.api_key.value == "secret"
    assert (found.embedding, found.size) == ("embed", 64)
    policy = found.policy
    assert (policy.threshold, policy.timeout, policy.input_tokens) == (0.8, 2.0, 99)


@pytest.mark.parametrize(
    ("kind", "environ", "address"),
    [
        ("qdrant", {"QDRANT_URL": "http://u:1"}, "http://u:1"),
        ("qdrant", {"QDRANT_URL": "http://u:1", "QDRANT_API_BASE": "http://b:1"}, "http://b:1"),
        ("chromadb", {"CHROMA_API_BASE": "http://c:1"}, "http://c:1"),
    ],
)
def test_an_address_may_come_from_the_environment(tmp_path, kind, environ, address):
    assert meaning(tmp_path, f"type: {kind}, {WITH}", environ).address == address


@pytest.mark.parametrize(
    ("params", "code"),
    [
        (f"type: qdrant, {WITH}", "missing-key"),
        (f"type: chromadb, {WITH}", "missing-key"),
        (f"type: chromadb, chroma_api_base: here, {WITH}", "bad-address"),
        ("semantic_backend: embedded, semantic_cache_embedding_model: embeds", "unknown-alias"),
        (f"semantic_backend: faiss, {WITH}", "unknown-value"),
        (f"semantic_backend: embedded, {WITH}, similarity_threshold: 1.5", "wrong-type"),
        (f"semantic_backend: embedded, {WITH}, similarity_threshold: 0", "wrong-type"),
        (
            f"semantic_backend: embedded, {WITH}, semantic_cache_embedding_timeout: 60",
            "wrong-type",
        ),
    ],
)
def test_what_cannot_work_stops_the_start(tmp_path, params, code):
    assert [found for found, _ in errors(read(tmp_path, params))] == [code]


@pytest.mark.parametrize(
    ("params", "extra"),
    [
        (f"type: qdrant, qdrant_api_base: 'http://q:1', {WITH}", "qdrant"),
        (f"type: chromadb, chroma_api_base: 'http://c:1', {WITH}", "chroma"),
        (f"semantic_backend: embedded, {WITH}", "semantic"),
    ],
)
def test_a_missing_package_is_named_with_how_to_install_it(tmp_path, params, extra):
    ((code, message),) = errors(read(tmp_path, params, extras=frozenset()))
    assert code == "missing-extra"
    assert f"tiergate[{extra}]" in message or "not installed" in message


def test_litellms_default_model_is_taken_where_the_file_has_such_an_alias(tmp_path):
    models = MODELS.replace("model_name: embed", "model_name: text-embedding-ada-002")
    loaded = read(tmp_path, "semantic_backend: embedded", models=models)
    assert loaded.settings is not None
    assert loaded.settings.cache is not None
    assert loaded.settings.cache.meaning is not None
    assert loaded.settings.cache.meaning.embedding == "text-embedding-ada-002"


def test_a_local_model_must_be_installed_or_named(tmp_path):
    local = "semantic_backend: embedded, semantic_cache_embedding_model: local"
    here = frozenset({"semantic"})
    assert [code for code, _ in errors(read(tmp_path, local, extras=here))] == ["missing-key"]
    named = f"{local}, semantic_cache_model_dir: /models/mine"
    assert errors(read(tmp_path, named, extras=here)) == []
    assert meaning(tmp_path, local).embedding is None
    assert meaning(tmp_path, named).model_folder == "/models/mine"


def test_tools_and_several_turns_are_asked_only_when_the_file_says_so(tmp_path):
    base = f"semantic_backend: embedded, {WITH}"
    assert not meaning(tmp_path, base).policy.with_tools
    more = "semantic_cache_with_tools: true, semantic_cache_many_turns: true"
    policy = meaning(tmp_path, f"{base}, {more}").policy
    assert policy.with_tools
    assert policy.many_turns
