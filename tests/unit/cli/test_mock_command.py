"""`tiergate mock` hands its options to the scripted providers."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from tiergate.cli import mock_command
from tiergate.cli.mock_command import mock


@pytest.fixture
def runs(monkeypatch):
    calls = []

    async def run(*args):
        calls.append(args)
        return 3

    monkeypatch.setattr(mock_command, "run_mock", run)
    return calls


def test_the_options_and_the_exit_status_are_passed_on(tmp_path, runs):
    script = tmp_path / "script.yaml"
    script.write_text("[]")

    result = CliRunner().invoke(mock, ["--host", "::1", "--port", "0", "--script", str(script)])

    assert result.exit_code == 3
    assert runs == [("::1", 0, script)]


def test_the_usual_address(runs):
    CliRunner().invoke(mock, [])
    assert runs == [("127.0.0.1", 9100, None)]


def test_a_script_that_is_not_there_is_a_usage_error(runs):
    result = CliRunner().invoke(mock, ["--script", "nowhere.yaml"])
    assert result.exit_code == 2
    assert runs == []
