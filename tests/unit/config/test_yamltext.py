from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from tiergate.config.findings import Findings
from tiergate.config.tree import MapNode, Node, ScalarNode, to_json
from tiergate.config.yamltext import MOST_DEPTH, MOST_VALUES, parse


def read(text: str) -> tuple[Node | None, list[str]]:
    findings = Findings()
    node = parse(text, "f.yaml", findings)
    return node, [each.code for each in findings.result()]


def value(text: str) -> object:
    node, codes = read(text)
    assert node is not None, codes
    return to_json(node)


def test_every_key_and_value_knows_its_line_and_column() -> None:
    node, _ = read("a:\n  b: 1\n  c:\n    - x\n")

    assert isinstance(node, MapNode)
    inner = node.entries[0].node
    assert isinstance(inner, MapNode)
    assert [(e.key, e.position.line, e.position.column) for e in inner.entries] == [
        ("b", 2, 3),
        ("c", 3, 3),
    ]
    assert inner.entries[1].node.position.line == 4


def test_keys_are_text_as_they_are_written() -> None:
    assert value("on: 1\n2024: 2\n1.50: 3\n") == {"on": 1, "2024": 2, "1.50": 3}


def test_quotes_and_tags_make_text() -> None:
    assert value("a: '30'\nb: !!str 30\nc: !!int '30'\nd: ''\n") == {
        "a": "30",
        "b": "30",
        "c": 30,
        "d": "",
    }


def test_a_number_keeps_its_digits() -> None:
    node, _ = read("0.1000")

    assert isinstance(node, ScalarNode)
    assert (node.value, node.text) == (0.1, "0.1000")


def test_aliases_and_merge_keys_work_as_in_yaml() -> None:
    text = """
base: &base {a: 1, b: 1}
other: &other {b: 2, c: 2}
one: {<<: *base, b: 9}
two: {<<: [*base, *other], d: 4}
list: [*base]
quoted: {"<<": 3}
"""
    seen = value(text)

    assert isinstance(seen, dict)
    assert seen["one"] == {"b": 9, "a": 1}
    assert seen["two"] == {"d": 4, "a": 1, "b": 1, "c": 2}
    assert seen["list"] == [{"a": 1, "b": 1}]
    assert seen["quoted"] == {"<<": 3}


def test_an_alias_may_be_a_key() -> None:
    assert value("a: &x name\nb: {*x : 1}\n") == {"a": "name", "b": {"name": 1}}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: [", "invalid-yaml"),
        ("a: b: c", "invalid-yaml"),
        ("a:\n\t- b", "invalid-yaml"),
        ("a: \x07", "invalid-yaml"),
        ("%YAML 9.9\n---\na: 1", "invalid-yaml"),
        ("a: *nobody", "unknown-alias"),
        ("a: &a {b: *a}", "recursive-alias"),
        ("a: {<<: 3}", "bad-merge-key"),
        ("a: {<<: [{}, 3]}", "bad-merge-key"),
        ("{[a]: b}", "bad-key"),
        ("x: &x [1]\ny: {*x : 1}", "bad-key"),
        ("a: !!python/name:os.system", "unknown-tag"),
        ("a: !set {b}", "unknown-tag"),
        ("a: 1\n---\nb: 2", "several-documents"),
        ("[" * (MOST_DEPTH + 1) + "]" * (MOST_DEPTH + 1), "too-deep"),
        ("{a: " * 50_000, "too-deep"),
    ],
)
def test_what_cannot_be_a_configuration_is_one_finding(text: str, code: str) -> None:
    node, codes = read(text)

    assert node is None
    assert codes == [code]


def test_an_endless_row_of_brackets_ends_soon() -> None:
    """The library's scanner may give up on it before the bound here is reached."""
    node, codes = read("[" * 100_000)

    assert node is None
    assert codes in (["too-deep"], ["invalid-yaml"])


def test_aliases_cannot_grow_without_bound() -> None:
    """A billion laughs: nine lines of ten aliases each."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]

    node, codes = read("\n".join(lines))

    assert node is None
    assert codes == ["too-large"]


def test_merge_keys_cannot_grow_without_bound() -> None:
    many = ", ".join(f"k{i}: 0" for i in range(1000))
    text = f"a: &a {{{many}}}\n" + "\n".join(f"b{i}: {{<<: *a}}" for i in range(200))

    assert read(text)[1] == ["too-large"]


def test_the_number_of_values_is_bounded() -> None:
    assert read("[" + "1," * (MOST_VALUES + 1) + "]")[1] == ["too-large"]


def test_no_document_is_no_tree() -> None:
    assert read("") == (None, [])
    assert read("# only a comment\n") == (None, [])


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(PLAIN)
def test_what_yaml_writes_is_read_back(thing: object) -> None:
    # The library's writer breaks U+0085 unless it escapes.
    text = yaml.safe_dump(thing, allow_unicode=False)

    findings = Findings()
    node = parse(text, "f.yaml", findings)

    assert findings.result() == ()
    assert node is not None
    assert to_json(node) == thing


@given(st.text())
@example("&a : *a")
@example("? ")
@example("- - - -\n ?")
@example("!<> x")
@example("a: !<tag:yaml.org,2002:int> x")
def test_no_text_makes_it_raise(text: str) -> None:
    findings = Findings()
    node = parse(text, "f.yaml", findings)

    assert node is None or not any(f.code == "invalid-yaml" for f in findings.result())
    assert all("\n" not in str(finding) for finding in findings.result())


YAMLISH = st.lists(
    st.sampled_from(
        ["a", "b: ", "- ", "\n", "  ", "&x ", "*x", "<<: ", "{", "}", "[", "]", ",", "!t ", "'",
         '"', "|", ">", "?", "#", "---", "...", "%", "\t", "1", "null", "~", ":"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(YAMLISH)
def test_no_yaml_like_text_makes_it_raise(text: str) -> None:
    findings = Findings()
    parse(text, "f.yaml", findings)

    for finding in findings.result():
        assert "\n" not in str(finding)
