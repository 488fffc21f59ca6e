from __future__ import annotations

from tiergate.base.values import Position
from tiergate.config.findings import At, Finding, Findings, Severity, one_line
from tiergate.core.remarks import Remark

HERE = At("router_settings.fallback", Position("config.yaml", 12))


def test_a_finding_is_one_line_that_an_editor_can_jump_to() -> None:
    finding = Finding(
        Severity.ERROR,
        "unknown-key",
        Position("config.yaml", 12),
        "router_settings.fallback",
        "unknown key",
        "Did you mean `fallbacks`?",
    )

    assert str(finding) == (
        "config.yaml:12: error: router_settings.fallback: unknown key. Did you mean `fallbacks`?"
    )


def test_a_finding_about_the_whole_file_names_no_line_and_no_path() -> None:
    finding = Finding(Severity.NOTICE, "x", Position("environment", 0), "", "is set")

    assert str(finding) == "environment: notice: is set"


def test_line_breaks_and_control_signs_of_a_file_never_reach_the_terminal() -> None:
    findings = Findings()
    findings.error("x", At("a\nb\x1b[31m", Position("f", 1)), "bad\r\nvalue\x00")

    text = str(findings.result()[0])

    assert text == "f:1: error: a b?[31m: bad value?"


def test_a_hidden_value_is_blotted_out_wherever_it_stands() -> None:
    findings = Findings()
    findings.hide("s3cr3t-value")
    findings.hide("short")
    findings.error("x", At("s3cr3t-value", Position("f", 1)), 'no "s3cr3t-value"', "s3cr3t-value")
    findings.error("x", HERE, "short")

    assert [str(each).partition("error: ")[2] for each in findings.result()] == [
        '***: no "***". ***',
        "router_settings.fallback: short",
    ]


def test_very_long_texts_are_cut() -> None:
    assert one_line("x" * 10_000, 50) == "x" * 47 + "..."


def test_errors_come_first_then_files_and_lines_in_order() -> None:
    findings = Findings()
    findings.notice("n", At("", Position("b.yaml", 1)), "n")
    findings.error("e", At("", Position("b.yaml", 9)), "e")
    findings.warning("w2", At("", Position("a.yaml", 7)), "w")
    findings.warning("w1", At("", Position("a.yaml", 3)), "w")

    assert [each.code for each in findings.result()] == ["e", "w1", "w2", "n"]


def test_the_same_finding_twice_is_told_once() -> None:
    findings = Findings()
    for _ in range(2):
        findings.warning("w", HERE, "same")

    assert len(findings.result()) == 1
    assert findings.total == 2


def test_lenient_softens_mistakes_and_nothing_else() -> None:
    findings = Findings(lenient=True)
    findings.mistake("m", HERE, "slip")
    assert not findings.failed

    findings.error("e", HERE, "hard")

    assert findings.failed
    assert [each.severity for each in findings.result()] == [Severity.ERROR, Severity.WARNING]


def test_strict_makes_idle_keys_errors() -> None:
    relaxed, strict = Findings(), Findings(strict=True)
    for findings in (relaxed, strict):
        findings.idle(Severity.NOTICE, "no-effect", HERE, "idle")

    assert not relaxed.failed
    assert strict.failed


def test_a_running_gateway_keeps_what_a_finding_says():
    finding = Finding(
        Severity.WARNING, "weak-key", Position("config.yaml", 7), "a.b", "is weak", "Change it."
    )
    assert finding.remark == Remark(
        "warning", "weak-key", "config.yaml:7", "a.b", "is weak", "Change it."
    )
