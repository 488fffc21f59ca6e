"""Presidio in this process, for real, with a small model that the test makes.

The model knows one name by rule: a trained one would have to be downloaded.
"""

from __future__ import annotations

import pytest
import spacy

from support.guarded import cut, look
from tiergate.core.guard_options import PiiEngine, PiiOptions, Reaction
from tiergate.guards.pii import PiiGuard
from tiergate.guards.presidio_local import LocalPresidio, model_fault

TEXT = "My name is Jane Doe, mail jane@example.com, card 4111 1111 1111 1111."
RECOGNIZER = {
    "name": "staff number",
    "supported_language": "en",
    "supported_entity": "STAFF",
    "patterns": [{"name": "staff", "regex": r"S-\d{4}", "score": 0.8}],
}


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("model")
    made = spacy.blank("en")
    ruler = made.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Jane Doe"}])
    made.to_disk(folder)
    return str(folder)


def options(model: str, **more: object) -> PiiOptions:
    return PiiOptions(engine=PiiEngine.PRESIDIO, model=model, **more)


async def test_names_and_forms_are_found(model):
    given = options(model, scores={"ALL": 0.6})
    guard = PiiGuard(given, LocalPresidio(given))
    assert cut(await look(guard, TEXT), TEXT) == [
        ("PERSON", "Jane Doe"),
        ("EMAIL_ADDRESS", "jane@example.com"),
        ("CREDIT_CARD", "4111 1111 1111 1111"),
    ]
    assert guard.window is None


async def test_only_named_kinds_and_own_recognizers_look(model):
    given = options(model, entities={"STAFF": Reaction.BLOCK}, recognizers=(RECOGNIZER,))
    guard = PiiGuard(given, LocalPresidio(given))
    text = f"{TEXT} S-1234"
    verdict = await look(guard, text)
    assert cut(verdict, text) == [("STAFF", "S-1234")]
    assert [f.reaction for f in verdict.found] == [Reaction.BLOCK]


async def test_a_long_text_keeps_its_places(model):
    text = "word " * 5000 + TEXT
    given = options(model, entities={"PERSON": Reaction.MASK})
    assert cut(await look(PiiGuard(given, LocalPresidio(given)), text), text) == [
        ("PERSON", "Jane Doe")
    ]


def test_a_model_that_is_not_there_is_said_and_not_downloaded():
    assert "neither an installed package nor a folder" in model_fault("xx_no_such_model")
    with pytest.raises(ValueError, match="xx_no_such_model"):
        LocalPresidio(options("xx_no_such_model"))


def test_a_recognizer_of_another_form_is_refused_by_name(model):
    bad = {"name": "broken", "supported_language": "en"}
    with pytest.raises(ValueError, match="does not take the recognizer broken"):
        LocalPresidio(options(model, recognizers=(bad,)))
