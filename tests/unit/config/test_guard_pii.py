"""Options of the guards for personal data, and what finds it."""

from __future__ import annotations

import json

import pytest

from support.guarded import Options
from tiergate.core.guard_options import Direction, PiiEngine, PiiOptions, Reaction

ADDRESS = "http://localhost:5002"
INSTALLED = frozenset({"presidio"})


def read(tmp_path, text: str, extras=frozenset(), environ=None) -> tuple[PiiOptions, Options]:
    options = Options(tmp_path, extras, environ)
    found = options.read(f"{{guardrail: {text}}}")
    assert isinstance(found, PiiOptions)
    return found, options


def test_patterns_look_where_nothing_else_is_there(tmp_path):
    found, options = read(tmp_path, "pii")
    assert found == PiiOptions(engine=PiiEngine.PATTERNS)
    assert options.said() == []
    assert options.reader.rows[0].value == (
        "personal data found by patterns (no names of persons or places)"
    )


def test_whoever_asks_for_presidio_and_has_none_is_warned(tmp_path):
    found, options = read(tmp_path, "presidio")
    assert found.engine is PiiEngine.PATTERNS
    assert options.said() == [
        (
            "warning : personal data is found by patterns, which know no names: the package "
            "presidio-analyzer is not installed, and no presidio_analyzer_api_base is given"
        )
    ]


def test_presidio_in_this_process_looks_where_it_has_a_model(tmp_path):
    (tmp_path / "model").mkdir()
    text = f"pii, presidio_model: '{tmp_path}/model'"
    found, options = read(tmp_path, text, INSTALLED)
    assert (found.engine, found.model) == (PiiEngine.PRESIDIO, f"{tmp_path}/model")
    assert options.said() == []
    assert options.reader.rows[0].value == "personal data found by Presidio in this process"


def test_presidio_without_a_model_does_not_look(tmp_path):
    found, options = read(tmp_path, "presidio, presidio_language: xx", INSTALLED)
    assert found.engine is PiiEngine.PATTERNS
    assert "the spaCy model xx_core_news_lg is neither" in options.said()[0]


def test_a_service_looks_where_an_address_is_given(tmp_path):
    found, options = read(
        tmp_path,
        f"presidio, presidio_analyzer_api_base: '{ADDRESS}', presidio_anonymizer_api_base: 'x'",
        INSTALLED,
    )
    assert (found.engine, found.address, found.model) == (PiiEngine.SERVICE, ADDRESS, "")
    assert options.said() == [
        (
            "notice presidio_anonymizer_api_base: is not asked: the gateway writes the "
            "placeholders itself"
        )
    ]


def test_the_environment_may_name_the_service(tmp_path):
    found, _ = read(tmp_path, "presidio", environ={"PRESIDIO_ANALYZER_API_BASE": ADDRESS})
    assert (found.engine, found.address) == (PiiEngine.SERVICE, ADDRESS)


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("presidio", "asks for Presidio in this process: the package presidio-analyzer is not"),
        ("service", "asks a Presidio service, and does not say where it is"),
    ],
)
def test_an_engine_that_is_chosen_must_be_there(engine, said, tmp_path):
    _, options = read(tmp_path, f"pii, engine: {engine}")
    assert options.said()[0].startswith(f"error engine: {said}")


def test_patterns_can_be_chosen_over_a_service(tmp_path):
    found, options = read(
        tmp_path, "presidio, engine: patterns", environ={"PRESIDIO_ANALYZER_API_BASE": ADDRESS}
    )
    assert (found.engine, found.address) == (PiiEngine.PATTERNS, "")
    assert options.said() == []


def test_all_options_are_read(tmp_path):
    (tmp_path / "own.json").write_text(json.dumps([{"name": "zip"}]))
    found, options = read(
        tmp_path,
        f"""presidio
, presidio_analyzer_api_base: '{ADDRESS}'
, pii_entities_config: {{PERSON: MASK, CREDIT_CARD: block, URL: LOG}}
, presidio_score_thresholds: {{all: 0.7, PERSON: 0.9}}
, presidio_entities_deny_list: [US_DRIVER_LICENSE]
, presidio_phrase_allow_list: [Clippy]
, presidio_language: de
, presidio_ad_hoc_recognizers: own.json
, presidio_filter_scope: input
, presidio_skip_system_developer_message: true
, output_parse_pii: true
, timeout: 3
""",
    )
    assert options.said() == []
    assert options.left == []
    assert found == PiiOptions(
        engine=PiiEngine.SERVICE,
        entities={
            "PERSON": Reaction.MASK,
            "CREDIT_CARD": Reaction.BLOCK,
            "URL": Reaction.LOG,
        },
        ignored=frozenset({"US_DRIVER_LICENSE"}),
        scores={"ALL": 0.7, "PERSON": 0.9},
        allowed=frozenset({"clippy"}),
        language="de",
        address=ADDRESS,
        recognizers=({"name": "zip"},),
        restores=True,
        direction=Direction.INPUT,
        skip_system=True,
        seconds=3,
    )


def test_one_action_for_all_that_patterns_know(tmp_path):
    found, options = read(tmp_path, "pii, action: BLOCK")
    assert options.said() == []
    assert set(found.entities.values()) == {Reaction.BLOCK}
    assert "CREDIT_CARD" in found.entities


def test_one_action_for_what_a_service_knows_needs_names(tmp_path):
    _, options = read(tmp_path, f"pii, action: BLOCK, presidio_analyzer_api_base: '{ADDRESS}'")
    assert options.said() == [
        "error action: says what is to be done, and not about which kinds of personal data"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "pii_entities_config: {PERSON: MASK}",
            "error pii_entities_config.PERSON: there is no pattern for PERSON: it needs Presidio",
        ),
        (
            "pii_entities_config: {US_SSN: HIDE}",
            'error pii_entities_config.US_SSN: "HIDE" is no action here',
        ),
        (
            "presidio_score_thresholds: {ALL: 2}",
            "error presidio_score_thresholds.ALL: a score is between 0 and 1",
        ),
        (
            "presidio_ad_hoc_recognizers: x.json",
            (
                "error presidio_ad_hoc_recognizers: recognizers need Presidio, and patterns are "
                "at work"
            ),
        ),
        (
            "presidio_filter_scope: none",
            'error presidio_filter_scope: the text "none" is not known',
        ),
    ],
)
def test_what_cannot_be_understood_is_an_error(text, said, tmp_path):
    assert said in read(tmp_path, f"pii, {text}")[1].said()


@pytest.mark.parametrize(
    ("content", "said"), [("{", "is no JSON"), ("[]", "is no list"), ('[{"x": 1}]', "is no list")]
)
def test_recognizers_must_be_in_presidios_form(content, said, tmp_path):
    (tmp_path / "own.json").write_text(content)
    _, options = read(
        tmp_path,
        f"pii, presidio_analyzer_api_base: '{ADDRESS}', presidio_ad_hoc_recognizers: own.json",
    )
    assert f"error presidio_ad_hoc_recognizers: {tmp_path}/own.json {said}" in options.said()[0]


def test_recognizers_that_are_not_there_are_an_error(tmp_path):
    _, options = read(
        tmp_path,
        f"pii, presidio_analyzer_api_base: '{ADDRESS}', presidio_ad_hoc_recognizers: no.json",
    )
    assert "cannot be read" in options.said()[0]
