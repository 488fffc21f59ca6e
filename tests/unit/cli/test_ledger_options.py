"""What commands over the ledger share: it is opened, worked with, closed, and faults are words."""

from __future__ import annotations

import click
import pytest

from support.books import BooksOnDisk
from support.ledger import NOON, entry
from tiergate.cli.ledger_options import filter_of, run_with_books, zone_of
from tiergate.core.ledger import Filter, Group
from tiergate.core.ledger_query import QueryError
from tiergate.core.rules import StorePlan
from tiergate.ports import StoreDownError
from tiergate.wiring.books import Books


@pytest.fixture
def books(tmp_path):
    books = BooksOnDisk.make(tmp_path)
    books.record([entry(1)])
    return books


def test_work_gets_the_ledger_and_its_answer_comes_back(books):
    async def work(_, ledger):
        return (await ledger.entries(Filter(), limit=5))[0]

    assert run_with_books([books.config], work) == [entry(1)]


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        (StoreDownError("PostgreSQL is away."), click.ClickException),
        (QueryError("no time"), click.UsageError),
    ],
)
def test_faults_are_words(books, fault, seen):
    async def work(_, ledger):
        raise fault

    with pytest.raises(seen, match=str(fault)):
        run_with_books([books.config], work)


def test_the_time_zone_is_the_configurations_unless_one_is_named(tmp_path):
    books = Books(StorePlan(), tmp_path, "Europe/Berlin")
    assert zone_of(None, books).key == "Europe/Berlin"
    assert zone_of("Asia/Tokyo", books).key == "Asia/Tokyo"
    with pytest.raises(QueryError, match="Mars"):
        zone_of("Mars", books)


def test_options_become_a_filter(tmp_path):
    zone = zone_of("UTC", Books(StorePlan(), tmp_path, "UTC"))
    assert filter_of(None, None, [], zone) == Filter()
    assert filter_of("2026-11-24", "2026-11-24", ["alias=a"], zone) == Filter(
        since=NOON - 43_200, until=NOON + 43_200, equal=((Group.ALIAS, "a"),)
    )
