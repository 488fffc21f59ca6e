"""The unit is one that systemd accepts, that starts our program, and that shuts it in."""

from __future__ import annotations

import configparser
import re
import shlex
import stat
from pathlib import Path

import pytest

from support.deploy import DEPLOY, options_of, run
from tiergate.cli.serve_command import serve

UNIT = DEPLOY / "systemd" / "tiergate.service"
PROGRAM = "/opt/tiergate/bin/tiergate"
WORST_EXPOSURE = 2.0
"""Of 10: below it systemd calls a service well shut in ("OK", 1.2 today)."""


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with a program at a place that exists here."""
    program = tmp_path / "tiergate"
    program.write_text("#!/bin/sh\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    path = tmp_path / UNIT.name
    path.write_text(UNIT.read_text().replace(PROGRAM, str(program)))
    return path


def service() -> dict[str, str]:
    """The settings of the service; where one is repeated, the last."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # pyright: ignore[reportAttributeAccessIssue]
    parser.read_string(UNIT.read_text())
    return dict(parser["Service"])


def test_systemd_finds_nothing_wrong(unit: Path) -> None:
    done = run("systemd-analyze", "verify", unit)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_it_would_find_what_is_wrong(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("WatchdogSec", "WatchdocSec"))
    assert "WatchdocSec" in run("systemd-analyze", "verify", unit).stderr


def test_the_service_is_shut_in(unit: Path) -> None:
    done = run("systemd-analyze", "security", "--offline=true", unit)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout + done.stderr)
    assert found, done.stdout + done.stderr
    assert float(found[1]) < WORST_EXPOSURE


def test_the_command_has_our_options() -> None:
    program, command, *words = shlex.split(service()["ExecStart"])
    assert (program, command) == (PROGRAM, "serve")
    known = {option for parameter in serve.params for option in parameter.opts}
    assert set(options_of(words)) <= known


def test_signals_reach_the_process_that_knows_what_to_do_with_them() -> None:
    settings = service()
    assert settings["Type"] == "notify"
    assert settings["KillMode"] == "mixed", "SIGTERM to the main process, SIGKILL to all"
    assert "-HUP $MAINPID" in settings["ExecReload"]
