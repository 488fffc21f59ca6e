"""The ledger's own routes: filters, pages, lines, and who may see what."""

from __future__ import annotations

import json

import pytest

from support.asking import answer, told
from support.ledger import DAY, NOON, MemoryLedger, entry
from tiergate.base.errors import Refused
from tiergate.core.caller import Caller
from tiergate.core.ledger_lines import full_line, toolkit_line
from tiergate.web.ledger_routes import NEXT_HEADER, LedgerRoutes

KEY = "ab" * 32
HOLDER = Caller(name="build", key=KEY)
RECORDS = tuple(
    entry(n, key=KEY if n % 2 else "", served="frontier" if n < 4 else "cheap", ticket=f"T-{n}")
    for n in range(1, 6)
)


def ask(path: str, query: str = "", records=RECORDS, **given):
    routes = LedgerRoutes(MemoryLedger(list(records)), lambda: NOON + DAY).routes()
    return told(routes, path, query, **given)


def ids(query: str, **given) -> list[str]:
    return [record["call_id"] for record in answer(ask("/ledger", query, **given))["records"]]


def test_every_page_goes_on_where_the_last_one_stopped():
    found, after = [], ""
    for _ in range(3):
        page = answer(ask("/ledger", f"limit=2{after}"))
        found += [record["call_id"] for record in page["records"]]
        after = f"&after={page['next']}"
    assert found == [f"call-{n}" for n in range(1, 6)]
    page = answer(ask("/ledger", f"limit=2{after}"))
    assert page["records"] == []
    assert f"&after={page['next']}" == after, "a tail waits here for more"


def test_the_newest_come_first_where_that_is_asked_for():
    page = answer(ask("/ledger", "limit=3&order=newest"))
    assert [r["call_id"] for r in page["records"]] == ["call-5", "call-4", "call-3"]
    rest = answer(ask("/ledger", f"limit=3&order=newest&after={page['next']}"))
    assert [r["call_id"] for r in rest["records"]] == ["call-2", "call-1"]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("alias=cheap", [4, 5]),
        ("alias=frontier&ticket=T-2", [2]),
        ("call_id=call-3", [3]),
        ("since=2026-11-24&until=2026-11-24", [1, 2, 3, 4, 5]),
        ("since=2026-11-25", []),
        ("until=2026-11-24T12:00:03", [1, 2]),
        ("since=2026-11-24T14:00:04&tz=Europe/Helsinki", [4, 5]),
        (f"key={KEY}", [1, 3, 5]),
    ],
)
def test_filters_are_those_of_the_command_line(query, numbers):
    assert ids(query) == [f"call-{n}" for n in numbers]


def test_a_key_sees_its_own_records_only():
    assert ids("", caller=HOLDER) == ["call-1", "call-3", "call-5"]
    with pytest.raises(Refused):
        ids(f"key={'cd' * 32}", caller=HOLDER)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("aliass=frontier", "no group of spend"),
        ("order=dearest", "oldest"),
        ("tz=Mars/Base", "no time zone"),
        ("tz=../etc/passwd", "no time zone"),
        ("limit=0", "from 1 to 1000"),
        ("since=someday", "write a day"),
        ("after=-3", "whole number"),
    ],
)
def test_a_question_that_cannot_be_meant_never_shows_everything(query, says):
    with pytest.raises(Refused, match=says):
        ask("/ledger", query)


def test_the_export_is_json_lines_in_the_toolkits_form():
    found = ask("/ledger/export")
    assert found.content_type.startswith("application/x-ndjson")
    assert found.body.decode().splitlines() == [toolkit_line(record) for record in RECORDS]


def test_the_full_export_has_every_field():
    found = ask("/ledger/export", "full=true&limit=1")
    assert found.body.decode() == full_line(RECORDS[0]) + "\n"


def test_the_export_says_where_it_stopped():
    first = ask("/ledger/export", "limit=3")
    mark = dict(first.headers)[NEXT_HEADER]
    second = ask("/ledger/export", f"limit=3&after={mark}")
    lines = (first.body + second.body).decode().splitlines()
    assert [json.loads(line)["ticket_id"] for line in lines] == [f"T-{n}" for n in range(1, 6)]


def test_an_empty_export_is_empty():
    assert ask("/ledger/export", records=()).body == b""
