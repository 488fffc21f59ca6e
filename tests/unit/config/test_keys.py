"""The reader of the table's files, and the form of the files themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiergate.config import keys
from tiergate.config.keys import load_key_table, read_keys
from tiergate.config.keytable import KeyType, Origin, Verdict

FILES = sorted(Path(keys.__file__).parent.glob("*.toml"))

ONE = """\
under = 'router_settings litellm_settings'

[[planned]]
keys = 'one two.*'
type = 'enum'
values = 'a b'
default = 'a'
text = 'Says something.'
until = 'Nothing happens.'
also = 'general_settings.three'
origin = 'tiergate'

[[no_effect]]
keys = '. four'
under = 'guardrails.*'
text = 'Says something else.'
instead = 'None needed.'
"""


def test_each_name_stands_at_each_place() -> None:
    entries = list(read_keys(ONE, "one.toml"))
    assert [e.path for e in entries] == [
        "router_settings.one",
        "litellm_settings.one",
        "router_settings.two.*",
        "litellm_settings.two.*",
        "guardrails.*",
        "guardrails.*.four",
    ]


def test_every_field_is_read() -> None:
    first, *_, last = read_keys(ONE, "one.toml")
    assert first.also == ("litellm_settings.one", "general_settings.three")
    facts = first.facts
    assert (facts.type, facts.verdict, facts.origin) == (
        KeyType.ENUM,
        Verdict.PLANNED,
        Origin.TIERGATE,
    )
    assert (facts.values, facts.default) == (("a", "b"), "a")
    assert (facts.text, facts.until) == ("Says something.", "Nothing happens.")
    assert (last.type, last.facts.origin) == (KeyType.ANY, Origin.LITELLM)
    assert (last.facts.instead, last.also) == ("None needed.", ())


def test_the_top_of_the_file_is_a_place() -> None:
    text = (
        "under = '. general_settings'\n[[refused]]\nkeys = 'one'\ntext = 'No.'\ninstead = 'X.'\n"
    )
    assert [e.path for e in read_keys(text, "x")] == ["one", "general_settings.one"]


@pytest.mark.parametrize(
    "text",
    [
        "[[honoured]]\nkeys = 'one'\ntext = 'No place.'\n",
        "under = 3\n",
        "under = '.'\n[[liked]]\nkeys = 'one'\ntext = 'No such verdict.'\n",
        "under = '.'\n[honoured]\nkeys = 'one'\ntext = 'Not an array.'\n",
        "under = '.'\n[[honoured]]\nkeys = 'one'\n",
        "under = '.'\n[[honoured]]\ntext = 'No keys.'\n",
        "under = '.'\n[[honoured]]\nkeys = ['one']\ntext = 'A list.'\n",
        "under = '.'\n[[honoured]]\nkeys = 'one'\ntext = 'Misspelled.'\nuntill = 'x'\n",
        "under = '.'\n[[honoured]]\nkeys = 'one'\ntext = 'No such type.'\ntype = 'thing'\n",
        "under = '.'\nhonoured = [1]\n",
        "under = ",
    ],
)
def test_a_file_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        list(read_keys(text, "bad.toml"))


def test_the_files_name_each_key_once_and_say_what_litellm_documents() -> None:
    table = load_key_table()
    assert len(table.all()) > 1500
    assert {e.parts[0] for e in table.all()} >= {
        "model_list",
        "router_settings",
        "litellm_settings",
        "general_settings",
        "guardrails",
        "environment_variables",
    }


def test_the_files_stay_lean_enough_for_every_start() -> None:
    """Parsing takes about a tenth of a millisecond per kilobyte, and is done at each start."""
    assert sum(file.stat().st_size for file in FILES) < 160_000


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_strings_are_in_single_quotes(file: Path) -> None:
    """`tomllib` reads double-quoted strings letter by letter."""
    for line in file.read_text(encoding="utf-8").splitlines():
        assert ' = "' not in line.split("'")[0]
