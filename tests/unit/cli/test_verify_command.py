"""`tiergate ledger verify`: real books on the disk, and a gateway that shows figures."""

from __future__ import annotations

import json
import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from support.books import BooksOnDisk
from support.ledger import NOON, entry
from tiergate.core.pages import Lease, SharedPage

USD = 10**9
FAR = 4e9
"""An expiry in the future, as leases of living workers have it."""

MASTER = "sk-master-0123456789"


def page(source: str, settled: int, *, lost: int = 0, base: dict[str, int] | None = None):
    leases = {"w1": Lease(settled + USD, settled, settled, FAR, source)}
    if lost:
        leases["w2"] = Lease(lost, 0, 0, NOON, source)
    return SharedPage(1793491200, 1796083200, base or {}, leases)  # November 2026


@pytest.fixture
def books(tmp_path):
    return BooksOnDisk.make(tmp_path)


@pytest.fixture
def source(books):
    return books.record([entry(1, cost=3 * USD), entry(2, cost=4 * USD, served="cheap")])


def verify(books, *args: str):
    return books.run("ledger", "verify", "--wait", "0", *args)


def test_books_that_agree_pass(books, source):
    books.count(
        {
            "alias:frontier": page(source, 3 * USD),
            "total:provider:anthropic": page(source, 7 * USD),
        }
    )
    result = verify(books)
    assert result.exit_code == 0, result.output
    assert "All 2 comparisons agree." in result.output
    assert "agrees   alias:frontier  2026-11-01T00:00:00Z to 2026-12-01T00:00:00Z" in result.output


def test_a_nano_too_much_fails_and_is_explained(books, source):
    books.count({"alias:frontier": page(source, 3 * USD + 1)})
    result = verify(books)
    assert result.exit_code == 1
    assert "DIFFERS  alias:frontier" in result.output
    assert "difference 0.000000001 USD" in result.output
    assert "records wait to be written" in result.output


def test_charges_of_lost_workers_and_other_ledgers_are_told_apart(books, source):
    books.count({"alias:frontier": page(source, 3 * USD, lost=2 * USD, base={"elsewhere": USD})})
    result = verify(books)
    assert result.exit_code == 0, result.output
    assert "2 USD more, charged for workers" in result.output
    assert "1 USD more, whose records are in other ledgers" in result.output


def test_rate_limits_are_no_money(books, source):
    books.count({"key:abc#rpm": page(source, 99), "alias:cheap": page(source, 4 * USD)})
    result = verify(books)
    assert result.exit_code == 0, result.output
    assert "1 comparison made, and it agrees" in result.output


def test_without_budgets_there_is_nothing_to_compare(books, source):
    assert "nothing to compare" in verify(books).output
    assert not (books.state / "state.db").exists(), "reading leaves no empty store behind"


def test_json_is_exact(books, source):
    books.count({"alias:frontier": page(source, 3 * USD + 1)})
    found = json.loads(verify(books, "--json").output, parse_float=Decimal)
    assert found["agrees"] is False
    (row,) = found["comparisons"]
    assert (row["check"], row["scope"], row["name"]) == ("ledger", "alias", "frontier")
    assert (row["ledger_usd"], row["counter_usd"]) == (3, Decimal("3.000000001"))


def test_it_asks_again_while_records_come_late(books, source):
    books.count({"alias:frontier": page(source, 5 * USD)})
    late = threading.Timer(0.3, lambda: books.record([entry(8, cost=2 * USD)]))
    late.start()
    result = books.run("ledger", "verify", "--wait", "20")
    late.join()
    assert result.exit_code == 0, result.output


class Gateway:
    """Shows figures as a gateway does, to whoever has the key."""

    def __init__(self) -> None:
        self.spent, self.total = 0, 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if self.headers.get("authorization") != f"Bearer {MASTER}":
                    self.send_error(401)
                    return
                body = outer.page() if self.path == "/metrics" else outer.spend()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                del args

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def page(self) -> bytes:
        labels = 'name="frontier",scope="alias",window="monthly"'
        return f"tiergate_budget_spent_usd{{{labels}}} {self.spent / USD}\n".encode()

    def spend(self) -> bytes:
        return json.dumps({"spend": self.total / USD, "spend_nano_usd": self.total}).encode()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def gateway():
    started = Gateway()
    yield started
    started.stop()


@pytest.fixture
def counted(books, source):
    books.count({"alias:frontier": page(source, 3 * USD)})
    return books


def test_a_gateways_figures_are_compared_too(counted, gateway):
    gateway.spent, gateway.total = 3 * USD, 7 * USD
    result = verify(counted, "--url", gateway.url, "--key", MASTER)
    assert result.exit_code == 0, result.output
    assert "All 3 comparisons agree." in result.output


def test_a_gateway_that_shows_something_else_fails(counted, gateway):
    gateway.spent, gateway.total = 3 * USD, 7 * USD + 1
    result = verify(counted, "--url", gateway.url, "--key", MASTER)
    assert result.exit_code == 1
    assert "1 of 3 comparisons differs." in result.output


def test_charges_of_lost_workers_are_taken_off_the_whole(counted, source, gateway):
    counted.count({"total:provider:anthropic": page(source, 7 * USD, lost=2 * USD)})
    gateway.spent, gateway.total = 3 * USD, 9 * USD
    result = verify(counted, "--url", gateway.url, "--key", MASTER)
    assert result.exit_code == 0, result.output
    assert "/global/spend 7" in result.output


def test_a_missing_key_is_asked_for(counted, gateway):
    result = verify(counted, "--url", gateway.url)
    assert result.exit_code == 1
    assert "answers 401. Give the master key with --key." in result.output


@pytest.mark.parametrize(
    ("url", "says"), [("http://127.0.0.1:9", "does not answer"), ("file:///etc", "no address")]
)
def test_a_gateway_that_is_not_there_is_named(counted, url, says):
    result = verify(counted, "--url", url)
    assert result.exit_code == 1
    assert says in result.output
    assert MASTER not in result.output
