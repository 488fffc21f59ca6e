"""JSON with the line of every value, and what is wrong with text that is none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.config.backlog_text import MOST_DEPTH, parse_json
from tiergate.config.findings import Finding, Findings
from tiergate.config.tree import ListNode, MapNode, Node, ScalarNode


def parsed(text: str) -> tuple[Node | None, tuple[Finding, ...]]:
    findings = Findings()
    node = parse_json(text, "f.json", findings)
    return node, findings.result()


def plain(node: Node) -> object:
    if isinstance(node, MapNode):
        return {entry.key: plain(entry.node) for entry in node.entries}
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return node.value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False,
    allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(JSON, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_it_reads_what_json_reads(value, indent, ascii_only):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    node, findings = parsed(text)
    assert findings == ()
    assert node is not None
    assert plain(node) == value


@given(st.text('{}[]",:0123456789.eE+-truefalsn \n\\/u', max_size=30))
def test_it_refuses_what_json_refuses(text):
    node, findings = parsed(text)
    try:
        value = json.loads(text)
    except ValueError:
        assert node is None
        assert [each.code for each in findings][:1] == ["invalid-json"] or any(
            each.code == "invalid-json" for each in findings
        )
    else:
        if node is not None and not findings:
            assert plain(node) == value


def test_every_value_knows_its_line_and_column():
    node, _ = parsed('{\n\t"a": {\n\t\t"b": [1,\n 2]}}')
    assert isinstance(node, MapNode)
    (a,) = node.entries
    assert isinstance(a.node, MapNode)
    (b,) = a.node.entries
    assert isinstance(b.node, ListNode)
    assert [(p.line, p.column) for p in (a.position, b.position)] == [(2, 2), (3, 3)]
    assert [item.position.line for item in b.node.items] == [3, 4]
    last = b.node.items[1]
    assert isinstance(last, ScalarNode)
    assert last.text == "2"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "it ends too early"),
        ('{"a": 1', 1, "it ends too early"),
        ('{\n"a": 1,\n}', 2, "a comma without a value after it"),
        ("[1,]", 1, "a comma without a value after it"),
        ('{\n// why\n"a": 1}', 2, "a comment"),
        ('{"a": 1} x', 1, "something follows"),
        ('{"a" 1}', 1, "a colon"),
        ("{a: 1}", 1, "a text in double quotes"),
        ('{"a": yes}', 1, "a value is expected here"),
        ("[1 2]", 1, "a comma or ]"),
        ('["a\nb"]', 1, "on one line"),
        ('["\\x"]', 1, "an escape"),
        ("[01]", 1, "expected"),
        ("[NaN]", 1, "a value is expected here"),
        ("[" * (MOST_DEPTH + 2) + "]" * (MOST_DEPTH + 2), 1, f"more than {MOST_DEPTH} levels"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text, line, words):
    node, (finding,) = parsed(text)
    assert node is None
    assert (finding.code, finding.position.line) == ("invalid-json", line)
    assert words in f"{finding.message} {finding.advice}"


def test_a_key_that_is_given_twice_is_told_with_both_lines():
    node, (finding,) = parsed('{"a": 1,\n"a": 2}')
    assert node is not None
    assert plain(node) == {"a": 2}
    assert (finding.code, finding.position.line, finding.path) == ("repeated-key", 2, "a")
    assert "f.json:1" in finding.message
