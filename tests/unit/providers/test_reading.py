"""Readers of JSON fields."""

from __future__ import annotations

import pytest

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json
from tiergate.providers import reading


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (True, "true"),
        (1.5, "a number"),
        ("x", "a string"),
        ([], "a list"),
        ({}, "an object"),
    ],
)
def test_a_value_is_named_in_plain_words(value: Json, words: str) -> None:
    assert reading.kind_of(value) == words


def test_an_error_names_the_place_and_both_types() -> None:
    with pytest.raises(Refused) as caught:
        reading.required_str({"url": 3}, "url", "messages.2.content.0.image_url")
    assert caught.value.status == 400
    assert caught.value.param == "messages.2.content.0.image_url.url"
    assert caught.value.message == (
        "messages.2.content.0.image_url.url: expected a string, got a number"
    )


def test_absent_and_null_are_the_same() -> None:
    for raw in ({}, {"x": None}):
        assert reading.optional_str(raw, "x", "") is None
        assert reading.optional_bool(raw, "x", "") is None
        assert reading.optional_int(raw, "x", "") is None
        assert reading.optional_number(raw, "x", "") is None
        assert reading.optional_object(raw, "x", "") is None
        assert reading.optional_list(raw, "x", "") == []


def test_true_is_no_number() -> None:
    for reader in (reading.optional_int, reading.optional_number):
        with pytest.raises(Refused, match="got true"):
            reader({"x": True}, "x", "")


def test_a_float_without_fraction_is_a_whole_number() -> None:
    assert reading.optional_int({"x": 3.0}, "x", "") == 3
    with pytest.raises(Refused, match="expected a whole number"):
        reading.optional_int({"x": 3.5}, "x", "")


@pytest.mark.parametrize("value", [0, -1])
def test_a_limit_below_one_is_refused(value: int) -> None:
    with pytest.raises(Refused, match="must be 1 or more"):
        reading.optional_positive({"max_tokens": value}, "max_tokens", "")


def test_a_missing_field_is_said_to_be_required() -> None:
    with pytest.raises(Refused, match="role: this field is required"):
        reading.required_str({}, "role", "messages.0")
    with pytest.raises(Refused, match="file: this field is required"):
        reading.required_object({}, "file", "messages.0")


def test_wrong_containers_are_refused() -> None:
    with pytest.raises(Refused, match="expected a list, got an object"):
        reading.optional_list({"x": {}}, "x", "")
    with pytest.raises(Refused, match="expected an object, got a list"):
        reading.optional_object({"x": []}, "x", "")
    with pytest.raises(Refused, match="expected true or false"):
        reading.optional_bool({"x": "yes"}, "x", "")
    with pytest.raises(Refused, match="expected a string"):
        reading.optional_str({"x": 1}, "x", "")
