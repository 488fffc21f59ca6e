"""Runs the blocks of a page one after the other, as a reader would who follows it.

All blocks of a page share one folder and one environment. Commands are run by bash, which stops at
the first that fails; an answer of the gateway that is an error counts as a failure. Ports 4000 and
9100 are replaced by free ones, so that pages can be read with the ports that users have.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from support.gateway import KEY, free_port
from support.snippets import ROOT, SHELL, Snippet
from tiergate.config.findings import Severity
from tiergate.config.load import load
from tiergate.wiring.configuration import known

COMMAND_SECONDS = 90.0
START_SECONDS = 30.0
_KEPT = ("LANG", "TMPDIR", "PYTHONPATH")

MODELS = """\
model_list:
  - model_name: cheap
    litellm_params:
      model: anthropic/claude-haiku-4-5
      api_key: os.environ/ANTHROPIC_API_KEY
  - model_name: balanced
    litellm_params:
      model: anthropic/claude-sonnet-4-6
      api_key: os.environ/ANTHROPIC_API_KEY
  - model_name: frontier
    litellm_params:
      model: anthropic/claude-opus-4-5
      api_key: os.environ/ANTHROPIC_API_KEY
  - model_name: gpt
    litellm_params:
      model: openai/gpt-4o
      api_key: os.environ/OPENAI_API_KEY
  - model_name: embeddings
    litellm_params:
      model: openai/text-embedding-3-small
      api_key: os.environ/OPENAI_API_KEY
"""
"""What stands in the file beside a piece of configuration that a page shows."""

SETTINGS = """\
router_settings:
  fallbacks:
    - cheap: [balanced, frontier]
    - balanced: [frontier]
  context_window_fallbacks:
    - cheap: [balanced]

litellm_settings:
  num_retries: 2
  max_budget: 1200
  budget_duration: monthly

model_max_budget:
  cheap: 300
  balanced: 600
  frontier: 300
"""
"""What the gateway is told further that a page asks for."""

VARIABLES = {
    "ANTHROPIC_API_KEY": "k-anthropic",
    "OPENAI_API_KEY": "k-openai",
}
"""Set for every page."""

MORE_VARIABLES = {
    "TIERGATE_MASTER_KEY": KEY,
    "DATABASE_URL": "postgresql://tiergate:pw@db.example/tiergate",
    "AWS_ACCESS_KEY_ID": "k-aws",
    "AWS_SECRET_ACCESS_KEY": "k-aws-secret",
    "LANGFUSE_PUBLIC_KEY": "pk-lf-1",
    "LANGFUSE_SECRET_KEY": "sk-lf-1",
    "SLACK_WEBHOOK_URL": "https://hooks.slack.example/services/T0/B0/x",
}
"""Set where a piece of configuration is read; what else it names gets some value."""

_CURL = """\
#!/bin/sh
exec /usr/bin/curl --fail-with-body --silent --show-error --max-time 30 "$@"
"""
_EVENTUALLY = """\
#!/bin/sh
# The ledger is written beside the calls, so a look at it may come too soon.
for _ in $(seq 60); do
  bash -o pipefail -c "$1" && exit 0
  sleep 0.25
done
exit 1
"""
_TIERGATE = """\
#!/bin/sh
case "$1" in
  serve) exec {tiergate} "$@" --host 127.0.0.1 --port {port} ;;
  mock) exec {tiergate} "$@" --port {mock} ;;
  *) exec {tiergate} "$@" ;;
esac
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports that stand for 4000 and 9100 of the pages."""

    gateway: int
    mock: int

    def put_into(self, text: str) -> str:
        """Replace the ports of the pages."""
        text = re.sub(r"(?<=[:=])4000\b|(?<=--port )4000\b", str(self.gateway), text)
        return re.sub(r"(?<=[:=])9100\b|(?<=--port )9100\b", str(self.mock), text)


class Story:
    """One page that is being followed: `with Story(folder) as story: story.go_on(snippet)`.

    Args:
        folder: an empty folder; the working folder and home of all commands.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = Ports(free_port(), free_port())
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._said = ""
        self._programs = folder.parent / f"{folder.name}-bin"
        self._state = self._programs / "environment"

    def __enter__(self) -> Story:
        self._programs.mkdir()
        real = Path(sys.executable).with_name("tiergate")
        tiergate = _TIERGATE.format(tiergate=real, port=self.ports.gateway, mock=self.ports.mock)
        programs = {"curl": _CURL, "tiergate": tiergate, "eventually": _EVENTUALLY}
        for name, text in programs.items():
            program = self._programs / name
            program.write_text(text)
            program.chmod(0o755)
        (self.folder / ".venv").mkdir()
        (self.folder / ".venv" / "bin").symlink_to(self._programs)
        words = (f"export {name}={shlex.quote(each)}\n" for name, each in self._start.items())
        self._state.write_text("".join(words))
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._running):
            self._stop(name)

    def ask_for(self, world: str) -> None:
        """Start what a page asks for before its first block.

        Args:
            world: `providers` (scripted ones), `gateway` (them, and a gateway with a master key
                in `TIERGATE_MASTER_KEY`), `open gateway` (without the key), or nothing.
        """
        assert world in ("", "providers", "gateway", "open gateway"), f"no world {world!r}"
        if world:
            self._keep("tiergate mock\n")
        if world == "gateway":
            with self._state.open("a") as state:
                state.write(f"export TIERGATE_MASTER_KEY={KEY}\n")
        if world.endswith("gateway"):
            (self.folder / "config.yaml").write_text(MODELS + SETTINGS)
            self._keep("tiergate serve --config config.yaml\n")

    def go_on(self, snippet: Snippet) -> None:
        """Do what a block says, and hold what it promises.

        Raises:
            AssertionError: it does not do what the page says.
        """
        text = self.ports.put_into(snippet.text)
        if snippet.file is not None:
            path = self.folder / snippet.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        match snippet.language:
            case "yaml" if snippet.file not in (None, "config.yaml"):
                yaml.safe_load(text)
            case "yaml":
                check_configuration(text, self.folder.parent, warns=snippet.mark == "warns")
            case "json":
                json.loads(text)
            case "toml":
                tomllib.loads(text)
            case "console":
                self._console(text)
            case "python":
                self._python(text, snippet)
            case _ if snippet.mark == "output":
                assert_like(self._said, text)
            case language if language in SHELL and snippet.mark == "keeps running":
                self._keep(text)
            case language if language in SHELL:
                self._shell(text, fails=snippet.mark == "fails")
            case _:
                assert snippet.file is not None, f"nothing is done with {snippet.language!r}"

    # Commands

    @property
    def _start(self) -> Mapping[str, str]:
        """The environment before the first block; what blocks set and unset is kept in a file."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        mock = f"http://127.0.0.1:{self.ports.mock}"
        claude = ROOT / ".tools" / "node" / "node_modules" / ".bin"
        places = (self._programs, Path(sys.executable).parent, claude, os.environ["PATH"])
        return {
            **kept,
            **VARIABLES,
            "HOME": str(self.folder),
            "PATH": ":".join(str(place) for place in places),
            "PYTHONUNBUFFERED": "1",
            "TIERGATE_URL": f"http://127.0.0.1:{self.ports.gateway}",
            "ANTHROPIC_API_BASE": mock,
            "OPENAI_API_BASE": f"{mock}/v1",
            # Without it, update checks and telemetry of Claude Code go out to the network.
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }

    def _shell(self, text: str, *, fails: bool = False) -> None:
        state = shlex.quote(str(self._state))
        script = f"source {state}\nset -euo pipefail\n{text}\nexport -p > {state}\n"
        status, output, errors = self._run(["bash", "-c", script])
        self._said = output
        assert (status != 0) is fails, f"status {status}\n{output}{errors}{self._logs()}"

    def _python(self, text: str, snippet: Snippet) -> None:
        path = self.folder / (snippet.file or "snippet.py")
        path.write_text(text)
        state = shlex.quote(str(self._state))
        script = f"source {state}\nexec {shlex.quote(sys.executable)} {shlex.quote(path.name)}\n"
        status, output, errors = self._run(["bash", "-c", script])
        self._said = output
        assert status == 0, f"status {status}\n{output}{errors}{self._logs()}"

    def _console(self, text: str) -> None:
        for asked, shown in re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE):
            self._shell(asked)
            assert_like(self._said, shown)

    def _run(self, command: list[str]) -> tuple[int, str, str]:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={"PATH": self._start["PATH"]},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    # What keeps running

    def _keep(self, text: str) -> None:
        """Start a command and wait until it answers; one of the same name is stopped first."""
        name = "mock" if "tiergate mock" in text else "serve"
        self._stop(name)
        state = shlex.quote(str(self._state))
        with (self.folder.parent / f"{self.folder.name}-{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                ["bash", "-c", f"source {state}\nset -e\n{text}"],
                cwd=self.folder,
                env={"PATH": self._start["PATH"]},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait(name)

    def _wait(self, name: str) -> None:
        port = self.ports.mock if name == "mock" else self.ports.gateway
        deadline = time.monotonic() + START_SECONDS
        while not answers(port):
            ended = self._running[name].poll()
            assert ended is None, f"{name} ended with status {ended}\n{self._logs()}"
            assert time.monotonic() < deadline, f"{name} does not answer\n{self._logs()}"
            time.sleep(0.02)

    def _stop(self, name: str) -> None:
        process = self._running.pop(name, None)
        if process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
                return

    def _logs(self) -> str:
        names = sorted(self.folder.parent.glob(f"{self.folder.name}-*.log"))
        return "".join(f"--- {path.name}\n{path.read_text()[-3000:]}" for path in names)


def answers(port: int) -> bool:
    """Tell whether something on the port answers to HTTP."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def assert_like(said: str, shown: str) -> None:
    """Hold a command's output against a page; `...` on the page stands for anything."""
    parts = [re.escape(part) for part in shown.strip().split("...")]
    assert re.fullmatch(".*".join(parts), said.strip(), re.DOTALL), f"{said}\nis not\n{shown}"


def check_configuration(text: str, folder: Path, *, warns: bool = False) -> None:
    """Read a configuration, or a piece of one, as the gateway does.

    Args:
        text: the file; without models, or as bare entries, it is put beside those of `MODELS`.
        folder: where it is written.
        warns: whether warnings are expected.

    Raises:
        AssertionError: it cannot be served, or what is said of it is not what is expected.
    """
    whole = text
    if re.search(r"^- model_name:", text, re.MULTILINE):
        whole = "model_list:\n" + "".join(f"  {line}\n" for line in text.splitlines())
    elif not re.search(r"^model_list:", text, re.MULTILINE):
        whole = MODELS + text
    path = folder / "piece.yaml"
    path.write_text(whole)
    named = dict.fromkeys(re.findall(r"os\.environ/(\w+)", whole), "k-of-the-page")
    loaded = load([path], {**named, **VARIABLES, **MORE_VARIABLES}, known=known())
    said = [str(each) for each in loaded.findings if each.severity is not Severity.NOTICE]
    assert loaded.settings is not None, "\n".join(said)
    assert bool(said) is warns, "\n".join(said) or "there is no warning"
