"""`tiergate cache prefix`: what a running gateway tells, for people and for programs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner, Result

from tiergate.cli.main import main
from tiergate.cli.prefix_command import lines

ROW = {
    "key": "hash", "key_name": "ci", "alias": "cheap", "phase": "draft", "calls": 1200,
    "hit_rate": 0.6, "expected_hit_rate": None, "saved_usd": 1.25, "write_cost_usd": 0.1,
    "drifts": {"system": 1, "tool": 1},
    "last_drift": {"at": "2026-12-01T09:00:00.000Z", "text": "tool 3 reordered"},
}  # fmt: skip
BODY = {"prefixes": [ROW], "total": {**ROW, "hit_rate": 0.5}}


class Gateway(BaseHTTPRequestHandler):
    """Answers one route, to one key."""

    asked: list[str]

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # pyright: ignore[reportAttributeAccessIssue]
        good = self.headers.get("authorization") == "Bearer master"
        self.send_response(200 if good else 401)
        self.end_headers()
        self.wfile.write(json.dumps(BODY).encode() if good else b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    running.asked = []  # pyright: ignore[reportAttributeAccessIssue]
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def run(server: ThreadingHTTPServer, *words: str, key: str = "master") -> Result:
    url = f"http://127.0.0.1:{server.server_address[1]}"
    return CliRunner().invoke(main, ["cache", "prefix", "--url", url, "--key", key, *words])


def test_figures_and_drifts_are_shown(server: ThreadingHTTPServer) -> None:
    result = run(server)
    assert result.exit_code == 0, result.output
    told = result.output.splitlines()
    assert told[0].split() == [
        "key", "alias", "phase", "calls", "hits", "of", "expected", "saved", "USD", "writes",
        "USD",
    ]  # fmt: skip
    assert told[2].split() == [
        "ci",
        "cheap",
        "draft",
        "1,200",
        "60.0",
        "%",
        "-",
        "1.2500",
        "0.1000",
    ]
    assert told[3].split() == ["total", "1,200", "50.0", "%", "-", "1.2500", "0.1000"]
    assert told[-1] == (
        "ci cheap draft: drifted 2 times, last at 2026-12-01T09:00:00.000Z: tool 3 reordered"
    )


def test_it_can_be_narrowed_and_read_by_programs(server: ThreadingHTTPServer) -> None:
    result = run(server, "--alias", "a b", "--phase", "draft", "--json")
    assert json.loads(result.output) == BODY
    assert server.asked == ["/cache/prefix?alias=a+b&phase=draft"]  # pyright: ignore[reportAttributeAccessIssue]


def test_a_wrong_key_is_told(server: ThreadingHTTPServer) -> None:
    result = run(server, key="wrong")
    assert result.exit_code == 1
    assert "answers 401. Give the master key with --key." in result.output


def test_nothing_seen_is_said() -> None:
    assert lines([], {}) == [
        "The gateway has seen no prompt that is long enough for a provider's cache."
    ]


def test_names_cannot_move_the_cursor() -> None:
    (_, _, row, *_) = lines([{**ROW, "key_name": "a\x1b[2Jb", "last_drift": None}], None)
    assert "\x1b" not in row
