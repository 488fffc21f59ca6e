import socket
import threading

import pytest
from bench import client, wire
from bench.client import Answer, Target, WrongAnswerError
from bench.wire import Dialect


@pytest.fixture
def one_answer():
    """A server that gives one connection the bytes it is told to, then closes it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threads = []

        def answer(raw: bytes) -> int:
            def serve():
                connection, _ = server.accept()
                with connection:
                    connection.recv(65_536)
                    connection.sendall(raw)

            threads.append(threading.Thread(target=serve))
            threads[-1].start()
            return server.getsockname()[1]

        yield answer
        for thread in threads:
            thread.join(10)


def target(port: int) -> Target:
    return Target(port, Dialect.OPENAI, wire.chat_body("plain-openai", 2_048))


def test_the_upstreams_answer_passes_and_its_wire_length_counts_the_headers(upstream_port):
    answer = client.checked_call(target(upstream_port), 10)

    assert answer.wire_bytes > len(answer.body) == len(wire.plain_answer(Dialect.OPENAI))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, wire.plain_answer(Dialect.OPENAI), 1),
        Answer(200, b"{}", 1),
        Answer(200, wire.plain_answer(Dialect.ANTHROPIC), 1),
    ],
)
def test_any_other_answer_is_wrong(answer):
    with pytest.raises(WrongAnswerError, match=f"status {answer.status}"):
        client.check(answer, Dialect.OPENAI)


def test_a_cut_answer_is_wrong(one_answer):
    port = one_answer(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")

    with pytest.raises(WrongAnswerError, match="closed before"):
        client.checked_call(target(port), 10)


def test_bytes_that_are_not_http_are_wrong(one_answer):
    with pytest.raises(WrongAnswerError, match="not HTTP"):
        client.checked_call(target(one_answer(b"220 smtp ready\r\n")), 10)


def test_a_port_without_a_server_gives_no_answer():
    with pytest.raises(WrongAnswerError, match="no answer from port 1"):
        client.checked_call(target(1), 1)


def test_one_connection_carries_call_after_call(upstream_port):
    request = target(upstream_port).request()
    with client.connected(upstream_port, 10) as connection:
        answers = [connection.call(request) for _ in range(3)]

    assert len({answer.body for answer in answers}) == 1


def test_a_connection_that_the_server_closed_is_stale(one_answer):
    port = one_answer(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
    with client.connected(port, 10) as connection:
        assert not connection.is_stale()
        assert connection.call(b"GET / HTTP/1.1\r\n\r\n").body == b"ok"

        assert any(connection.is_stale() for _ in range(100_000))


def test_calls_are_counted_from_the_third_line_of_nginx(one_answer):
    status = b"Active connections: 2 \nserver accepts handled requests\n 7 7 1234 \nReading: 0\n"
    head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(status)

    assert client.plain_calls_seen(one_answer(head + status)) == 1234
