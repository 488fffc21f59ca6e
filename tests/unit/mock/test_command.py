"""`run_mock` says where it listens, plays a script file, and ends at a signal."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path

import pytest

from support.http_client import fetch
from tiergate.mock.command import run_mock
from tiergate.mock.server import MockServer


async def port_told(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    out = ""
    async with asyncio.timeout(5):
        while "\n" not in out:
            await asyncio.sleep(0.01)
            out += capsys.readouterr().out
    found = re.search(r"http://127\.0\.0\.1:(\d+)", out)
    assert found is not None, out
    return int(found[1]), out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_plays_a_script_until_a_signal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("rules:\n  - steps: [418]\n")
    running = asyncio.create_task(run_mock("127.0.0.1", 0, script))
    port, out = await port_told(capsys)
    assert out.count("\n") == 1
    assert f"curl http://127.0.0.1:{port}/v1/chat/completions" in out
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    answer = await fetch(port, "POST", "/v1/chat/completions", body=body)
    assert answer.status == 418
    os.kill(os.getpid(), number)
    assert await running == 0


async def test_the_example_it_prints_can_be_run(capsys: pytest.CaptureFixture[str]) -> None:
    running = asyncio.create_task(run_mock("127.0.0.1", 0, None))
    port, out = await port_told(capsys)
    body = re.search(r"-d '(.*)'", out)
    assert body is not None
    pairs = (("content-type", "application/json"),)
    answer = await fetch(
        port, "POST", "/v1/chat/completions", body=body[1].encode(), headers=pairs
    )
    assert answer.status == 429
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rules: [", "not valid YAML"),
        ("- steps: [oops]", "'oops' is not a step"),
        (None, "No such"),
    ],
)
async def test_a_script_that_cannot_be_read_ends_it_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, told: str
) -> None:
    script = tmp_path / "script.yaml"
    if text is not None:
        script.write_text(text)
    assert await run_mock("127.0.0.1", 0, script) == 2
    err = capsys.readouterr().err
    assert told in err
    assert "script.yaml" in err


async def test_a_taken_port_ends_it_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    async with MockServer() as server:
        assert await run_mock("127.0.0.1", server.port, None) == 1
    assert f"cannot listen on 127.0.0.1:{server.port}" in capsys.readouterr().err
