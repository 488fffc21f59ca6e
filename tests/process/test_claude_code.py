"""Claude Code's own command line works through the gateway, whichever dialect serves the alias."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from support import anthropic_wire, openai_wire, recordings
from support.claude_code import PROGRAM, claude
from support.exchange import Recorded, Reply, stream_reply
from support.relay import Relay, Sent
from support.stage import ALIASES, ANTHROPIC_ALIAS, ANTHROPIC_MODEL, OPENAI_ALIAS, Stage

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

SAID = "Grüße from the scripted provider."
NOTE = "the note says: 42 Äpfel"

both = pytest.mark.parametrize("alias", ALIASES)


@pytest_asyncio.fixture(loop_scope="module")
async def relay(stage: Stage) -> AsyncIterator[Relay]:
    async with Relay(stage.gateway.port) as running:
        yield running


@pytest.fixture(scope="module")
def version() -> str:
    """Name and version of the client."""
    done = subprocess.run(
        [str(PROGRAM), "--version"], capture_output=True, text=True, timeout=60, check=True
    )
    return f"claude-code {done.stdout.split()[0]}"


def text_stream(alias: str, text: str) -> Reply:
    wire = anthropic_wire if alias == ANTHROPIC_ALIAS else openai_wire
    return wire.text_stream(text)


def read_stream(alias: str, path: Path) -> Reply:
    wire = anthropic_wire if alias == ANTHROPIC_ALIAS else openai_wire
    return stream_reply(*wire.tool_events("Read", {"file_path": str(path)}))


def posts(relay: Relay) -> list[Sent]:
    return [sent for sent in relay.requests if sent.method == "POST"]


def assert_equal_but_for_the_model(received: Recorded, sent: Sent) -> None:
    asked, served = (f'"model":"{name}"'.encode() for name in (ANTHROPIC_ALIAS, ANTHROPIC_MODEL))
    assert sent.body.count(asked) == 1
    assert received.body == sent.body.replace(asked, served)
    assert received.target == sent.target
    betas = {name.lower(): value for name, value in sent.headers}["anthropic-beta"]
    assert received.header("anthropic-beta") == betas


def record(name: str, version: str, sent: Sent, tmp_path: Path) -> None:
    replace = {str(tmp_path): "/home/user", str(tmp_path).replace("/", "-"): "-home-user"}
    recordings.record(name, version, sent, replace)


@both
async def test_a_prompt_is_answered(
    stage: Stage, relay: Relay, version: str, tmp_path: Path, alias: str
) -> None:
    stage.of(alias).script(text_stream(alias, SAID))
    run = await claude(relay.url, alias, "say hi", tmp_path)
    assert (run.status, run.output.strip()) == (0, SAID), run.errors
    (sent,) = posts(relay)
    assert sent.target == "/v1/messages?beta=true"
    assert recordings.compact(json.loads(sent.body)) == sent.body
    received = stage.of(alias).last
    if alias == ANTHROPIC_ALIAS:
        assert_equal_but_for_the_model(received, sent)
        record("claude-code-prompt", version, sent, tmp_path)
    else:
        tools = received.json["tools"]
        assert isinstance(tools, list)
        assert len(tools) == len(json.loads(sent.body)["tools"])


@both
async def test_a_tool_call_is_carried_through(
    stage: Stage, relay: Relay, version: str, tmp_path: Path, alias: str
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    note = project / "note.txt"
    note.write_text(NOTE)
    upstream = stage.of(alias)
    upstream.script(read_stream(alias, note), text_stream(alias, SAID))
    run = await claude(
        relay.url, alias, "read the note", tmp_path, arguments=("--allowedTools", "Read")
    )
    assert (run.status, run.output.strip()) == (0, SAID), run.errors
    assert len(upstream.requests) == 2
    assert NOTE in upstream.last.body.decode()
    if alias == ANTHROPIC_ALIAS:
        for received, sent in zip(upstream.requests, posts(relay), strict=True):
            assert_equal_but_for_the_model(received, sent)
        record("claude-code-tool-result", version, posts(relay)[-1], tmp_path)


async def test_a_failing_provider_is_told_and_ends_the_run(
    stage: Stage, relay: Relay, tmp_path: Path
) -> None:
    told = openai_wire.error_reply(400, "invalid_request_error", "The moon is in the way.")
    stage.of(OPENAI_ALIAS).script(told)
    run = await claude(relay.url, OPENAI_ALIAS, "say hi", tmp_path)
    assert run.status != 0
    assert "The moon is in the way." in run.output + run.errors
