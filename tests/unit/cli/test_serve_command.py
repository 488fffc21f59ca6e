"""`tiergate serve`: refused with every reason named, or run with what the options say."""

from __future__ import annotations

import logging

import pytest
from click.testing import CliRunner

from tiergate.cli import serve_command
from tiergate.cli.serve_command import serve
from tiergate.wiring.process import Plan
from tiergate.wiring.server import PortTakenError

GOOD = """
model_list:
  - model_name: cheap
    litellm_params: {model: anthropic/claude-haiku-4-5, api_key: k-0123456789}
"""


@pytest.fixture(autouse=True)
def logs_as_before():
    logger = logging.getLogger("tiergate")
    kept = (logger.handlers, logger.level, logger.propagate)
    yield
    logger.handlers, logger.level, logger.propagate = kept


@pytest.fixture
def runs(monkeypatch):
    """What would be run, instead of running it."""
    plans: list[tuple[object, Plan]] = []

    async def run(settings, plan, environ):
        plans.append((settings, plan))
        return True

    monkeypatch.setattr(serve_command, "run_gateway", run)
    return plans


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(GOOD)
    return path


def test_the_options_become_the_plan(file, runs):
    result = CliRunner().invoke(
        serve,
        ["-c", str(file), "--host", "::1", "--port", "4711", "--watch", "--lenient",
         "--strict", "--drain-seconds", "5", "--drain-delay", "2", "--num_workers", "1"],
    )  # fmt: skip

    assert result.exit_code == 0, result.output
    ((settings, plan),) = runs
    assert settings.deployments[0].alias == "cheap"
    assert plan == Plan((file,), "::1", 4711, True, True, True, 5.0, drain_delay=2.0)


def test_the_toolkits_file_is_part_of_the_plan_and_compared_with_the_port(file, tmp_path, runs):
    other = tmp_path / "toolkit.json"
    other.write_text('{"llmOps": {"gateway": {"baseURL": "http://localhost:4000"}}}')
    words = ["-c", str(file), "--backlog", str(other)]
    assert "calls port" not in CliRunner().invoke(serve, words).output
    result = CliRunner().invoke(serve, [*words, "--port", "4711"])
    assert "calls port 4000, and the gateway listens on port 4711" in result.output
    assert [plan.backlog for _, plan in runs] == [other, other]


def test_the_usual_plan(file, runs):
    CliRunner().invoke(serve, [], env={"CONFIG_FILE_PATH": str(file)})
    assert runs[0][1] == Plan((file,))


def test_several_files_are_merged(file, tmp_path, runs):
    more = tmp_path / "more.yaml"
    more.write_text(GOOD.replace("cheap", "balanced"))

    CliRunner().invoke(serve, ["--config", str(file), "--config", str(more)])

    assert [d.alias for d in runs[0][0].deployments] == ["cheap", "balanced"]


def test_a_file_with_errors_is_not_started_and_each_is_named(file, runs):
    file.write_text(f"{GOOD}nonsense: 1\nrouter_settings: {{num_retry: 1}}\n")

    result = CliRunner().invoke(serve, ["-c", str(file)])

    assert result.exit_code == 1
    assert runs == []
    assert f"{file}:5: error: nonsense" in result.output
    assert f"{file}:6: error: router_settings.num_retry" in result.output
    assert "not started" in result.output


def test_a_file_that_is_not_there_is_told(tmp_path, runs):
    result = CliRunner().invoke(serve, ["-c", str(tmp_path / "none.yaml")])
    assert result.exit_code == 1
    assert "none.yaml" in result.output


def test_warnings_do_not_stop_the_start(file, runs):
    file.write_text(f"{GOOD}nonsense: 1\n")
    result = CliRunner().invoke(serve, ["-c", str(file), "--lenient"])
    assert "warning: nonsense" in result.output
    assert len(runs) == 1


def test_a_port_that_cannot_be_had_is_told_without_a_traceback(file, monkeypatch):
    async def taken(settings, plan, environ):
        raise PortTakenError("port 4000 is taken")

    monkeypatch.setattr(serve_command, "run_gateway", taken)
    result = CliRunner().invoke(serve, ["-c", str(file)])

    assert result.exit_code == 1
    assert "tiergate: not started: port 4000 is taken" in result.output


@pytest.fixture
def launches(monkeypatch, runs):
    """How many workers would be launched; the process is not replaced, so it ends here."""
    asked: list[int] = []

    def launch(settings, plan, workers):
        asked.append(workers)
        raise PortTakenError("launched")

    monkeypatch.setattr(serve_command, "launch", launch)
    return asked


@pytest.mark.parametrize(
    ("words", "env", "workers"),
    [
        (["--num_workers", "2"], {}, [2]),
        (["--num-workers", "3"], {"NUM_WORKERS": "5"}, [3]),
        ([], {"NUM_WORKERS": "5"}, [5]),
        ([], {"NUM_WORKERS": "5", "TIERGATE_NUM_WORKERS": "4"}, [4]),
        (["--num_workers", "1"], {"NUM_WORKERS": "5"}, []),
        ([], {}, []),
    ],
)
def test_more_than_one_worker_needs_a_supervisor(file, runs, launches, words, env, workers):
    CliRunner().invoke(serve, ["-c", str(file), *words], env=env)
    assert launches == workers
    assert len(runs) == (not workers)


@pytest.mark.parametrize("number", ["0", "-1", "two"])
def test_a_number_of_workers_is_a_number(file, runs, launches, number):
    result = CliRunner().invoke(serve, ["-c", str(file), "--num_workers", number])
    assert result.exit_code == 2
    assert (runs, launches) == ([], [])
