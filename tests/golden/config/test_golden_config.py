"""Each file in `cases/` is a configuration and what becomes of it.

A case begins with `# ` lines that say what it shows, then options, one a line:

    environ: NAME=value NAME=value     instead of the two usual keys
    options: no-env lenient strict

`--- name.yaml` begins a file that is loaded, `+++ name.yaml` one that is only there to be
included. `=== findings` and `=== settings` are the expectation; settings are left out when there
is an error. TIERGATE_UPDATE_GOLDEN=1 writes what is seen into the files.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from enum import Enum
from pathlib import Path

import pytest

from support.config_world import lines, small_world
from tiergate.base.values import Position, Secret
from tiergate.config.load import Loaded, load

CASES = Path(__file__).parent / "cases"
UPDATE = os.environ.get("TIERGATE_UPDATE_GOLDEN") == "1"
USUAL_ENVIRON = {"ANTHROPIC_API_KEY": "k-anthropic", "OPENAI_API_KEY": "k-openai"}


@dataclass
class Case:
    """A case file, taken apart."""

    head: str
    environ: dict[str, str]
    options: frozenset[str]
    loaded: dict[str, str] = field(default_factory=dict)
    beside: dict[str, str] = field(default_factory=dict)
    expected: str = ""


def read_case(text: str) -> Case:
    """Split a case file into its parts."""
    given, _, expected = text.partition("=== findings\n")
    head_lines: list[str] = []
    case = Case("", dict(USUAL_ENVIRON), frozenset(), expected=expected)
    target: dict[str, str] | None = None
    name = ""
    for line in given.splitlines(keepends=True):
        if line.startswith(("--- ", "+++ ")):
            target = case.loaded if line.startswith("---") else case.beside
            name = line[4:].strip()
            target[name] = ""
        elif target is not None:
            target[name] += line
        else:
            head_lines.append(line)
            key, _, value = line.partition(":")
            if key == "environ":
                case.environ = dict(pair.split("=", 1) for pair in value.split())
            elif key == "options":
                case.options = frozenset(value.split())
    case.head = given
    return case


def run_case(case: Case, folder: Path) -> Loaded:
    """Write the files and load them."""
    for name, text in {**case.loaded, **case.beside}.items():
        (folder / name).write_text(text.replace("\\t", "\t"))
    return load(
        [folder / name for name in case.loaded],
        case.environ,
        known=small_world(),
        env="no-env" not in case.options,
        lenient="lenient" in case.options,
        strict="strict" in case.options,
    )


def show(value: object) -> str:
    """A value in one line, defaults of dataclasses left out."""
    if isinstance(value, Secret):
        return f"secret of {len(value.value)} characters"
    if isinstance(value, Position):
        return ""
    if is_dataclass(value) and not isinstance(value, type):
        parts = (f"{name}={text}" for name, text in told(value))
        return f"({', '.join(parts)})"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k}: {show(v)}" for k, v in value.items()) + "}"
    if isinstance(value, frozenset):
        return "{" + ", ".join(sorted(map(str, value))) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(show(each) for each in value) + "]"
    return repr(value)


def told(value: object) -> list[tuple[str, str]]:
    """The fields of a dataclass that are not at their defaults, as name and text.

    Places in a file are left out: cases are to be read, not counted through.
    """
    assert is_dataclass(value)
    assert not isinstance(value, type)
    out: list[tuple[str, str]] = []
    for each in fields(value):
        have = getattr(value, each.name)
        if each.default is not MISSING:
            default = each.default
        else:
            default = each.default_factory() if each.default_factory is not MISSING else MISSING
        if each.compare and each.name != "source" and have != default:
            out.append((each.name, show(have)))
    return out


def show_result(loaded: Loaded, folder: Path) -> str:
    """The part of a case file after `=== findings`."""
    text = "".join(f"{line}\n" for line in lines(loaded.findings, folder))
    settings = loaded.settings
    if settings is None:
        return text
    out = [text, "=== settings\n"]
    out += [f"deployment: {show(deployment)}\n" for deployment in settings.deployments]
    out += [f"router.{name}: {value}\n" for name, value in told(settings.router)]
    out += [f"access.{name}: {value}\n" for name, value in told(settings.access)]
    out += [f"budget: {show(budget)}\n" for budget in settings.budgets]
    out += [
        f"{name}: {value}\n"
        for name, value in told(settings)
        if name not in {"deployments", "router", "access", "budgets", "remarks"}  # shown above
    ]
    return "".join(out)


@pytest.mark.parametrize("path", sorted(CASES.glob("*.txt")), ids=lambda path: path.stem)
def test_a_configuration_gives_these_findings_and_settings(path: Path, tmp_path: Path) -> None:
    case = read_case(path.read_text())

    seen = show_result(run_case(case, tmp_path), tmp_path)

    if UPDATE:
        path.write_text(f"{case.head}=== findings\n{seen}")
    else:
        assert seen == case.expected


def test_the_page_in_one_file_and_split_over_files_mean_the_same(tmp_path: Path) -> None:
    """The master test: the blocks of the page, concatenated, or each in a file of its own."""
    whole = read_case((CASES / "page.txt").read_text())
    split = read_case((CASES / "page-split.txt").read_text())

    one = show_result(run_case(whole, tmp_path), tmp_path).partition("=== settings\n")[2]
    several = show_result(run_case(split, tmp_path), tmp_path).partition("=== settings\n")[2]

    assert len(split.loaded) == 7
    assert "".join(split.loaded.values()) == "".join(whole.loaded.values())
    assert one == several != ""
