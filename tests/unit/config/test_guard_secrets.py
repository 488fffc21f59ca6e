"""Options of the guard for secrets."""

from __future__ import annotations

import pytest

from support.guarded import Options
from tiergate.core.guard_options import Reaction, SecretsOptions

INSTALLED = frozenset({"detect_secrets"})


def read(tmp_path, text: str, extras=INSTALLED) -> tuple[object, Options]:
    options = Options(tmp_path, extras)
    return options.read(f"{{guardrail: hide-secrets{text}}}"), options


def test_everything_has_a_default(tmp_path):
    assert read(tmp_path, "", frozenset())[0] == SecretsOptions()
    assert read(tmp_path, "")[0] == SecretsOptions(plugins=())


def test_what_is_done_can_be_chosen(tmp_path):
    found, options = read(
        tmp_path,
        ", action: BLOCK, redaction: XXX, ignored_patterns: [jwt], timeout: 3, "
        "use_detect_secrets: false",
    )
    assert options.said() == []
    assert found == SecretsOptions(
        reaction=Reaction.BLOCK, instead="XXX", ignored=frozenset({"jwt"}), seconds=3
    )


def test_detectors_can_be_named(tmp_path):
    found, options = read(
        tmp_path,
        ", detect_secrets_config: {plugins_used: [{name: AWSKeyDetector}, StripeDetector, "
        "{name: HexHighEntropyString, limit: 3.5}]}",
    )
    assert options.said() == []
    assert found == SecretsOptions(
        plugins=(
            {"name": "AWSKeyDetector"},
            {"name": "StripeDetector"},
            {"name": "HexHighEntropyString", "limit": 3.5},
        )
    )


@pytest.mark.parametrize(
    ("extras", "shown"), [(INSTALLED, "patterns and detect-secrets"), (frozenset(), "patterns")]
)
def test_the_report_says_what_looks(extras, shown, tmp_path):
    _, options = read(tmp_path, "", extras)
    assert [row.value for row in options.reader.rows] == [shown]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            ", ignored_patterns: [jtw]",
            'error : there is no pattern of secrets with the name "jtw"',
        ),
        (
            ", detect_secrets_config: {plugins_used: [{name: OpenAIApiKeyDetector}]}",
            (
                "error detect_secrets_config.plugins_used[0]: detect-secrets has no detector "
                "OpenAIApiKeyDetector"
            ),
        ),
        (
            ", detect_secrets_config: {plugins_used: [{path: x}]}",
            "error detect_secrets_config.plugins_used[0]: expected a detector",
        ),
        (
            ", detect_secrets_config: {plugins: []}",
            "error detect_secrets_config.plugins: is not read here",
        ),
    ],
)
def test_what_cannot_be_understood_is_an_error(text, said, tmp_path):
    assert said in read(tmp_path, text)[1].said()


@pytest.mark.parametrize(
    "text", [", use_detect_secrets: true", ", detect_secrets_config: {plugins_used: []}"]
)
def test_asking_for_a_package_that_is_not_there_is_an_error(text, tmp_path):
    _, options = read(tmp_path, text, frozenset())
    assert "asks for the package detect-secrets, and it is not installed" in options.said()[0]
    assert options.advice()[0].startswith("Install tiergate[secrets]")
