import http.client
import json
import socket

import pytest
from bench import client, wire
from bench.wire import Dialect, StreamScript


def post(port, dialect, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", dialect.value, body, wire.headers(dialect))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("dialect", Dialect)
def test_a_stream_has_every_chunk_in_order_and_its_end(upstream_port, dialect):
    body = wire.stream_body(dialect, "stream-openai", StreamScript(4, 1))

    status, text = post(upstream_port, dialect, body)

    assert status == 200
    assert [stamp.number for stamp in wire.stamps_in(text)] == [0, 1, 2, 3]
    assert wire.end_mark(dialect) in text


def test_every_event_is_a_write_of_its_own(upstream_port):
    """Each write becomes one chunk of the transfer coding, so the coding shows the writes."""
    request = wire.request(
        Dialect.OPENAI,
        upstream_port,
        wire.stream_body(Dialect.OPENAI, "stream-openai", StreamScript(3, 1)),
    )
    with socket.create_connection(("127.0.0.1", upstream_port), 10) as connection:
        connection.sendall(request)
        raw = b""
        while not raw.endswith(b"\r\n0\r\n\r\n"):
            raw += connection.recv(65_536)

    chunks = raw.partition(b"\r\n\r\n")[2].split(b"\r\n")[1::2]
    assert [chunk.count(b"data: ") for chunk in chunks if chunk] == [1] * 7


@pytest.mark.parametrize("dialect", Dialect)
def test_a_call_without_stream_is_answered_plainly(upstream_port, dialect):
    status, text = post(upstream_port, dialect, wire.chat_body("plain-openai", 2_048))

    assert (status, wire.answer_text(dialect, text)) == (200, wire.PLAIN_TEXT)


def test_an_unknown_path_is_not_found(upstream_port):
    with pytest.raises(client.WrongAnswerError, match="404"):
        client.get(upstream_port, "/nowhere")


def test_a_stream_ends_when_its_client_leaves(upstream_port):
    request = wire.request(
        Dialect.OPENAI,
        upstream_port,
        wire.stream_body(Dialect.OPENAI, "stream-openai", StreamScript(10, 60_000)),
    )
    with socket.create_connection(("127.0.0.1", upstream_port), 10) as connection:
        connection.sendall(request)
        while b"[0@" not in connection.recv(65_536):
            pass
        assert client.streams_open(upstream_port) == 1

    # The upstream sees the end of the connection in one of its next turns.
    assert any(client.streams_open(upstream_port) == 0 for _ in range(500))
    assert json.loads(client.get(upstream_port, "/bench/stats"))["begun"] == 1
