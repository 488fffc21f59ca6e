"""Asking a running gateway, and what is said when it cannot be asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import click
import pytest
from click.testing import CliRunner

from tiergate.cli.gateway_address import Question, ask, ask_json, gateway_options


class Answers(BaseHTTPRequestHandler):
    """Answers each path with itself."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        bodies = {"/object": b'{"a": 1}', "/list": b"[1]", "/text": b"hello"}
        self.wfile.write(bodies[self.path])

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        told = {"body": json.loads(body), "by": self.headers.get("by")}
        bodies = {
            "/echo": (200, json.dumps(told).encode()),
            "/refused": (400, b'{"error": {"message": "No, because."}}'),
            "/plain": (502, b"<html>"),
            "/other": (503, b'{"error": {"message": 5}}'),
        }
        status, answer = bodies[self.path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    thread.join()
    running.server_close()


def test_an_object_is_read(url: str) -> None:
    assert ask_json(f"{url}/", "/object", None) == {"a": 1}


@pytest.mark.parametrize(
    ("path", "words"), [("/list", "a JSON object"), ("/text", "does not answer with JSON")]
)
def test_anything_else_is_told(url: str, path: str, words: str) -> None:
    with pytest.raises(click.ClickException, match=words):
        ask_json(url, path, None)


def test_a_body_and_headers_are_sent(url: str) -> None:
    question = Question("/echo", "POST", {"a": 1}, (("by", "ada"),))
    assert ask(url, question, "key") == {"body": {"a": 1}, "by": "ada"}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/refused", "answers 400: No, because.$"),
        ("/plain", r"answers 502\.$"),
        ("/other", r"answers 503\.$"),
    ],
)
def test_a_refusal_is_told_in_the_gateways_words(url: str, path: str, words: str) -> None:
    with pytest.raises(click.ClickException, match=words):
        ask(url, Question(path, "POST", {}), None)


@pytest.mark.parametrize(
    ("address", "words"),
    [("localhost:4000", "is no address"), ("http://127.0.0.1:1", "does not answer")],
)
def test_a_gateway_that_is_not_there_is_told(address: str, words: str) -> None:
    with pytest.raises(click.ClickException, match=words):
        ask_json(address, "/object", "key")


@pytest.mark.parametrize(
    ("words", "environ", "asked"),
    [
        ([], {}, "http://127.0.0.1:4000"),
        ([], {"TIERGATE_URL": "http://gateway:4000"}, "http://gateway:4000"),
        (["--url", "http://b"], {"TIERGATE_URL": "http://a"}, "http://b"),
    ],
)
def test_the_address_comes_from_the_option_else_from_the_environment(
    words: list[str], environ: dict[str, str], asked: str
) -> None:
    @click.command()
    @gateway_options
    def command(url: str, key: str | None) -> None:
        del key
        click.echo(url)

    done = CliRunner().invoke(command, words, env={"TIERGATE_URL": None, **environ})
    assert done.output == f"{asked}\n"
