from pathlib import Path

import pytest
from bench import nginx, wire
from bench.wire import Dialect

FOLDER = Path("/somewhere")


def test_the_proxy_keeps_connections_and_buffers_nothing():
    text = nginx.proxy_config(
        FOLDER, plain_port=1, stream_port=2, plain_upstream=3, stream_upstream=4
    )

    for line in (
        "proxy_buffering off;",
        "proxy_http_version 1.1;",
        'proxy_set_header Connection "";',
        "listen 127.0.0.1:1 ",
        "listen 127.0.0.1:2 ",
        "server 127.0.0.1:3; keepalive",
        "server 127.0.0.1:4; keepalive",
        "worker_processes 1;",
        "access_log off;",
    ):
        assert line in text


@pytest.mark.parametrize("dialect", Dialect)
def test_the_upstream_answers_each_path_after_reading_the_body(dialect):
    text = nginx.upstream_config(FOLDER, 9)

    assert f"location = {dialect.value} {{" in text
    assert "mirror_request_body on;" in text
    assert wire.plain_answer(dialect).decode() in text


def test_braces_are_balanced():
    for text in (
        nginx.upstream_config(FOLDER, 9),
        nginx.proxy_config(
            FOLDER, plain_port=1, stream_port=2, plain_upstream=3, stream_upstream=4
        ),
    ):
        assert text.count("{") == text.count("}")


@pytest.mark.parametrize("character", ["'", "$", "\\"])
def test_an_answer_that_nginx_would_read_as_its_own_is_refused(monkeypatch, character):
    monkeypatch.setattr(wire, "plain_answer", lambda _: f"a{character}b".encode())

    with pytest.raises(ValueError, match="nginx cannot hold"):
        nginx.upstream_config(FOLDER, 9)


def test_everything_nginx_writes_lies_in_the_folder():
    assert nginx.command("nginx", FOLDER, FOLDER / "c")[1:3] == ("-e", "/somewhere/error.log")
    assert "pid /somewhere/nginx.pid;" in nginx.upstream_config(FOLDER, 9)
