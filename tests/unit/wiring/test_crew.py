"""What is handed on between processes arrives, and file marks see changes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tiergate.wiring import crew as module
from tiergate.wiring.crew import Crew, command, keep, marks, take

WATCHED = ("a.yaml", "b.yaml", "b.json")
CREW = Crew(
    WATCHED[:2],
    "::1",
    4000,
    3,
    True,
    False,
    True,
    2.5,
    None,
    4.0,
    "x,y",
    "none",
    "b.json",
    WATCHED,
)


def test_a_crew_survives_the_command_line():
    assert Crew.from_json(CREW.to_json()) == CREW


@pytest.mark.parametrize("text", ["{}", "nonsense"])
def test_something_else_is_an_error(text):
    with pytest.raises((LookupError, ValueError)):
        Crew.from_json(text)


def test_modules_are_not_looked_for_in_the_working_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert command("some.module", "a") == [sys.executable, "-P", "-m", "some.module", "a"]


def test_unless_they_were_looked_for_there_before(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module.sys, "path", [str(Path.cwd()), *sys.path])
    assert "-P" not in command("some.module")


@pytest.mark.parametrize("anonymous", [True, False])
def test_what_is_kept_can_be_taken_once_and_has_no_name(monkeypatch, anonymous):
    if not anonymous:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    data = bytes(range(256)) * 4096
    descriptor = keep(data)
    assert os.get_inheritable(descriptor)
    assert os.fstat(descriptor).st_nlink == 0
    assert take(descriptor) == data
    with pytest.raises(OSError):
        os.fstat(descriptor)


def test_marks_change_with_a_file_and_only_then(tmp_path):
    path = tmp_path / "c.yaml"
    assert marks([path]) == ((0, 0),)
    path.write_text("a")
    before = marks([path])
    assert marks([path]) == before
    path.write_text("other")
    assert marks([path]) != before
