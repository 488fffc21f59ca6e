"""The tools that look at `deploy/`, as `scripts/deploy_tools.sh` installs them."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
TOOLS = ROOT / ".tools" / "deploy"


def run(
    *words: str | Path, env: Mapping[str, str] | None = None, text: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command; its status is for the caller to judge."""
    return subprocess.run(
        [str(word) for word in words],
        capture_output=True, text=True, check=False, cwd=ROOT, input=text, timeout=120,
        env=dict(env) if env is not None else None,
    )  # fmt: skip


def tool(name: str, *words: str | Path, text: str | None = None):
    """Run one of the tools."""
    path = TOOLS / "bin" / name
    assert path.exists(), f"{name} is not there: scripts/deploy_tools.sh"
    return run(path, *words, text=text)


def check_configuration(
    path: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Read a configuration as `tiergate check` does, with warnings shown."""
    return run(ROOT / ".venv/bin/tiergate", "check", path, env={"PATH": "/usr/bin", **environ})


def options_of(words: Sequence[str]) -> list[str]:
    """The options among the words of a command, without their values."""
    return [word.split("=")[0] for word in words if word.startswith("--")]
