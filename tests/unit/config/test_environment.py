from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.values import Position
from tiergate.config.environment import Expander, with_file_variables
from tiergate.config.findings import Findings
from tiergate.config.tree import MapNode, ScalarNode, to_json
from tiergate.config.yamltext import parse


def expand(
    text: str, environ: dict[str, str], *, look_up: bool = True
) -> tuple[MapNode, list[str]]:
    findings = Findings()
    node = parse(text, "f.yaml", findings)
    assert isinstance(node, MapNode)
    out = Expander(environ, look_up, findings).expand_map(node)
    return out, [str(each) for each in findings.result()]


def test_references_are_replaced_everywhere_also_in_lists() -> None:
    text = "a: os.environ/X\nb: [os.environ/Y, {c: os.environ/X}]\n"

    out, findings = expand(text, {"X": "one", "Y": "two"})

    assert to_json(out) == {"a": "one", "b": ["two", {"c": "one"}]}
    assert findings == []


def test_a_replaced_value_remembers_its_variable() -> None:
    out, _ = expand("a: os.environ/X\n", {"X": "one"})
    node = out.entries[0].node

    assert isinstance(node, ScalarNode)
    assert (node.reference, node.unresolved) == ("X", False)


def test_unset_and_empty_variables_are_errors_that_name_variable_and_path() -> None:
    _, findings = expand("a: {b: [x, os.environ/NOPE]}\nc: os.environ/VOID\n", {"VOID": " "})

    assert "error: a.b[1]: the environment variable NOPE is not set" in findings[0]
    assert "error: c: the environment variable VOID is empty" in findings[1]


def test_without_look_up_nothing_is_missed_and_nothing_is_used() -> None:
    out, findings = expand("a: os.environ/NOPE\n", {"NOPE": "secret"}, look_up=False)
    node = out.entries[0].node

    assert isinstance(node, ScalarNode)
    assert node.unresolved
    assert node.value == "os.environ/NOPE"
    assert findings == []


def test_only_the_whole_text_is_a_reference() -> None:
    out, findings = expand(
        "a: x-os.environ/X\nb: ${X}\nc: $X\nd: https://os.environ.example\n", {"X": "one"}
    )

    assert to_json(out) == {
        "a": "x-os.environ/X",
        "b": "${X}",
        "c": "$X",
        "d": "https://os.environ.example",
    }
    assert [line.split(": ")[2] for line in findings] == ["a", "b"]
    assert all("warning" in line for line in findings)


def test_the_line_break_at_the_end_of_a_secret_file_is_dropped() -> None:
    out, _ = expand("a: os.environ/X\n", {"X": "sk-key\n"})

    assert to_json(out) == {"a": "sk-key"}


def test_a_reference_without_a_name_is_an_error() -> None:
    _, findings = expand("a: os.environ/\n", {})

    assert findings == [
        "f.yaml:1: error: a: os.environ/ names no variable. Write os.environ/NAME."
    ]


def test_the_variables_of_the_file_win_and_may_refer_to_the_process() -> None:
    findings = Findings()
    text = "environment_variables: {A: 5, B: os.environ/HOME_KEY, C: os.environ/NOPE, D: }\n"
    root = parse(text, "f.yaml", findings)
    assert isinstance(root, MapNode)

    variables = with_file_variables(root, {"A": "1", "HOME_KEY": "k"}, findings, look_up=True)

    assert variables == {"A": "5", "B": "k", "HOME_KEY": "k"}
    assert [each.code for each in findings.result()] == ["unset-variable"]


def test_a_section_of_a_wrong_shape_adds_no_variables() -> None:
    findings = Findings()
    root = parse("environment_variables: [A]\n", "f.yaml", findings)
    assert isinstance(root, MapNode)

    assert with_file_variables(root, {"A": "1"}, findings, look_up=True) == {"A": "1"}


@given(st.text(), st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
def test_no_value_is_ever_put_into_a_finding(value: str, environ: dict[str, str]) -> None:
    secret = "s3cr3t-value"
    node = ScalarNode(value, value, Position("f.yaml", 1))
    findings = Findings()

    Expander({**environ, "K": secret}, True, findings).expand(node, ("key",))

    assert all(secret not in str(each) for each in findings.result())
