"""The image is built of pinned parts, runs without rights, and checks itself with our command."""

from __future__ import annotations

import json
import re
import shlex

from click.testing import CliRunner

from support.deploy import DEPLOY, ROOT, tool
from tiergate.cli import main

FILE = DEPLOY / "docker" / "Dockerfile"
IGNORED = ROOT / ".dockerignore"
PIN = re.compile(r"^([a-z0-9._-]+)==\S+", re.MULTILINE)


def steps() -> list[tuple[str, str]]:
    """The instructions of the file, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", FILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [
        (line.split()[0], line.split(None, 1)[1]) for line in text.splitlines() if line.strip()
    ]


def last(word: str) -> str:
    return [rest for name, rest in steps() if name == word][-1]


def test_hadolint_finds_nothing_wrong() -> None:
    done = tool("hadolint", FILE)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_it_would_find_what_is_wrong(tmp_path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM debian\nRUN apt-get install curl\n")
    assert tool("hadolint", bad).returncode != 0


def test_both_stages_stand_on_one_pinned_image() -> None:
    assert {rest.split()[0] for name, rest in steps() if name == "FROM"} == {"${PYTHON_IMAGE}"}
    assert re.search(r":\d+\.\d+\.\d+-slim-\w+$", last("ARG").split("=", 1)[1])


def test_every_package_is_pinned_with_its_hash() -> None:
    installs = [rest for name, rest in steps() if name == "RUN" and " install " in rest]
    for command in re.findall(r"pip .*?install (.*?)(?:&&|$)", " ".join(installs)):
        assert "--require-hashes" in command or "--no-index" in command, command
    for name in ("image", "build"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        assert len(PIN.findall(text)) <= text.count("--hash=sha256:")


def test_the_image_has_what_the_program_needs_in_the_same_versions() -> None:
    image, run = ((ROOT / "requirements" / f"{name}.txt").read_text() for name in ("image", "run"))
    lines = {match[0] for match in PIN.finditer(run)}
    assert lines <= {match[0] for match in PIN.finditer(image)}, "run: make lock"


def test_what_is_copied_is_not_ignored() -> None:
    kept = {line[1:] for line in IGNORED.read_text().splitlines() if line.startswith("!")}
    wanted: set[str] = set()
    for name, rest in steps():
        if name == "COPY" and not rest.startswith("--from"):
            wanted.update(rest.split()[:-1])
    assert wanted == kept
    for path in wanted - {"requirements/image.txt"}:
        assert (ROOT / path).exists(), path


def test_it_runs_as_a_number_that_is_not_root_and_can_write_its_state_only() -> None:
    user = last("USER").split(":")[0]
    assert user.isdecimal()
    assert int(user) > 0
    assert last("VOLUME") == '["/var/lib/tiergate"]'
    assert "TIERGATE_STATE_DIR=/var/lib/tiergate" in last("ENV")


def test_the_commands_in_it_are_ours() -> None:
    entry: list[str] = json.loads(last("ENTRYPOINT"))
    words: list[str] = json.loads(last("CMD"))
    check: list[str] = json.loads(last("HEALTHCHECK").split("CMD ", 1)[1])
    assert entry == ["tiergate"]
    assert check == ["tiergate", "health"]
    for command in (words, check[1:]):
        shown = CliRunner().invoke(main, [command[0], "--help"])
        assert shown.exit_code == 0, shlex.join(command)
        for option in (word for word in command if word.startswith("--")):
            assert option in shown.output
