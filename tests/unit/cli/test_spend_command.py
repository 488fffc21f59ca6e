"""`tiergate spend` over a real ledger."""

from __future__ import annotations

import csv
import io
import json

import pytest

from support.books import BooksOnDisk
from support.ledger import DAY, NOON, entry

KEY = "ab" * 32
RECORDS = (
    entry(1, key=KEY, key_name="build", team="red", cost=10**9),
    entry(2, wall=NOON + DAY, served="cheap", provider="openai", cost=2 * 10**9),
    entry(3, wall=NOON + 11.5 * 3600, cost=4 * 10**9, served="balanced"),
)


@pytest.fixture
def books(tmp_path):
    books = BooksOnDisk.make(tmp_path)
    books.record(RECORDS)
    return books


def rows(books, *args: str) -> list[tuple[str, ...]]:
    result = books.run("spend", "--csv", *args)
    assert result.exit_code == 0, result.output
    return [tuple(row) for row in csv.reader(io.StringIO(result.output))][1:]


def test_it_shows_aliases_unless_told_otherwise(books):
    result = books.run("spend")
    assert result.exit_code == 0, result.output
    assert [line.split()[0] for line in result.output.splitlines()[2:5]] == [
        "balanced",
        "cheap",
        "frontier",
    ]


def test_groups_can_be_combined(books):
    assert [row[:2] for row in rows(books, "--by", "provider,team")] == [
        ("anthropic", ""),
        ("openai", ""),
        ("anthropic", "red"),
    ]


@pytest.mark.parametrize(
    ("options", "aliases"),
    [
        (["--since", "2026-11-25"], ["cheap"]),
        (["--until", "2026-11-24"], ["balanced", "frontier"]),
        (["--where", "provider=openai"], ["cheap"]),
        (["--where", "team=red", "--where", "alias=frontier"], ["frontier"]),
        (["--since", "2026-11-25", "--tz", "Europe/Berlin"], ["balanced", "cheap"]),
    ],
)
def test_filters(books, options, aliases):
    assert [row[0] for row in rows(books, *options)] == aliases


def test_days_are_those_of_the_time_zone(books):
    days = {row[1]: row[0] for row in rows(books, "--day", "--tz", "Europe/Berlin")}
    assert days == {"frontier": "2026-11-24", "balanced": "2026-11-25", "cheap": "2026-11-25"}
    assert {row[0] for row in rows(books, "--month")} == {"2026-11-01"}
    assert {row[0] for row in rows(books, "--week")} == {"2026-11-23"}


def test_keys_are_called_by_name(books):
    assert "build (abababababab)" in books.run("spend", "--by", "key").output
    found = json.loads(books.run("spend", "--by", "key", "--json").output)
    assert found["key_names"] == {KEY: "build"}


def test_every_group_can_be_asked_for(books):
    names = (
        "alias asked provider model deployment key user team end_user tag ticket session phase "
        "workflow status"
    )
    for name in names.split():
        assert books.run("spend", "--by", name).exit_code == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--by", "colour"], "'colour' is no group"),
        (["--since", "someday"], "'someday' is no time"),
        (["--where", "alias"], "GROUP=VALUE"),
        (["--tz", "Mars/Base"], "'Mars/Base' is no time zone"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(books, options, says):
    result = books.run("spend", *options)
    assert result.exit_code == 2
    assert says in result.output


def test_no_ledger_is_said_and_none_is_made(tmp_path):
    books = BooksOnDisk.make(tmp_path)
    result = books.run("spend")
    assert result.exit_code == 1
    assert "There is no ledger at" in result.output
    assert not books.state.exists()
