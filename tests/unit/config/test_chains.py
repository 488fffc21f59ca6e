from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import Loaded, load_rest, said
from tiergate.base.values import AliasName
from tiergate.config.chains import CHAIN_KEYS, Names
from tiergate.core.catalog import ChainKind, Chains


def chains(folder: Path, rest: str) -> tuple[Chains, Loaded]:
    loaded = load_rest(folder, rest)
    assert loaded.draft is not None
    return loaded.draft.router.chains, loaded


@pytest.mark.parametrize("kind", list(ChainKind))
@pytest.mark.parametrize("section", ["router_settings", "litellm_settings"])
def test_every_kind_of_chain_is_read_from_both_places(
    tmp_path: Path, kind: ChainKind, section: str
) -> None:
    found, loaded = chains(
        tmp_path, f"{section}: {{{CHAIN_KEYS[kind]}: [{{cheap: [balanced]}}]}}\n"
    )

    assert found.of(kind, AliasName("cheap")) == ("balanced",)
    assert loaded.settings is not None


def test_the_star_rule_and_default_fallbacks_serve_all_other_aliases(tmp_path: Path) -> None:
    for rest in (
        'router_settings: {fallbacks: [{"*": [balanced]}]}\n',
        "router_settings: {default_fallbacks: [balanced]}\n",
    ):
        found, _ = chains(tmp_path, rest)

        assert found.default == ("balanced",)


def test_an_empty_chain_is_a_chain(tmp_path: Path) -> None:
    found, loaded = chains(
        tmp_path, "router_settings: {fallbacks: [{cheap: []}], default_fallbacks: [balanced]}\n"
    )

    assert found.of(ChainKind.GENERAL, AliasName("cheap")) == ()
    assert loaded.settings is not None


def test_an_unknown_target_is_an_error_with_the_nearest_alias(tmp_path: Path) -> None:
    _, loaded = chains(tmp_path, "router_settings: {fallbacks: [{cheap: [balancd]}]}\n")

    assert said(loaded, "unknown-alias") == [
        'error router_settings.fallbacks[0].cheap[0]: there is no alias "balancd"'
    ]
    assert loaded.findings[0].advice == "Did you mean `balanced`?"


def test_a_chain_of_an_unknown_alias_is_an_error(tmp_path: Path) -> None:
    _, loaded = chains(tmp_path, "router_settings: {fallbacks: [{mediocre: [cheap]}]}\n")

    assert len(said(loaded, "unknown-alias")) == 1


def test_an_alias_in_its_own_chain_is_an_error(tmp_path: Path) -> None:
    found, loaded = chains(
        tmp_path, "router_settings: {fallbacks: [{cheap: [balanced, cheap]}]}\n"
    )

    assert len(said(loaded, "fallback-to-itself")) == 1
    assert found.general["cheap"] == ("balanced",)


def test_a_target_named_twice_is_tried_once(tmp_path: Path) -> None:
    found, loaded = chains(
        tmp_path, "router_settings: {fallbacks: [{cheap: [balanced, balanced]}]}\n"
    )

    assert found.general["cheap"] == ("balanced",)
    assert loaded.settings is not None
    assert len(said(loaded, "repeated-value")) == 1


def test_other_names_of_aliases_may_be_used(tmp_path: Path) -> None:
    found, _ = chains(
        tmp_path,
        "router_settings: {model_group_alias: {big: balanced}, fallbacks: [{cheap: [big]}]}\n",
    )

    assert found.general["cheap"] == ("balanced",)


def test_two_different_chains_of_one_alias_are_an_error(tmp_path: Path) -> None:
    _, loaded = chains(
        tmp_path, "router_settings: {fallbacks: [{cheap: [balanced]}, {cheap: []}]}\n"
    )

    assert len(said(loaded, "conflicting-values")) == 1


@pytest.mark.parametrize(
    "value",
    [
        "{cheap: balanced}",
        "cheap",
        "[cheap]",
        "[[cheap]]",
        "[{cheap: balanced}]",
        "[{cheap: {model: balanced}}]",
        "[{cheap: [{model: balanced}]}]",
        "[{cheap: [balanced], balanced: []}]",
        "[{}]",
        "[3]",
    ],
)
@pytest.mark.parametrize("key", list(CHAIN_KEYS.values()))
def test_a_wrong_shape_is_an_error_that_names_the_key(
    tmp_path: Path, key: str, value: str
) -> None:
    _, loaded = chains(tmp_path, f"router_settings: {{{key}: {value}}}\n")

    assert loaded.settings is None
    assert key in str(loaded.findings[0])


def test_a_target_in_plain_text_is_told_the_right_form(tmp_path: Path) -> None:
    _, loaded = chains(tmp_path, "router_settings: {fallbacks: [{cheap: balanced}]}\n")

    assert loaded.findings[0].advice == "Write [balanced]."


def test_names_suggest_all_aliases_where_none_is_near() -> None:
    names = Names(frozenset({"cheap", "balanced"}), {})

    assert names.suggest("zzz") == "The aliases are balanced, cheap."
    assert Names(frozenset(), {}).suggest("zzz") == ""
