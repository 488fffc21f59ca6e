from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import KEY, Bench, said
from tiergate.config.checks.models import is_listed

KNOWN = frozenset({"claude-haiku-4-5", "claude-opus-4-0", "claude-opus-4-1", "gpt-4o"})


def load(folder: Path, *params: str):
    entries = ", ".join(
        f"{{model_name: a{i}, litellm_params: {{{each}}}}}" for i, each in enumerate(params)
    )
    return Bench(folder).load(f"model_list: [{entries}]\n" + KEY)


@pytest.mark.parametrize(
    "model",
    ["claude-haiku-4-5", "claude-haiku-4-5-20251001", "claude-opus-4-20250514",
     "claude-haiku-4-5-latest", "gpt-4o-2024-08-06"],
)  # fmt: skip
def test_ids_with_a_date_are_forms_of_a_known_one(model: str) -> None:
    assert is_listed(model, KNOWN)


@pytest.mark.parametrize(
    "model", ["claude-opus-4", "claude-haiku", "gpt-4", "m-a", "x-20250101", ""]
)
def test_other_ids_are_not_listed(model: str) -> None:
    assert not is_listed(model, KNOWN)


def test_an_id_that_anthropic_does_not_list_is_a_warning_with_the_nearest(
    tmp_path: Path,
) -> None:
    loaded = load(tmp_path, "model: anthropic/claude-opus-4")

    assert loaded.settings is not None
    (line,) = said(loaded, "unknown-model")
    assert line.startswith("warning model_list[0].litellm_params.model:")
    assert line.endswith('"claude-opus-4" is not a model id that anthropic lists')
    assert "claude-opus-4-5" in loaded.findings[0].advice


def test_behind_an_address_of_ones_own_any_id_may_exist(tmp_path: Path) -> None:
    own = "model: openai/mine, api_base: 'http://localhost:1'"

    assert said(load(tmp_path, own), "unknown-model") == []
    assert len(said(load(tmp_path, "model: openai/mine"), "unknown-model")) == 1


def test_tuned_models_exist_for_one_customer_only(tmp_path: Path) -> None:
    assert said(load(tmp_path, "model: 'openai/ft:gpt-4o:me'"), "unknown-model") == []


def test_a_provider_whose_ids_are_not_known_is_not_judged(tmp_path: Path) -> None:
    assert said(load(tmp_path, "model: groq/whatever, api_key: os.environ/OPENAI_API_KEY"),
                "unknown-model") == []  # fmt: skip


def test_a_prefix_minimum_above_1024_is_said_once_for_each_alias(tmp_path: Path) -> None:
    haiku = "model: anthropic/claude-haiku-4-5"
    text = (
        f"model_list: [{{model_name: a, litellm_params: {{{haiku}}}}}, "
        f"{{model_name: a, litellm_params: {{{haiku}, weight: 2}}}}, "
        f"{{model_name: b, litellm_params: {{{haiku}}}}}]\n"
    )
    found = said(Bench(tmp_path).load(text + KEY), "prefix-minimum")

    assert len(found) == 2
    assert "4096 tokens" in found[0]


def test_keys_written_into_the_file_are_counted_in_one_notice(tmp_path: Path) -> None:
    loaded = load(
        tmp_path, "model: openai/gpt-4o, api_key: k1", "model: openai/gpt-5, api_key: k2"
    )

    (line,) = said(loaded, "key-in-file")
    assert "2 provider keys" in line
    assert "k1" not in str(loaded.findings)
