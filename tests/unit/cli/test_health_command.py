"""What a probe sees of a gateway that is well, unwell, or not there."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from tiergate.cli.health_command import LIVE, READY, health, told


class Gateway(BaseHTTPRequestHandler):
    """Answers the two routes; it lives, and is not ready."""

    def do_GET(self) -> None:
        ready = self.path == READY
        if self.path not in {READY, LIVE}:
            self.send_error(404)
            return
        why = {"status": "unhealthy", "unready": ["a", "b"], "faults": ["b", "c"]}
        self.send_response(503 if ready else 200)
        self.end_headers()
        self.wfile.write(json.dumps(why if ready else "I'm alive!").encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    thread.join()
    running.server_close()


def test_a_gateway_that_lives_is_status_0(url: str) -> None:
    result = CliRunner().invoke(health, ["--url", f"{url}/"])
    assert (result.exit_code, result.output) == (0, "alive\n")


def test_one_that_wants_no_calls_is_status_1_and_says_why(url: str) -> None:
    result = CliRunner().invoke(health, ["--ready"], env={"TIERGATE_URL": url})
    assert (result.exit_code, result.output) == (1, "unhealthy; a; b; c\n")


def test_one_that_is_something_else_is_status_1(url: str) -> None:
    result = CliRunner().invoke(health, ["--url", f"{url}/elsewhere"])
    assert (result.exit_code, result.output) == (1, "status 404\n")


def test_nobody_there_is_status_1() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    result = CliRunner().invoke(health, ["--url", f"http://127.0.0.1:{port}"])
    assert result.exit_code == 1
    assert "does not answer" in result.output


def test_one_that_does_not_answer_in_time_is_status_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        result = CliRunner().invoke(health, ["--url", address, "--timeout", "0.05"])
    assert result.exit_code == 1
    assert "does not answer" in result.output


def test_an_address_of_another_kind_is_refused() -> None:
    result = CliRunner().invoke(health, ["--url", "file:///etc/passwd"])
    assert result.exit_code == 1
    assert "no address" in result.output


@pytest.mark.parametrize(
    ("status", "body", "line"),
    [
        (200, b'"I\'m alive!"', "alive"),
        (200, b'{"status": "healthy", "faults": []}', "healthy"),
        (502, b"<html>", "status 502"),
        (503, b"{}", "status 503"),
    ],
)
def test_an_answer_is_one_line(status: int, body: bytes, line: str) -> None:
    assert told(status, body) == line
