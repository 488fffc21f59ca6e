"""`tiergate ledger export`: lines in the toolkit's form, at once or as they come."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time

import pytest

from support.books import BooksOnDisk
from support.ledger import DAY, NOON, entry
from tiergate.core.ledger_lines import full_line, toolkit_line

RECORDS = (entry(1, ticket="T-1"), entry(2, wall=NOON + DAY, served="cheap"))


@pytest.fixture
def books(tmp_path):
    books = BooksOnDisk.make(tmp_path)
    books.record(RECORDS)
    return books


def lines(books, *args: str) -> list[str]:
    result = books.run("ledger", "export", *args)
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_records_are_lines_in_the_toolkits_form(books):
    assert lines(books) == [toolkit_line(record) for record in RECORDS]


def test_full_lines_have_every_field(books):
    assert lines(books, "--full") == [full_line(record) for record in RECORDS]


@pytest.mark.parametrize(
    ("options", "records"),
    [
        (["--since", "2026-11-25"], RECORDS[1:]),
        (["--until", "2026-11-24"], RECORDS[:1]),
        (["--where", "ticket=T-1"], RECORDS[:1]),
        (["--where", "ticket=none"], ()),
    ],
)
def test_filters_are_those_of_spend(books, options, records):
    assert lines(books, *options) == [toolkit_line(record) for record in records]


def test_more_records_than_a_page_come_all(books):
    many = [entry(n) for n in range(10, 2511)]
    books.record(many)
    assert lines(books)[2:] == [toolkit_line(record) for record in many]


class Following:
    """`tiergate ledger export --follow` in a process of its own."""

    def __init__(self, books: BooksOnDisk) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tiergate", "ledger", "export", "--follow", "--config",
             str(books.config)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
        )  # fmt: skip

    def read(self, wanted: int) -> list[str]:
        found, end = b"", time.monotonic() + 20
        while found.count(b"\n") < wanted and time.monotonic() < end:
            if select.select([self.process.stdout], [], [], 0.1)[0]:
                found += os.read(self.process.stdout.fileno(), 65536)
        return found.decode().splitlines()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self.process.stdout.close()
        self.process.stderr.close()


@pytest.fixture
def following(books):
    started = Following(books)
    yield started
    started.stop()


def test_following_prints_new_records_as_they_come_and_ends_cleanly(books, following):
    assert following.read(2) == [toolkit_line(record) for record in RECORDS]
    later = entry(9, ticket="T-9")
    books.record([later])
    assert following.read(1) == [toolkit_line(later)]
    following.process.send_signal(signal.SIGINT)
    assert following.process.wait(10) == 0
    assert following.process.stderr.read() == b""


def test_a_reader_who_leaves_ends_it_without_a_word(books, following):
    assert len(following.read(2)) == 2
    following.process.stdout.close()
    books.record([entry(9)])
    assert following.process.wait(10) == 0
    assert following.process.stderr.read() == b""
