"""The shape of the repository: sizes, mirrored tests, layers, words that do not belong here."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "tiergate"
UNIT = ROOT / "tests" / "unit"
MOST_LINES = 400

LONG = {
    "base/chat.py": "the canonical form is one vocabulary; values only, with what each means",
}
"""Source files over the limit, each with its reason."""

UNMIRRORED = {
    "__main__.py": "two lines; tests/process starts the program by its command",
    "base/chat.py": "values without behaviour; the codecs' tests are about them",
    "base/jsontypes.py": "names of types",
    "config/checks/__init__.py": "calls the checks in turn; tests/unit/config/test_load.py",
    "config/checks/subject.py": "a value without behaviour",
    "config/guard_facts.py": "a Protocol",
    "config/pricebook.py": "a Protocol",
    "core/guard_options.py": "values without behaviour",
    "core/ledger.py": "values without behaviour",
    "core/purpose.py": "a value without behaviour",
    "core/cache_plan.py": "values without behaviour",
    "core/meaning_plan.py": "values without behaviour",
    "core/remarks.py": "a value without behaviour",
    "core/steps.py": "values without behaviour",
    "guards/detectors.py": "a Protocol",
    "pipeline/parts.py": "values without behaviour; the engine's tests are about them",
    "pipeline/engine.py": "its tests are plays: tests/plays/test_engine.py",
    "ports/access.py": "a Protocol",
    "ports/caching.py": "Protocols, and values without behaviour",
    "ports/calls.py": "Protocols, and values without behaviour",
    "ports/guarding.py": "Protocols, and values without behaviour",
    "ports/keeping.py": "Protocols, and values without behaviour",
    "ports/meaning.py": "Protocols, and a value without behaviour",
    "ports/money.py": "Protocols, and values without behaviour",
    "ports/network.py": "Protocols, and values without behaviour",
    "ports/watching.py": "a Protocol",
    "providers/target.py": "values without behaviour",
    "ui/sights.py": "values without behaviour; the tests of the pages are about them",
    "ui/visits.py": "values without behaviour; tests/unit/ui/test_dashboard.py",
}
"""Source files without a test file of the mirrored name, each with its reason."""


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def named(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def mirrors(path: Path) -> list[Path]:
    """The test files that may stand for a module."""
    folder = UNIT / path.relative_to(SOURCE).parent
    if path.name == "__init__.py":
        return [folder / "test_init.py", folder.parent / f"test_{folder.name}.py"]
    return [folder / f"test_{path.stem.strip('_')}.py"]


def says_nothing(path: Path) -> bool:
    """Whether a module only has a sentence, imports and a list of names."""
    harmless = (ast.Import, ast.ImportFrom)
    for node in ast.parse(path.read_text("utf-8")).body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        names = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in (
            "__all__",
            "__version__",
        )
        if not (is_text or names or isinstance(node, harmless)):
            return False
    return True


# ------------------------------------------------------------------ sizes


def test_no_source_file_is_long_without_a_reason():
    long = {named(path) for path in modules() if lines(path) > MOST_LINES}
    assert long == set(LONG), "split it, or (if it was split) take it off the list"


def test_no_test_file_is_much_longer():
    for path in (ROOT / "tests").rglob("*.py"):
        assert lines(path) <= 2 * MOST_LINES, path


# ------------------------------------------------------------------ mirrored tests


def test_every_module_has_its_test_file_or_a_reason():
    without = {
        named(path)
        for path in modules()
        if not (path.name == "__init__.py" and says_nothing(path))
        and not any(mirror.exists() for mirror in mirrors(path))
    }
    assert without == set(UNMIRRORED), "write the test, or take the exception off the list"


def test_every_exception_is_a_file():
    for name in {**LONG, **UNMIRRORED}:
        assert (SOURCE / name).exists(), f"{name} is gone: take it off the list"


def test_test_folders_hold_tests_and_what_they_need_only():
    for path in UNIT.rglob("*.py"):
        assert path.name.startswith("test_") or path.name == "conftest.py", path


# ------------------------------------------------------------------ every module


def test_every_module_opens_with_a_sentence():
    for path in modules():
        text = ast.get_docstring(ast.parse(path.read_text("utf-8")))
        assert text, f"{named(path)} has no docstring"
        assert text.split("\n\n")[0].rstrip("`'\"").endswith((".", "?", "!")), named(path)


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text("utf-8")))


LOADS_WHEN_ASKED = {
    "wiring/callbacks.py": "loads the library of the sink that a configuration asks for",
    "wiring/answer_stores.py": "loads the store of cached answers that a configuration asks for",
    "wiring/configuration.py": "builds the guards of files that have some",
    "wiring/guard_facts.py": "loads the patterns of guards when a configuration asks for them",
    "wiring/guard_means.py": "loads the guards, and their libraries, that are asked for",
    "wiring/meanings.py": "loads the store of vectors or the model that is asked for",
    "wiring/places.py": "loads the optional stores that a configuration asks for",
}
"""Source files that may import inside a function, each with its reason."""


def test_no_import_inside_a_function():
    for path in modules():
        if named(path) in LOADS_WHEN_ASKED:
            continue
        for node in nodes(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = [n for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom)]
                assert not inner, f"{named(path)}:{node.lineno}"


CATCH_ALL = {
    "custom/classes.py": "classes written for LiteLLM hand on whatever stands in the file",
}
"""Source files whose functions may take any keyword, each with its reason."""


def test_no_keyword_catch_all():
    for path in modules():
        if named(path) in CATCH_ALL:
            continue
        for node in nodes(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.args.kwarg is None, f"{named(path)}:{node.lineno}"


def test_every_exception_to_a_rule_has_its_reason():
    bare = re.compile(r"# (?:noqa|type: ignore|pyright: ignore)(?::? ?[A-Z0-9, ]+|\[[^\]]*\])?$")
    for path in [*modules(), *sorted((ROOT / "bench").rglob("*.py"))]:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            assert not bare.search(line) or "pyright" in line, f"{path.name}:{number}: {line}"


def test_nothing_is_left_to_be_done():
    unfinished = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b|NotImplementedError")
    for path in modules():
        found = unfinished.search(path.read_text("utf-8"))
        assert not found, f"{named(path)}: {found}"


def test_no_module_keeps_state_of_its_own():
    """Module-level dicts, lists and sets are tables: they are written in capitals, or typed."""
    for path in modules():
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.Assign) and isinstance(
                node.value, ast.List | ast.Dict | ast.Set
            ):
                for target in node.targets:
                    name = ast.unparse(target)
                    assert name == "__all__" or name.strip("_").isupper(), f"{named(path)}: {name}"
            assert not isinstance(node, ast.Global)
        assert not any(isinstance(node, ast.Global) for node in nodes(path)), named(path)


# ------------------------------------------------------------------ tests keep the rules of tests


def test_no_test_is_skipped_or_expected_to_fail():
    marks = re.compile(r"pytest\.(?:skip|xfail|importorskip)\b|mark\.(?:skip|skipif|xfail)\b")
    for path in (ROOT / "tests").rglob("*.py"):
        if path != Path(__file__):
            assert not marks.search(path.read_text("utf-8")), path


def test_test_folders_are_no_packages():
    found = {path.parent.name for path in (ROOT / "tests").rglob("__init__.py")}
    assert found <= {"support"}


# ------------------------------------------------------------------ layers


def test_the_import_contracts_hold():
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert " 0 broken" in done.stdout


# ------------------------------------------------------------------ words

PLACES = re.compile(r"(?<![\w.~/-])/(?:work|root|tmp|home)/\w+|\bpypi\.[a-z]+\.internal\b")
WORKSHOP = re.compile(
    r"\b(?:this|our|previous|next|parallel|coding|ai) sessions?\b"
    r"|\bsub-?agents?\b|\bworkplaces?\b|\b(?:the|this|my|your) briefs?\b"
    r"|\bas an ai\b|\b(?:lead|assistant)'s (?:brief|task|report|part)\b",
    re.IGNORECASE,
)


def repository_files() -> list[Path]:
    done = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    texts = (".py", ".md", ".toml", ".yaml", ".yml", ".sh", ".txt", "")
    return [
        ROOT / name
        for name in done.stdout.splitlines()
        if Path(name).suffix in texts
        and (ROOT / name).is_file()
        and ROOT / name != Path(__file__)
        and not name.startswith(("requirements/", "tests/golden/"))
    ]


def test_the_repository_names_no_place_on_a_machine():
    for path in repository_files():
        for line in path.read_text("utf-8").splitlines():
            found = PLACES.search(line)
            assert not found or path.is_relative_to(ROOT / "tests"), f"{path}: {found}"


def test_the_repository_speaks_of_the_product_alone():
    for path in repository_files():
        for line in path.read_text("utf-8").splitlines():
            found = WORKSHOP.search(line)
            assert not found, f"{path}: {found}"


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "manager", "handler", "misc"])
def test_no_module_has_a_name_that_says_nothing(name):
    assert not [path for path in modules() if path.stem.strip("_") == name]
