"""`tiergate demo` from beginning to end: no keys, no services, and it says what it shows."""

from __future__ import annotations

import asyncio
import logging
import socket

import click
import pytest
from click.testing import CliRunner

from tiergate.demo import command
from tiergate.demo.command import demo
from tiergate.wiring import configuration


@pytest.fixture(autouse=True)
def logs_as_before():
    logger = logging.getLogger("tiergate")
    kept = (logger.handlers, logger.level, logger.propagate)
    yield
    logger.handlers, logger.level, logger.propagate = kept


def test_the_whole_tour_works():
    result = CliRunner().invoke(demo, [])
    said = click.unstyle(result.output)

    assert result.exit_code == 0, said
    assert "did not work" not in said
    for number in range(1, 7):
        assert f"\n  {number}. " in said
    assert "warning" in said, "what start-up has to say"
    assert "served:  balanced/anthropic/claude-sonnet-4-6" in said
    assert "general chain" in said
    assert "context_window chain" in said
    assert "config.yaml:" in said
    assert "/tmp" not in said, "files are named without their folder"


def test_it_needs_no_package_but_those_of_the_core(monkeypatch):
    asked = []
    monkeypatch.setattr(configuration, "find_spec", asked.append)  # finds nothing

    result = CliRunner().invoke(demo, [])

    assert result.exit_code == 0, click.unstyle(result.output)
    assert "redis" in asked, "the packages of the extras were looked for"


def test_a_taken_port_is_told():
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        result = CliRunner().invoke(demo, ["--port", str(port)])

    assert result.exit_code == 1
    assert str(port) in result.output


async def test_it_stays_until_it_is_told_to_stop(capsys, monkeypatch):
    loop = asyncio.get_running_loop()
    handlers = []
    monkeypatch.setattr(loop, "add_signal_handler", lambda _, act: handlers.append(act))

    task = loop.create_task(command._stay(4000, "http://127.0.0.1:9100"))
    await asyncio.sleep(0)
    assert not task.done()
    handlers[0]()
    await task

    said = capsys.readouterr().out
    assert "http://127.0.0.1:4000/v1/chat/completions" in said
    assert "ANTHROPIC_BASE_URL=http://127.0.0.1:4000" in said
    assert "mock:500" in said
