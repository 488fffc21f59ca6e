"""Fields of requests about keys: what acts, what is refused with its reason, what is only told."""

from __future__ import annotations

import pytest

from tiergate.base.errors import Refused
from tiergate.core.key_fields import (
    HARMLESS,
    REFUSED,
    check_fields,
    read_count,
    read_flag,
    read_object,
    read_text,
    read_texts,
    read_usd,
    required_text,
)
from tiergate.core.key_terms import KEY_FIELDS, TEAM_FIELDS, USER_FIELDS


def refusal(call, *args) -> Refused:
    with pytest.raises(Refused) as caught:
        call(*args)
    assert caught.value.status == 400
    return caught.value


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_field_that_would_narrow_a_key_and_does_not_act_is_refused_with_a_way_out(name):
    told = refusal(check_fields, {name: ["x"]}, KEY_FIELDS)
    assert told.param == name
    assert told.message.startswith(f"`{name}` cannot be kept to. ")
    assert told.message.endswith(".")


@pytest.mark.parametrize("name", sorted(REFUSED))
@pytest.mark.parametrize("empty", [None, False, 0, "", [], {}])
def test_an_empty_value_of_such_a_field_asks_for_nothing(name, empty):
    assert check_fields({name: empty}, KEY_FIELDS) == ()


@pytest.mark.parametrize("name", sorted(HARMLESS))
def test_a_field_that_changes_nothing_is_told(name):
    (warning,) = check_fields({name: True}, KEY_FIELDS)
    assert warning.startswith(f"`{name}` has no effect")


def test_a_field_is_either_acted_on_or_refused_or_told():
    acting = KEY_FIELDS | USER_FIELDS | TEAM_FIELDS
    assert acting.isdisjoint(REFUSED)
    assert acting.isdisjoint(HARMLESS)
    assert REFUSED.keys().isdisjoint(HARMLESS)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("max_buget", "Did you mean `max_budget`?"),
        ("rpm", "Known: "),
        ("model", "Did you mean `models`?"),
        ("x" * 5000, "..."),
    ],
)
def test_an_unknown_field_is_refused_with_the_nearest_known_one(name, says):
    told = refusal(check_fields, {name: 1}, KEY_FIELDS)
    assert told.code == "unknown_field"
    assert says in told.message
    assert len(told.message) < 1000


def test_what_litellm_obeys_in_metadata_is_refused_there_too():
    told = refusal(check_fields, {"metadata": {"model_rpm_limit": {"cheap": 1}}}, KEY_FIELDS)
    assert "metadata.model_rpm_limit" in told.message
    assert check_fields({"metadata": {"note": "x", "guardrails": []}}, KEY_FIELDS) == ()


@pytest.mark.parametrize(
    ("value", "nano"), [(None, None), (0, 0), (10, 10_000_000_000), (0.1, 100_000_000)]
)
def test_money_is_read_exactly(value, nano):
    assert read_usd(value, "max_budget") == nano


@pytest.mark.parametrize("value", [-1, True, "10", float("nan"), float("inf"), 10**12, [1]])
def test_what_is_no_amount_is_refused(value):
    assert refusal(read_usd, value, "max_budget").param == "max_budget"


@pytest.mark.parametrize("value", [-1, True, 1.5, "10", 10**13])
def test_what_is_no_count_is_refused(value):
    refusal(read_count, value, "rpm_limit")


def test_counts_and_their_absence_are_read():
    assert [read_count(value, "rpm_limit") for value in (None, 0, 5)] == [None, 0, 5]


@pytest.mark.parametrize("value", [5, "a\nb", "x" * 257, ["x"]])
def test_what_is_no_name_in_one_line_is_refused(value):
    refusal(read_text, value, "key_alias")


@pytest.mark.parametrize("value", ["cheap", [""], [None], [5], ["x"] * 1001])
def test_what_is_no_list_of_names_is_refused(value):
    refusal(read_texts, value, "models")


def test_names_are_read_once_each_in_their_order():
    assert read_texts(["b", " a ", "b"], "models") == ("b", "a")
    assert read_texts(None, "models") == ()
    assert read_text(None, "key_alias") == ""


def test_switches_objects_and_required_texts_are_read_or_refused():
    assert [read_flag(value, "blocked") for value in (None, False, True)] == [False, False, True]
    refusal(read_flag, "yes", "blocked")
    assert read_object({"a": 1}, "metadata") == {"a": 1}
    refusal(read_object, [1], "metadata")
    assert required_text({"user_id": "ann"}, "user_id") == "ann"
    assert refusal(required_text, {}, "user_id").code == "missing_parameter"
