"""Finding and opening the books of a configuration, which need not be ready to serve."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest

from support.books import BooksOnDisk
from support.ledger import entry
from tiergate.base.values import Secret
from tiergate.core.ledger import Filter
from tiergate.core.rules import StorePlan
from tiergate.ports import StoreDownError
from tiergate.wiring.books import Books, BooksError, find_books


def test_keys_of_providers_need_not_be_at_hand(tmp_path):
    made = BooksOnDisk.make(tmp_path)
    found = find_books([made.config], {})
    assert (found.directory, found.timezone) == (made.state, "UTC")


def test_the_zone_is_that_of_the_budgets(tmp_path):
    made = BooksOnDisk.make(tmp_path)
    made.config.write_text(made.config.read_text() + "  budget_timezone: Europe/Berlin\n")
    assert find_books([made.config], {}).timezone == "Europe/Berlin"


def test_a_configuration_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BooksError, match=r"nowhere\.yaml"):
        find_books([tmp_path / "nowhere.yaml"], {})


def test_the_ledger_is_opened_and_read(tmp_path):
    made = BooksOnDisk.make(tmp_path)
    source = made.record([entry(1)])

    async def read():
        books = find_books([made.config], {})
        ledger = await books.open_ledger()
        found = await ledger.entries(Filter(), limit=9)
        await ledger.aclose()
        return ledger.source, found[0], await books.counters(source)

    assert asyncio.run(read()) == (source, [entry(1)], [])


def test_books_in_memory_are_only_the_gateways(tmp_path):
    books = Books(StorePlan(directory=":memory:"), tmp_path, "UTC")
    with pytest.raises(BooksError, match="GET /ledger"):
        asyncio.run(books.open_ledger())


def test_a_ledger_of_a_newer_version_is_refused_in_words(tmp_path):
    made = BooksOnDisk.make(tmp_path)
    made.record([])
    newer = tmp_path / "state" / "ledger.db"
    _set_newest_version(newer)
    with pytest.raises(BooksError, match="newer"):
        asyncio.run(find_books([made.config], {}).open_ledger())


def test_a_database_that_cannot_be_reached_is_named_without_its_password(tmp_path):
    url = Secret("postgresql://tiergate:hidden-word@127.0.0.1:9/books")
    books = Books(StorePlan(database_url=url), tmp_path, "UTC")
    with pytest.raises((BooksError, StoreDownError)) as caught:
        asyncio.run(books.open_ledger())
    assert "hidden-word" not in str(caught.value)


def _set_newest_version(path):
    connection = sqlite3.connect(path)
    connection.execute("UPDATE tiergate_schema SET version = 9999")
    connection.commit()
    connection.close()
