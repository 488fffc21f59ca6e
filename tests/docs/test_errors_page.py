"""The page of errors names every code that the gateway can answer, as it is answered."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.error_codes import answered

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "errors.md").read_text("utf-8")
ROW = re.compile(r"^\| (\d{3}) \| ([^|]*) \| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
ROWS = ROW.findall(PAGE)
CODE = re.compile(r"`([a-z_-]+)`")
TOLD = {code: row for row in ROWS for code in CODE.findall(row[1])}


def test_every_code_is_on_the_page_and_no_other():
    assert set(TOLD) == {error.code for error in answered()}, "see docs/reference/errors.md"


def test_no_code_is_on_the_page_twice():
    assert len(TOLD) == sum(len(CODE.findall(row[1])) for row in ROWS)


def test_every_row_of_every_table_is_read():
    assert len(ROWS) == len(re.findall(r"^\| \d{3}", PAGE, re.MULTILINE))


@pytest.mark.parametrize("code", sorted(TOLD))
def test_the_status_is_the_one_that_is_answered(code):
    status, _, _, means, _ = TOLD[code]
    possible = {status, *re.findall(r"\b[45]\d{2}\b", means)}
    for error in answered():
        if error.code == code and error.status is not None:
            assert str(error.status) in possible, error.place


@pytest.mark.parametrize("code", sorted(TOLD))
def test_the_type_is_the_one_that_is_answered(code):
    types = {error.type for error in answered() if error.code == code} - {None}
    assert not types or TOLD[code][2] in types


@pytest.mark.parametrize("row", ROWS, ids=[row[1] for row in ROWS])
def test_every_error_has_a_meaning_and_something_to_do(row):
    _, _, _, means, advice = row
    assert len(means) >= 10
    assert len(advice) >= 8
