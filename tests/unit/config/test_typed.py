from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.values import Secret
from tiergate.config.environment import Expander
from tiergate.config.findings import Findings, Severity
from tiergate.config.section import Section, Spot
from tiergate.config.tree import MapNode
from tiergate.config.typed import Typed, describe, is_secret
from tiergate.config.yamltext import parse


def spot_of(value: str, key: str = "limit", environ: dict[str, str] | None = None) -> Spot:
    """The value of a key, from YAML text."""
    findings = Findings()
    node = parse(f"{key}: {value}\n", "f.yaml", findings)
    assert isinstance(node, MapNode), findings.result()
    node = Expander(environ or {}, environ is not None, findings).expand_map(node)
    spot = Section((), node.position, node).look(key)
    assert spot is not None
    return spot


class Seen:
    """A reader and the codes of what it said."""

    def __init__(self, **how: bool) -> None:
        self.findings = Findings(**how)
        self.typed = Typed(self.findings)

    @property
    def codes(self) -> list[str]:
        return [each.code for each in self.findings.result()]


@pytest.mark.parametrize(
    ("value", "expected"), [("3", 3), ("3.0", 3), ("'3'", 3), ("0", 0), ("1_000", 1000)]
)
def test_whole_numbers(value: str, expected: int) -> None:
    assert Seen().typed.whole(spot_of(value)) == expected


@pytest.mark.parametrize("value", ["1.5", "true", "[]", "{}", "abc", ".nan", ".inf", "-1", "1e99"])
def test_what_is_no_whole_number_is_a_finding(value: str) -> None:
    seen = Seen()

    assert seen.typed.whole(spot_of(value)) is None
    assert seen.codes == ["wrong-type"]


def test_a_number_in_quotes_is_converted_and_said() -> None:
    seen = Seen()

    assert seen.typed.number(spot_of("'30'", "request_timeout")) == 30
    finding = seen.findings.result()[0]
    assert (finding.code, finding.severity) == ("converted", Severity.NOTICE)
    assert str(finding) == 'f.yaml:1: notice: request_timeout: the text "30" is read as 30'


def test_a_number_from_a_variable_is_converted_without_a_word() -> None:
    """A variable can hold nothing but text."""
    seen = Seen()

    assert seen.typed.whole(spot_of("os.environ/N", environ={"N": "7"})) == 7
    assert seen.typed.flag(spot_of("os.environ/F", environ={"F": "True"})) is True
    assert seen.codes == []


def test_truth_values() -> None:
    seen = Seen()

    assert seen.typed.flag(spot_of("on")) is True
    assert seen.typed.flag(spot_of("'no'")) is False
    assert seen.typed.flag(spot_of("maybe")) is None
    assert seen.typed.flag(spot_of("1")) is None
    assert seen.codes == ["wrong-type", "wrong-type", "converted"]


def test_times_are_numbers_or_texts() -> None:
    seen = Seen()

    assert seen.typed.seconds(spot_of("30")) == 30
    assert seen.typed.seconds(spot_of("0.5")) == 0.5
    assert seen.typed.seconds(spot_of("5min")) == 300
    assert seen.codes == []
    assert seen.typed.seconds(spot_of("'30'")) == 30
    assert seen.typed.seconds(spot_of("true")) is None
    assert seen.typed.seconds(spot_of("soon")) is None
    assert seen.codes == ["wrong-type", "bad-duration", "converted"]


def test_a_number_where_a_time_was_written_is_told_the_seconds() -> None:
    seen = Seen()

    assert seen.typed.number(spot_of("1h", "ttl")) is None
    assert seen.findings.result()[0].advice == "Write 3600."


def test_windows_that_mean_nothing_are_errors_even_when_lenient() -> None:
    for value in ("soon", "true", "[]"):
        seen = Seen(lenient=True)

        assert seen.typed.window(spot_of(value)) is None
        assert seen.findings.failed


@pytest.mark.parametrize(
    ("value", "nano"),
    [
        ("1200", 1_200_000_000_000),
        ("0", 0),
        ("0.0015", 1_500_000),
        ("0.1", 100_000_000),
        ("1e-9", 1),
        ("0.0000000001", 1),
        ("'12.50'", 12_500_000_000),
    ],
)
def test_money_is_read_exactly_and_rounded_up(value: str, nano: int) -> None:
    assert Seen().typed.usd(spot_of(value)) == nano


@pytest.mark.parametrize("value", ["-1", "ten", ".inf", ".nan", "true", "9000000001", "{}"])
def test_what_is_no_amount_is_an_error_even_when_lenient(value: str) -> None:
    seen = Seen(lenient=True)

    assert seen.typed.usd(spot_of(value)) is None
    assert seen.findings.failed


@given(st.integers(0, 10**15))
def test_every_amount_of_nine_digits_is_exact(nano: int) -> None:
    text = f"{nano // 10**9}.{nano % 10**9:09d}"

    assert Seen().typed.usd(spot_of(text)) == nano


def test_texts_come_as_a_list_or_alone() -> None:
    seen = Seen()

    assert seen.typed.texts(spot_of("[a, 2, on]")) == ("a", "2", "on")
    assert seen.typed.texts(spot_of("a")) == ("a",)
    assert seen.codes == []
    assert seen.typed.texts(spot_of("{}")) == ()
    assert seen.typed.texts(spot_of("[a, [b]]")) == ("a",)
    assert seen.codes == ["wrong-type", "wrong-type"]


def test_a_number_is_a_name_but_no_text() -> None:
    seen = Seen()

    assert seen.typed.name(spot_of("2024")) == "2024"
    assert seen.typed.text(spot_of("2024")) is None
    assert seen.findings.result()[0].advice == "Put it in quotes."


def test_an_empty_text_is_no_text() -> None:
    seen = Seen()

    assert seen.typed.text(spot_of("''")) is None
    assert seen.typed.text(spot_of("'  '")) is None
    assert seen.codes == ["empty-text"]


def test_a_choice_is_one_of_the_known_words() -> None:
    seen = Seen(lenient=True)

    assert seen.typed.choice(spot_of("free"), ("free",)) == "free"
    assert seen.typed.choice(spot_of("fre"), ("free",)) is None
    assert seen.findings.result()[0].advice == "Did you mean `free`?"


def test_pairs_are_names_and_texts() -> None:
    seen = Seen()

    assert seen.typed.pairs(spot_of("{X-A: b, X-N: 1}")) == (("X-A", "b"), ("X-N", "1"))
    assert seen.typed.pairs(spot_of("[x]")) == ()
    assert seen.typed.mapping(spot_of("3")) == {}
    assert seen.codes == ["wrong-type", "wrong-type"]


READERS: list[Callable[[Typed, Spot], object]] = [
    lambda t, s: t.text(s),
    lambda t, s: t.name(s),
    lambda t, s: t.secret(s),
    lambda t, s: t.texts(s),
    lambda t, s: t.flag(s),
    lambda t, s: t.whole(s),
    lambda t, s: t.number(s),
    lambda t, s: t.seconds(s),
    lambda t, s: t.window(s),
    lambda t, s: t.usd(s),
    lambda t, s: t.choice(s, ("a",)),
    lambda t, s: t.mapping(s),
    lambda t, s: t.pairs(s),
]


@pytest.mark.parametrize("reader", READERS)
def test_a_value_that_was_not_looked_up_is_neither_used_nor_blamed(
    reader: Callable[[Typed, Spot], object],
) -> None:
    seen = Seen()

    assert not reader(seen.typed, spot_of("os.environ/X"))
    assert seen.codes == []


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("value", ["os.environ/X", "s3cr3t", "[s3cr3t]", "{a: s3cr3t}"])
def test_no_reader_ever_quotes_a_secret(
    reader: Callable[[Typed, Spot], object], value: str
) -> None:
    seen = Seen()
    reader(seen.typed, spot_of(value, "api_key", {"X": "s3cr3t"}))

    assert all("s3cr3t" not in str(each) for each in seen.findings.result())


def test_a_secret_masks_itself() -> None:
    secret = Seen().typed.secret(spot_of("s3cr3t"))

    assert secret == Secret("s3cr3t")
    assert "s3cr3t" not in f"{secret} {secret!r}"


def test_keys_that_hold_secrets_are_known_by_name() -> None:
    for key in ("api_key", "password", "aws_secret_access_key", "database_url", "headers"):
        assert is_secret(spot_of("x", key)), key
    for key in ("num_retries", "max_tokens", "input_cost_per_token", "model"):
        assert not is_secret(spot_of("x", key)), key


def test_values_are_described_by_what_they_are() -> None:
    assert describe(spot_of("abc")) == 'the text "abc"'
    assert describe(spot_of("3.50")) == "3.50"
    assert describe(spot_of("[]")) == "a list"
    assert describe(spot_of("abc", "api_key")) == "text"
