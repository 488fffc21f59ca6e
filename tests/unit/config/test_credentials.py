from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import KEY, Bench, Loaded
from tiergate.core.catalog import Deployment


def load(folder: Path, params: str, env: bool = True, **environ: str) -> Loaded:
    return Bench(folder).load(
        f"model_list: [{{model_name: a, litellm_params: {{{params}}}}}]\n" + KEY,
        environ=environ,
        env=env,
    )


def made(loaded: Loaded) -> Deployment:
    assert loaded.settings is not None, [str(each) for each in loaded.findings]
    return loaded.settings.deployments[0]


def error(loaded: Loaded) -> str:
    assert loaded.settings is None
    return str(loaded.findings[0])


def test_the_key_of_the_file_comes_before_that_of_the_environment(tmp_path: Path) -> None:
    loaded = load(
        tmp_path, "model: openai/gpt-4o, api_key: os.environ/MINE", MINE="m", OPENAI_API_KEY="o"
    )
    key = made(loaded).api_key

    assert key is not None
    assert key.value == "m"
    assert list(loaded.key_origins.values()) == ["MINE"]


def test_without_a_key_the_variable_of_the_host_is_used(tmp_path: Path) -> None:
    loaded = load(tmp_path, "model: openai/gpt-4o", OPENAI_API_KEY="o")
    key = made(loaded).api_key

    assert key is not None
    assert key.value == "o"
    assert list(loaded.key_origins.values()) == ["OPENAI_API_KEY"]


def test_a_host_that_needs_a_key_and_gets_none_stops_the_start(tmp_path: Path) -> None:
    text = error(load(tmp_path, "model: openai/gpt-4o"))

    assert "OPENAI_API_KEY is not set" in text
    assert "model_list[0].litellm_params.api_key" in text


def test_a_local_server_needs_no_key(tmp_path: Path) -> None:
    assert made(load(tmp_path, "model: ollama/llama3")).api_key is None
    address = "api_base: 'http://localhost:1/v1'"
    assert made(load(tmp_path, f"model: openai/mine, {address}")).api_key is None
    assert (
        made(load(tmp_path, "model: openai/x", OPENAI_API_BASE="http://localhost:1/v1")).api_key
        is None
    )


def test_without_variables_at_hand_no_key_is_missed(tmp_path: Path) -> None:
    assert made(load(tmp_path, "model: openai/gpt-4o", env=False)).api_key is None


def test_addresses_of_file_environment_and_host_come_in_this_order(tmp_path: Path) -> None:
    base = {"OPENAI_API_KEY": "k", "OPENAI_API_BASE": "https://env.example/v1/"}
    own = "model: openai/x, api_base: 'https://own.example/v1//'"

    assert made(load(tmp_path, own, **base)).api_base == "https://own.example/v1"
    assert made(load(tmp_path, "model: openai/x", **base)).api_base == "https://env.example/v1"
    assert (
        made(load(tmp_path, "model: openai/x", OPENAI_API_KEY="k")).api_base
        == "https://api.openai.com/v1"
    )
    assert made(load(tmp_path, "model: openai/x, base_url: 'http://b'")).api_base == "http://b"


@pytest.mark.parametrize(
    "address",
    ["localhost:8000", "ftp://x", "http://", "https://h/v1?a=b", "https://h#x", "http://h:0",
     "http://h:99999", "http://[", "//h"],
)  # fmt: skip
def test_a_bad_address_is_an_error(tmp_path: Path, address: str) -> None:
    text = error(load(tmp_path, f"model: openai/x, api_key: k, api_base: '{address}'"))

    assert "api_base" in text


def test_a_host_without_a_public_address_asks_for_one(tmp_path: Path) -> None:
    assert "has no public address" in error(load(tmp_path, "model: hosted_vllm/x"))


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("antropic/claude-haiku-4-5", "Did you mean `anthropic`?"),
        ("bedrock/x", "not served yet"),
        ("mystery", "Write provider/mystery"),
        ("anthropic", "Write anthropic/MODEL"),
        ("openai/", "names no model"),
        ("/x", "is not known"),
        ("'openai/*'", "wildcard"),
        ("''", "empty text"),
        ("3", "in quotes"),
        ("[a]", "provider/model"),
    ],
)
def test_a_model_that_means_nothing_says_what_to_write(
    tmp_path: Path, model: str, words: str
) -> None:
    assert words in error(load(tmp_path, f"model: {model}"))


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    assert "litellm_params.model: is missing" in error(load(tmp_path, "api_key: k"))


def test_the_provider_may_be_named_apart(tmp_path: Path) -> None:
    for model in ("llama", "groq/llama"):
        found = made(load(tmp_path, f"model: {model}, custom_llm_provider: groq, api_key: k"))

        assert (found.provider, found.model) == ("groq", "llama")


@pytest.mark.parametrize("key", ["two words", "line\\nbreak", "kéy"])
def test_a_key_that_no_header_can_carry_is_an_error_and_not_shown(
    tmp_path: Path, key: str
) -> None:
    text = error(load(tmp_path, f'model: openai/x, api_key: "{key}"'))

    assert "api_key" in text
    assert "words" not in text


def test_a_host_may_take_a_key_without_needing_one(tmp_path: Path) -> None:
    found = made(load(tmp_path, "model: ollama/llama3, api_key: k"))

    assert found.api_key is not None
