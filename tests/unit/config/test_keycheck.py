from __future__ import annotations

import pytest

from tiergate.config.findings import Findings
from tiergate.config.keycheck import KeyCheck, fits
from tiergate.config.keytable import KeyEntry, KeyFacts, KeyTable, KeyType, Verdict
from tiergate.config.section import Section
from tiergate.config.tree import MapNode
from tiergate.config.yamltext import parse


def entry(path: str, verdict: Verdict, kind: KeyType = KeyType.ANY, **more: str) -> KeyEntry:
    facts = KeyFacts(
        kind, verdict, "Does this. And that.", until=more.get("until", ""),
        instead=more.get("instead", ""), values=tuple(more.get("values", "").split()),
    )  # fmt: skip
    return KeyEntry(tuple(path.split(".")), facts)


TABLE = KeyTable(
    [
        entry("router", Verdict.HONOURED, KeyType.MAPPING),
        entry("router.retries", Verdict.HONOURED, KeyType.INTEGER),
        entry("router.old", Verdict.NO_EFFECT, KeyType.BOOLEAN, instead="Leave it out."),
        entry("router.auth", Verdict.REFUSED, KeyType.BOOLEAN, instead="Use another."),
        entry("cache", Verdict.PLANNED, KeyType.MAPPING, until="Nothing is cached."),
        entry("cache.ttl", Verdict.PLANNED, KeyType.DURATION),
        entry("cache.mode", Verdict.PLANNED, KeyType.ENUM, values="on off"),
        entry("cache.unsafe", Verdict.REFUSED, KeyType.BOOLEAN),
        entry("guards", Verdict.PLANNED, KeyType.LIST),
        entry("guards.*", Verdict.PLANNED, KeyType.MAPPING),
        entry("guards.*.name", Verdict.PLANNED, KeyType.STRING),
        entry("names", Verdict.NO_EFFECT, KeyType.STRING_LIST),
    ]
)


def check(text: str, **how: bool) -> list[str]:
    findings = Findings(**how)
    node = parse(text, "f.yaml", findings)
    assert isinstance(node, MapNode)
    top = Section((), node.position, node)
    check = KeyCheck(TABLE, findings)
    check.left(top.section("router", findings))
    check.left(top)
    return [str(each).removeprefix("f.yaml:1: ") for each in findings.result()]


def test_an_unknown_key_is_an_error_with_the_nearest_known_one() -> None:
    assert check("router: {retrys: 1}") == [
        "error: router.retrys: unknown key. Did you mean `retries`?"
    ]


def test_a_known_key_at_a_wrong_place_is_told_its_place() -> None:
    assert check("retries: 1") == [
        "error: retries: has no meaning at this place. It belongs under `router`."
    ]


def test_a_key_like_no_other_is_to_be_removed() -> None:
    assert check("router: {qqqq: 1}") == ["error: router.qqqq: unknown key. Remove it."]


def test_lenient_makes_unknown_and_misplaced_keys_warnings() -> None:
    lines = check("qqqq: 1\nretries: 1\n", lenient=True)

    assert [line.split(": ")[0] for line in lines] == ["warning", "f.yaml:2"]


def test_keys_that_hold_anchors_are_free_when_they_say_so() -> None:
    assert check("x-shared: {a: 1}") == []
    assert "x-qqqq" in check("qqqq: {a: 1}")[0]


def test_a_key_without_effect_is_a_notice_with_the_reason() -> None:
    assert check("router: {old: true}") == [
        "notice: router.old: has no effect here: Does this. And that. Leave it out."
    ]
    assert check("router: {old: true}", strict=True)[0].startswith("error")


def test_a_key_that_is_to_come_is_a_warning_that_says_what_holds_meanwhile() -> None:
    assert check("cache: {ttl: 5}") == [
        "warning: cache: is not acting yet: Does this. And that. Meanwhile: Nothing is cached."
    ]


def test_a_refused_key_is_an_error_lenient_or_not() -> None:
    for lenient in (True, False):
        assert check("router: {auth: true}", lenient=lenient)[0].startswith("error: router.auth")


def test_a_refused_key_under_one_that_does_not_act_is_still_refused() -> None:
    assert check("cache: {unsafe: true}")[0].startswith("error: cache.unsafe")


@pytest.mark.parametrize("value", ["false", "null", "[]", "{}"])
def test_what_is_written_off_needs_no_word(value: str) -> None:
    lines = check(f"router: {{auth: {value}, old: {value}}}\ncache: {value}\nguards: {value}\n")

    assert lines == []


def test_a_key_that_acts_and_that_nobody_read_is_not_passed_over() -> None:
    assert check("router: {retries: 1}") == [
        "warning: router.retries: is not acting yet: Does this. And that."
    ]


def test_unknown_keys_deep_inside_are_found() -> None:
    lines = check("guards: [{name: x, naem: y}]")

    assert "error: guards[0].naem: unknown key. Did you mean `name`?" in lines


def test_a_time_that_does_not_act_yet_is_taken_in_seconds_only() -> None:
    assert check("cache: {ttl: 1h}")[0] == (
        'error: cache.ttl: expected a number of seconds, got the text "1h". Write 3600.'
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("router: {old: 3}", "expected true or false, got 3"),
        ("router: {retries: x}", "expected a whole number"),
        ("cache: [1]", "expected a mapping"),
        ("guards: {a: 1}", "expected a list"),
        ("names: 3", "expected a list of texts"),
        ("cache: {mode: [x]}", "Write one of on, off."),
    ],
)
def test_a_wrong_type_is_an_error(text: str, words: str) -> None:
    assert words in check(text)[0]


def test_a_value_of_nothing_is_mentioned_where_somebody_reads_it() -> None:
    findings = Findings()
    node = parse("a:\n", "f.yaml", findings)
    assert isinstance(node, MapNode)
    section = Section((), node.position, node)
    section.take("a")

    KeyCheck(TABLE, findings).left(section)

    assert [each.code for each in findings.result()] == ["empty-value"]


@pytest.mark.parametrize("kind", list(KeyType))
def test_every_type_accepts_something_and_all_but_any_refuse_something(kind: KeyType) -> None:
    values = ["1", "1.5", "true", "text", "[]", "{}"]
    nodes = [parse(value, "f.yaml", Findings()) for value in values]

    accepted = [fits(kind, node) for node in nodes if node is not None]

    assert any(accepted)
    assert all(accepted) == (kind is KeyType.ANY)
