"""`tiergate fallback` over the gateway's own routes, asked by HTTP."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest
from click.testing import CliRunner, Result

from support.attempts import general
from support.fallbacks import Desk, routes_of
from tiergate.cli import fallback_command
from tiergate.cli.main import main
from tiergate.config import durations
from tiergate.core.caller import MASTER
from tiergate.web.admin import Asked, Found, Routes, read_object, read_query
from tiergate.web.fallback_routes import FallbackRoutes


class Gateway(BaseHTTPRequestHandler):
    """Answers as the gateway does, with its own routes."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path, _, query = self.path.partition("?")
        found = self.server.table.find(self.command, path)  # pyright: ignore[reportAttributeAccessIssue]
        assert isinstance(found, Found)
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        asked = Asked(
            method=self.command,
            path=path,
            query=read_query(query),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=read_object(body),
            caller=MASTER,
            rest=found.rest,
        )
        told = asyncio.run(found.route.handler(asked))  # pyright: ignore[reportArgumentType]
        self.send_response(told.status)
        self.end_headers()
        self.wfile.write(msgspec.json.encode(told.body))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


class Bench:
    """A gateway's routes, and the command that asks them."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.desk = Desk(made=routes_of(general(cheap="balanced")))
        routes = FallbackRoutes(self.desk.book, durations.seconds).routes()
        server.table = Routes(routes)  # pyright: ignore[reportAttributeAccessIssue]
        self._url = f"http://127.0.0.1:{server.server_address[1]}"

    def run(self, verb: str, *words: str) -> Result:
        return CliRunner().invoke(main, ["fallback", verb, "--url", self._url, *words])

    def said(self, verb: str, *words: str) -> str:
        result = self.run(verb, *words)
        assert result.exit_code == 0, result.output
        return result.output


@pytest.fixture
def bench() -> Iterator[Bench]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Bench(running)
    running.shutdown()
    thread.join()
    running.server_close()


def test_routes_are_listed_with_where_they_come_from(bench: Bench) -> None:
    bench.said("add", "local", "frontier", "cheap", "--author", "ada", "--note", "an outage")
    lines = bench.said("list").splitlines()
    assert lines[0].split() == ["type", "alias", "targets", "from", "by", "note"]
    assert lines[2].split() == ["general", "cheap", "balanced", "file"]
    assert " ".join(lines[3].split()) == ("general local frontier, cheap runtime ada an outage")
    assert len(bench.said("list", "--model", "cheap").splitlines()) == 3
    assert bench.said("list", "--type", "budget") == "There are no fallback routes.\n"


def test_a_route_is_added_for_a_time(bench: Bench) -> None:
    said = bench.said("add", "cheap", "local", "--expires-in", "2h")
    assert said == (
        "The general fallback route of cheap is [local]; it was [balanced]. "
        "It ends at 2026-09-21T16:13:20.000Z.\n"
    )
    (route,) = bench.desk.book.listing().routes
    assert route.targets == ("local",)


def test_a_route_is_removed_and_the_files_comes_back(bench: Bench) -> None:
    assert "is switched off" in bench.said("remove", "cheap")
    assert "switched off" in bench.said("list")
    assert bench.desk.chain("cheap") == ""
    assert "is [balanced]" in bench.said("restore", "cheap")
    assert bench.desk.chain("cheap") == "balanced"
    assert "comes back at" in bench.said("remove", "cheap", "--expires-in", "60")


def test_changes_are_told_with_who_and_why(bench: Bench) -> None:
    assert bench.said("audit") == "No fallback route has been changed.\n"
    bench.said("add", "cheap", "local", "--author", "ada", "--note", "why")
    bench.said("remove", "cheap", "--author", "grace")
    lines = bench.said("audit").splitlines()
    assert "grace" in lines[2]
    assert "local (runtime)" in lines[2]
    assert lines[3].endswith("why")
    assert len(bench.said("audit", "--limit", "1").splitlines()) == 3


def test_json_is_what_the_gateway_said(bench: Bench) -> None:
    assert json.loads(bench.said("list", "--json"))["fallbacks"][0]["model"] == "cheap"
    added = json.loads(bench.said("add", "cheap", "local", "--json"))
    assert added["message"] == "Fallback configuration updated successfully"
    for verb in ("remove", "restore"):
        assert "change" in json.loads(bench.said(verb, "cheap", "--json"))
    assert len(json.loads(bench.said("audit", "--json"))["changes"]) == 3


def test_a_cycle_is_refused_in_words_and_can_be_asked_for(bench: Bench) -> None:
    result = bench.run("add", "balanced", "cheap")
    assert result.exit_code == 1
    assert "answers 400: This route would close a cycle: balanced -> cheap" in result.output
    assert "is [cheap]" in bench.said("add", "balanced", "cheap", "--allow-cycle")


def test_the_users_name_stands_in_the_log_where_no_author_is_given(bench, monkeypatch) -> None:
    monkeypatch.setattr(fallback_command.getpass, "getuser", lambda: "grace")
    bench.said("add", "cheap", "local")
    assert bench.desk.book.listing().routes[0].override.author == "grace"


@pytest.mark.parametrize("fault", [OSError, KeyError, None])
def test_without_a_name_the_key_stands_for_the_author(bench, monkeypatch, fault) -> None:
    def nameless() -> str:
        if fault is None:
            return "Jürgen"  # cannot stand in a header
        raise fault

    monkeypatch.setattr(fallback_command.getpass, "getuser", nameless)
    bench.said("add", "cheap", "local")
    assert bench.desk.book.listing().routes[0].override.author == "master"


def test_an_author_that_cannot_be_sent_is_told(bench: Bench) -> None:
    result = bench.run("add", "cheap", "local", "--author", "Jürgen")
    assert result.exit_code == 1
    assert "ASCII" in result.output
