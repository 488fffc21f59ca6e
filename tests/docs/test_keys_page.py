"""The page about keys: its examples are asked in their order, and what it names is there."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support.asking import answer, told
from support.config_world import Bench
from support.keys import Bureau
from tiergate.config.findings import Severity
from tiergate.core.key_fields import REFUSED
from tiergate.core.key_terms import KEY_FIELDS, TERM_FIELDS

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "keys.md").read_text("utf-8")
BLOCKS = re.findall(r"```(bash|json)\n(.*?)```", PAGE, re.DOTALL)
SOURCE = Path(__file__).parents[2] / "src" / "tiergate"


def commands(block: str) -> list[list[str]]:
    lines = block.replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines if line.startswith("curl ")]


def ask(bureau: Bureau, words: list[str]) -> object:
    """Do what a curl command of the page would do."""
    assert words[words.index("-H") + 1] == "Authorization: Bearer $MASTER"
    address = next(word for word in words if word.startswith("$URL"))
    parts = urlsplit(address.replace("$URL", "http://gateway"))
    if "-d" not in words:
        return answer(told(bureau.routes, parts.path, parts.query))
    body = json.loads(words[words.index("-d") + 1])
    bureau.now += 1
    return answer(told(bureau.routes, parts.path, method="POST", body=body))


def test_every_example_is_answered_as_it_is_shown():
    bureau, last, asked = Bureau(), None, 0
    for kind, block in BLOCKS:
        if kind == "json":
            assert isinstance(last, dict)
            for name, value in json.loads(block).items():
                assert last[name] == value, name
        else:
            for words in commands(block):
                last = ask(bureau, words)
                asked += 1
    assert asked == 20


def test_every_route_is_on_the_page():
    for route in Bureau().routes:
        assert route.path in PAGE, route.path


@pytest.mark.parametrize("field", sorted((TERM_FIELDS | KEY_FIELDS) - {"key_type"}))
def test_every_field_is_on_the_page(field):
    assert f"`{field}`" in PAGE


def test_fields_that_are_said_to_be_refused_are():
    sentence = PAGE.partition("Such are ")[2].partition(" and some more")[0]
    named = re.findall(r"`(\w+)`", sentence)
    assert len(named) == 8
    assert REFUSED.keys() >= set(named)


def test_every_code_of_the_routes_is_on_the_page():
    files = [*SOURCE.glob("core/key_*.py"), *SOURCE.glob("pipeline/key*.py")]
    codes = {code for file in files for code in re.findall(r'code="([a-z_]+)"', file.read_text())}
    for code in codes - {"invalid_request", "missing_parameter"}:
        assert f"`{code}`" in PAGE, code


def test_the_configuration_on_the_page_can_be_served(tmp_path):
    (text,) = re.findall(r"```yaml\n(# config\.yaml\n.*?)```", PAGE, re.DOTALL)
    environ = {"ANTHROPIC_API_KEY": "k-anthropic", "TIERGATE_MASTER_KEY": "7f3kQ9xV2mZp8LwR4tYb"}
    loaded = Bench(tmp_path).load(text, environ=environ)
    assert loaded.settings is not None
    assert [str(f) for f in loaded.findings if f.severity is not Severity.NOTICE] == []
    assert loaded.settings.key_defaults.most.rpm == 600
