"""Classes of an operator's own: what they are given, and what their exceptions mean."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from support.guards import plan_of
from tiergate.base.values import AliasName, Dialect
from tiergate.core.caller import MASTER
from tiergate.core.guard_plan import ClassOptions, Stage
from tiergate.custom import CustomGuardrail, CustomLogger, GuardrailRaisedException
from tiergate.custom.litellm_names import HTTPException
from tiergate.pipeline.guard_checks import Installed
from tiergate.ports.guarding import Blocked, GuardError, Occasion, Passage, Place
from tiergate.wiring.custom_guard import hook_of, install_class, meaning_of, who

PRE, DURING, POST, LATER = Stage
BODY = {"messages": [{"role": "user", "content": "hi"}], "model": "m"}

SOURCE = """
from tiergate.custom import CustomGuardrail

class NoError(Exception):
    pass

class Old:
    async def apply_guardrail(self, text, language=None, entities=None, request_data=None):
        if "no" in text:
            raise NoError("said no")
        return text.upper() if request_data["model"] == "a" else text

class New(CustomGuardrail):
    async def apply_guardrail(self, inputs, request_data, input_type, logging_obj=None):
        return {"texts": [f"{input_type}:{text}" for text in inputs["texts"]]}

class Short(CustomGuardrail):
    async def apply_guardrail(self, inputs):
        return {"texts": []}

class Calls(CustomGuardrail):
    def __init__(self, word, **kwargs):
        super().__init__(**kwargs)
        self.word = word
        self.seen = []

    async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        self.seen.append((user_api_key_dict.user_id, call_type, data["metadata"]["tags"]))
        data["messages"][0]["content"] = self.word
        data["metadata"]["note"] = "x"

    async def async_moderation_hook(self, data, user_api_key_dict, call_type):
        raise NoError("beside")

    async def async_post_call_success_hook(self, data, user_api_key_dict, response):
        response.choices[0].message.content = self.word

class Refusing(CustomGuardrail):
    async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        return "in words"

class Returning(CustomGuardrail):
    async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        return NoError("as a value")

class Plain:
    def __init__(self):
        pass

    def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        return None

class Failing(CustomGuardrail):
    def __init__(self, **kwargs):
        raise KeyError("x")

class Streaming(CustomGuardrail):
    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict, response, request_data
    ):
        async for event in response:
            event["seen"] = True
            yield event
        raise NoError("at the end")

ready = Calls("made")
"""


def made(tmp_path: Path, name: str, *stages: Stage, **arguments: object) -> Installed:
    (tmp_path / "guards_of_tests.py").write_text(SOURCE)
    options = ClassOptions(
        f"guards_of_tests.{name}", str(tmp_path), MappingProxyType(dict(arguments))
    )
    return install_class(replace(plan_of(*(stages or (PRE,))), options=options))


def occasion(stage: Stage = PRE) -> Occasion:
    return Occasion(
        call_id="c",
        alias=AliasName("a"),
        dialect=Dialect.OPENAI,
        stage=stage,
        caller=replace(MASTER, user="ann"),
        tags=("t",),
    )


def look(installed: Installed, *texts: str, stage: Stage = PRE):
    assert installed.guard is not None
    passages = [Passage(text, Place.USER) for text in texts]
    return asyncio.run(installed.guard.look(passages, occasion(stage)))


def test_a_class_of_texts_is_shown_all_texts_at_once(tmp_path: Path):
    guard = made(tmp_path, "New")
    assert look(guard, "a", "", "b").texts == ("request:a", "", "request:b")
    assert look(guard, "a", stage=POST).texts == ("response:a",)
    assert guard.guard.window is None
    with pytest.raises(GuardError, match="0 texts for 1"):
        look(made(tmp_path, "Short"), "a")


def test_the_older_form_is_shown_one_text_after_the_other(tmp_path: Path):
    guard = made(tmp_path, "Old")
    assert look(guard, "a", "b").texts == ("A", "B")
    assert look(guard, "no").blocked == "said no"
    assert look(guard, "A").texts is None


def test_a_class_of_calls_changes_request_and_answer(tmp_path: Path):
    call = made(tmp_path, "Calls", PRE, POST, word="x").call
    body = asyncio.run(call.request(json.loads(json.dumps(BODY)), occasion()))
    assert body["messages"][0]["content"] == "x"
    assert "litellm_call_id" not in body
    answer = {"choices": [{"message": {"content": "a"}}]}
    out = asyncio.run(call.answer(BODY, answer, occasion(POST)))
    assert out == {"choices": [{"message": {"content": "x"}}]}
    assert answer["choices"][0]["message"]["content"] == "a"
    with pytest.raises(Blocked, match="beside"):
        asyncio.run(call.beside(BODY, occasion(DURING)))


def test_an_instance_is_taken_as_it_is_and_a_class_is_made_with_the_files_words(tmp_path: Path):
    assert made(tmp_path, "ready").call is not None
    assert made(tmp_path, "Plain").call is not None
    with pytest.raises(ValueError, match="takes no word"):
        made(tmp_path, "Plain", word="x")
    with pytest.raises(ValueError, match="cannot be made: KeyError"):
        made(tmp_path, "Failing")
    with pytest.raises(ValueError, match="cannot be made: TypeError"):
        made(tmp_path, "Calls")


@pytest.mark.parametrize(
    ("name", "words"), [("Refusing", "in words"), ("Returning", "as a value")]
)
def test_a_class_may_refuse_by_what_it_returns(tmp_path: Path, name: str, words: str):
    with pytest.raises(Blocked, match=words):
        asyncio.run(made(tmp_path, name).call.request(dict(BODY), occasion()))


def test_a_class_without_a_method_for_its_mode_stops_the_start(tmp_path: Path):
    with pytest.raises(ValueError, match="has no method for the mode post_call"):
        made(tmp_path, "Refusing", PRE, POST)
    with pytest.raises(ValueError, match="apply_guardrail"):
        made(tmp_path, "Refusing", LATER)


def test_a_stream_passes_a_class_event_by_event(tmp_path: Path):
    call = made(tmp_path, "Streaming", POST).call
    assert call.streams
    seen: list[object] = []

    async def work() -> None:
        async def events():
            yield {"choices": []}

        async for event in call.events(BODY, events(), occasion(POST)):
            seen.append(event)

    with pytest.raises(Blocked, match="at the end"):
        asyncio.run(work())
    assert seen == [{"choices": [], "seen": True}]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (HTTPException(400, {"error": "x"}), 400),
        (HTTPException(403, "x"), 403),
        (GuardrailRaisedException("g", "x"), 400),
        (ValueError("x"), 400),
        (Exception("x"), 400),
    ],
)
def test_exceptions_that_say_no(fault: Exception, status: int):
    meaning = meaning_of(fault, "their_module")
    assert isinstance(meaning, Blocked)
    assert (meaning.status, str(meaning)) == (status, "x")


@pytest.mark.parametrize(
    "fault",
    [
        KeyError("x"),
        TypeError("x"),
        OSError("x"),
        HTTPException(500, "x"),
        json.JSONDecodeError("x", "", 0),
        UnicodeError("x"),
    ],
)
def test_exceptions_that_are_faults(fault: Exception):
    meaning = meaning_of(fault, "their_module")
    assert isinstance(meaning, GuardError)
    assert type(fault).__name__ in str(meaning)


def test_methods_of_base_classes_count_as_absent():
    class Mine(CustomGuardrail):
        async def async_moderation_hook(self, data, user_api_key_dict, call_type):
            """Do nothing."""

    assert hook_of(Mine(), "async_moderation_hook") is not None
    assert hook_of(Mine(), "async_pre_call_hook") is None
    assert hook_of(CustomLogger(), "apply_guardrail") is None


def test_who_calls_is_told_without_the_key():
    told = who(replace(MASTER, name="n", key="hash", user="u", team="t"))
    assert (told.key_alias, told.token, told.user_id, told.team_id) == ("n", "hash", "u", "t")
