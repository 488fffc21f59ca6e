from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import KEY, Bench, Loaded, said
from tiergate.core.catalog import Deployment

ENTRY = "{model_name: %s, litellm_params: {model: openai/gpt-4o}%s}"


def load(folder: Path, *entries: str, lenient: bool = False) -> Loaded:
    return Bench(folder).load(f"model_list: [{', '.join(entries)}]\n" + KEY, lenient=lenient)


def deployments(loaded: Loaded) -> tuple[Deployment, ...]:
    assert loaded.settings is not None, [str(each) for each in loaded.findings]
    return loaded.settings.deployments


def test_entries_with_one_name_are_deployments_of_one_alias(tmp_path: Path) -> None:
    found = deployments(load(tmp_path, ENTRY % ("a", ""), ENTRY % ("b", ""), ENTRY % ("a", "")))

    assert [each.alias for each in found] == ["a", "b", "a"]
    assert len({each.id for each in found}) == 3


def test_a_bare_entry_adds_its_model_info_to_all_deployments_of_the_alias(
    tmp_path: Path,
) -> None:
    addition = "{model_name: a, model_info: {supported_environments: [x], team: blue}}"
    loaded = load(
        tmp_path,
        ENTRY % ("a", ""),
        addition,
        ENTRY % ("a", ", model_info: {id: q}"),
        ENTRY % ("b", ""),
    )
    found = deployments(loaded)

    assert [each.environments for each in found] == [("x",), ("x",), ()]
    assert [dict(each.info) for each in found] == [{"team": "blue"}, {"team": "blue"}, {}]
    assert len(said(loaded, "model-info-added")) == 1


def test_an_addition_may_stand_before_what_it_adds_to(tmp_path: Path) -> None:
    addition = "{model_name: a, litellm_params: , model_info: {supported_environments: [x]}}"

    assert deployments(load(tmp_path, addition, ENTRY % ("a", "")))[0].environments == ("x",)


def test_lists_of_several_additions_are_put_together(tmp_path: Path) -> None:
    entries = [f"{{model_name: a, model_info: {{supported_environments: [{x}]}}}}" for x in "xyx"]

    assert deployments(load(tmp_path, ENTRY % ("a", ""), *entries))[0].environments == ("x", "y")


def test_an_addition_to_nobody_is_an_error_with_the_nearest_alias(tmp_path: Path) -> None:
    loaded = load(tmp_path, ENTRY % ("cheap", ""), "{model_name: cheep, model_info: {a: 1}}")

    assert loaded.settings is None
    assert loaded.findings[0].advice == "Did you mean `cheap`?"


def test_an_addition_that_contradicts_is_an_error(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        ENTRY % ("a", ", model_info: {note: x}"),
        "{model_name: a, model_info: {note: y}}",
    )

    assert len(said(loaded, "conflicting-values")) == 1


def test_an_addition_of_nothing_is_warned_of(tmp_path: Path) -> None:
    loaded = load(tmp_path, ENTRY % ("a", ""), "{model_name: a}")

    assert len(said(loaded, "empty-value")) == 1


def test_a_given_id_twice_is_an_error_that_names_both_lines(tmp_path: Path) -> None:
    one = ENTRY % ("a", ", model_info: {id: x}")
    loaded = load(tmp_path, one, f"\n  {one}")

    (text,) = said(loaded, "duplicate-id")
    assert "model_list[0]" in text
    assert "a.yaml:1" in text


def test_two_keys_for_one_model_are_two_deployments(tmp_path: Path) -> None:
    entry = "{model_name: a, litellm_params: {model: openai/gpt-4o, api_key: %s}}"
    found = deployments(load(tmp_path, entry % "one", entry % "two", entry % "three"))

    assert len({each.id for each in found}) == 3
    assert found[1].id == f"{found[0].id}-2"
    assert found[2].id == f"{found[0].id}-3"


@pytest.mark.parametrize(
    "entry",
    ["cheap", "[]", "3", "{}", "{litellm_params: {}}", "{model_name: [x]}", "{model_name: '*'}",
     "{model_name: a, litellm_params: [x]}", "{model_name: a, litellm_params: x}",
     "{model_name: a, litellm_params: {model: openai/gpt-4o}, model_info: [1]}"],
)  # fmt: skip
def test_an_entry_of_a_wrong_shape_is_an_error(tmp_path: Path, entry: str) -> None:
    loaded = load(tmp_path, ENTRY % ("good", ""), entry)

    assert loaded.settings is None
    assert "model_list[1]" in str(loaded.findings[0])


@pytest.mark.parametrize("value", ["", "null", "[]", "{}", "3", "{a: {}}"])
@pytest.mark.parametrize("lenient", [True, False])
def test_no_models_are_an_error_however_they_are_written(
    tmp_path: Path, value: str, lenient: bool
) -> None:
    loaded = Bench(tmp_path).load(f"model_list: {value}\n" + KEY, lenient=lenient)

    assert loaded.settings is None
    assert "model_list" in str(loaded.findings[0])
    assert len(loaded.findings) == 1 or lenient


def test_a_number_may_be_an_alias(tmp_path: Path) -> None:
    assert deployments(load(tmp_path, ENTRY % ("2024", "")))[0].alias == "2024"


def test_a_note_in_model_info_is_free_and_a_slip_is_an_error(tmp_path: Path) -> None:
    assert deployments(load(tmp_path, ENTRY % ("a", ", model_info: {my_note: 1}")))
    loaded = load(tmp_path, ENTRY % ("a", ", model_info: {supported_enviroments: [x]}"))

    assert loaded.settings is None
    assert loaded.findings[0].advice == "Did you mean `supported_environments`?"


def test_rates_may_stand_beside_the_model_name(tmp_path: Path) -> None:
    assert deployments(load(tmp_path, ENTRY % ("a", ", rpm: 5, tpm: 6")))[0].rpm == 5
    assert load(tmp_path, ENTRY % ("a", ", rmp: 5")).settings is None
