"""Loading objects that a configuration names."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tiergate.custom import CustomGuardrail
from tiergate.wiring.custom_module import load_object


def write(folder: Path, name: str, text: str) -> str:
    path = folder / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(folder)


def test_a_module_beside_the_file_is_found(tmp_path: Path):
    folder = write(tmp_path, "beside_one", "class Mine: word = 'x'")
    assert load_object("beside_one.Mine", folder).word == "x"


def test_dots_are_folders(tmp_path: Path):
    write(tmp_path / "deep_two", "inner", "thing = 5")
    assert load_object("deep_two.inner.thing", str(tmp_path)) == 5


def test_a_module_is_loaded_once_for_all_who_name_it(tmp_path: Path):
    folder = write(tmp_path, "once_three", "class A: pass\nclass B: pass")
    assert load_object("once_three.A", folder).__module__ == "once_three"
    assert load_object("once_three.A", folder) is load_object("once_three.A", folder)
    assert sys.modules["once_three"].B is load_object("once_three.B", folder)


def test_an_installed_package_is_found_too(tmp_path: Path):
    assert load_object("json.JSONDecoder", str(tmp_path)).__name__ == "JSONDecoder"


def test_a_class_for_litellm_needs_no_litellm(tmp_path: Path):
    text = (
        "from litellm.integrations.custom_guardrail import CustomGuardrail\n"
        "from fastapi import HTTPException\n"
        "class Mine(CustomGuardrail): pass\n"
    )
    folder = write(tmp_path, "for_litellm_four", text)
    assert issubclass(load_object("for_litellm_four.Mine", folder), CustomGuardrail)


def test_a_module_may_import_others_beside_it(tmp_path: Path):
    write(tmp_path, "helper_five", "word = 'y'")
    folder = write(tmp_path, "main_five", "import helper_five\nword = helper_five.word")
    assert load_object("main_five.word", folder) == "y"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("nothing_here.A", "", "there is no module nothing_here"),
        ("word", "", "write MODULE.CLASS"),
        ("lacks_six.B", "A = 1", "has no B"),
        ("fails_six.B", "1 / 0", "ZeroDivisionError"),
        ("needs_six.B", "import not_installed_at_all", "not_installed_at_all"),
        ("names_six.B", "from litellm.utils import x", "litellm.utils"),
    ],
)
def test_what_cannot_be_loaded_is_told_in_one_sentence(
    tmp_path: Path, name: str, text: str, words: str
):
    if text:
        write(tmp_path, name.partition(".")[0], text)
    with pytest.raises(ValueError, match=r".") as end:
        load_object(name, str(tmp_path))
    assert words in str(end.value)
    assert "\n" not in str(end.value)


def test_a_module_that_fails_leaves_nothing_behind(tmp_path: Path):
    before = list(sys.path)
    folder = write(tmp_path, "fails_seven", "raise RuntimeError('x')")
    with pytest.raises(ValueError, match="RuntimeError"):
        load_object("fails_seven.A", folder)
    assert "fails_seven" not in sys.modules
    assert sys.path == before
