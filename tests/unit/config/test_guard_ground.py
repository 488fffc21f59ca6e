"""Values that options of several kinds share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiergate.base.values import Secret
from tiergate.config.findings import Findings
from tiergate.config.guard_ground import JUDGES, OptionGround
from tiergate.config.reading import Reader
from tiergate.config.section import Section
from tiergate.config.tree import MapNode
from tiergate.config.typed import Typed
from tiergate.config.yamltext import parse
from tiergate.core.guard_options import Reaction
from tiergate.wiring.guard_facts import InstalledGuards


def ground(environ: dict[str, str] | None = None, *, look_up: bool = True) -> OptionGround:
    findings = Findings(lenient=True, strict=False)
    reader = Reader(findings, Typed(findings))
    return OptionGround(reader, environ or {}, look_up, frozenset(), InstalledGuards())


def said(on: OptionGround) -> list[str]:
    return [f"{f.severity.value} {f.path}: {f.message}" for f in on.reader.findings.result()]


def section(text: str, on: OptionGround) -> Section:
    node = parse(text, "/etc/x/a.yaml", on.reader.findings)
    assert isinstance(node, MapNode)
    return Section((), node.position, node)


@pytest.mark.parametrize("word", ["MASK", "mask", " Mask "])
def test_an_action_is_read_in_any_spelling(word):
    on = ground()
    assert on.reaction(section(f"{{a: '{word}'}}", on).take("a"), Reaction.LOG) is Reaction.MASK
    assert on.reaction(None, Reaction.LOG) is Reaction.LOG
    assert said(on) == []


@pytest.mark.parametrize("value", ["drop", "[]", "mask"])
def test_another_word_is_an_error_even_when_lenient(value):
    on = ground()
    spot = section(f"{{a: {value}}}", on).take("a")
    assert on.reaction(spot, Reaction.BLOCK, JUDGES) is Reaction.BLOCK
    assert said(on)[0].startswith("error a: ")


def test_an_address_is_the_written_one_the_variables_or_the_default():
    on = ground({"BASE": "http://v"})
    spot = section("{a: 'https://w'}", on).take("a")
    assert on.address(spot, "BASE", "http://d") == "https://w"
    assert on.address(None, "BASE", "http://d") == "http://v"
    assert on.address(None, "OTHER", "http://d") == "http://d"
    assert on.address(None, "") == ""
    assert ground({"BASE": "http://v"}, look_up=False).address(None, "BASE") == ""


def test_an_address_that_is_none_is_an_error():
    on = ground()
    assert on.address(section("{a: nowhere}", on).take("a"), "BASE", "http://d") == ""
    assert said(on) == ["error a: is not an address that begins with http:// or https://"]


def test_a_key_is_the_written_one_or_the_variables():
    on = ground({"KEY": " k "})
    assert on.key(section("{a: w}", on).take("a"), "KEY") == Secret("w")
    assert on.key(None, "KEY") == Secret("k")
    assert on.key(None, "OTHER") is None


def test_a_file_stands_beside_the_one_that_names_it():
    on = ground()
    files = section("{a: words.yaml, b: /x/y.yaml, c: [1]}", on)
    spots = [files.take(name) for name in "abc"]
    assert [on.beside(spot) for spot in spots if spot is not None] == [
        Path("/etc/x/words.yaml"),
        Path("/x/y.yaml"),
        None,
    ]
