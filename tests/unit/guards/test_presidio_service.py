"""Presidio's analyzer over HTTP, played by a server of ours in its documented form."""

from __future__ import annotations

import pytest

from support.exchange import Reply, json_reply
from support.guarded import cut, look, service
from tiergate.core.guard_options import PiiEngine, PiiOptions, Reaction
from tiergate.guards.pii import PiiGuard
from tiergate.guards.presidio_service import PresidioService
from tiergate.ports.guarding import GuardError


def options(url: str, **more: object) -> PiiOptions:
    return PiiOptions(engine=PiiEngine.SERVICE, address=url, **more)


def finding(kind: str, start: int, end: int, score: float = 0.85):
    return {"entity_type": kind, "start": start, "end": end, "score": score, "extra": None}


async def test_each_text_is_asked_about_and_findings_come_back_to_it():
    async with service() as (upstream, fetch):
        upstream.script(
            json_reply([finding("PERSON", 5, 9), finding("URL", 0, 2, 1)]), json_reply([])
        )
        given = options(upstream.url + "/", language="de")
        guard = PiiGuard(given, PresidioService(given, fetch))
        verdict = await look(guard, "Ich, Jane")
        assert cut(verdict, "Ich, Jane") == [("URL", "Ic"), ("PERSON", "Jane")]
        (request,) = upstream.requests
        assert request.path == "/analyze"
        assert request.json == {"text": "Ich, Jane", "language": "de"}


async def test_named_kinds_and_recognizers_are_sent_along():
    async with service() as (upstream, fetch):
        upstream.script(json_reply([]))
        recognizer = {"name": "zip", "supported_entity": "ZIP"}
        given = options(
            upstream.url, entities={"PERSON": Reaction.MASK}, recognizers=(recognizer,)
        )
        assert await PresidioService(given, fetch).find(["x"]) == []
        assert upstream.last.json == {
            "text": "x",
            "language": "en",
            "entities": ["PERSON"],
            "ad_hoc_recognizers": [recognizer],
        }


async def test_a_long_text_goes_in_pieces_and_keeps_its_places():
    text = "a" * 19_990 + "Jane Doe" + "b" * 10_000
    async with service() as (upstream, fetch):

        def answer(request) -> Reply:
            at = str(request.json["text"]).find("Jane Doe")
            return json_reply([finding("PERSON", at, at + 8)] if at >= 0 else [])

        upstream.script(answer, answer)
        given = options(upstream.url)
        verdict = await look(PiiGuard(given, PresidioService(given, fetch)), text)
        assert cut(verdict, text) == [("PERSON", "Jane Doe")]
        assert len(upstream.requests) == 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"error": "no"}, "did not answer with a list of findings"),
        ([{"entity_type": "PERSON"}], "with a finding that cannot be read"),
        ([finding("PERSON", 0, 999)], "with a finding that cannot be read"),
        ([finding("PERSON", 2, 1)], "with a finding that cannot be read"),
    ],
)
async def test_an_answer_of_another_form_is_no_verdict(answer, said):
    async with service() as (upstream, fetch):
        upstream.script(json_reply(answer))
        with pytest.raises(GuardError, match=said):
            await PresidioService(options(upstream.url), fetch).find(["text"])


async def test_an_analyzer_that_fails_is_no_verdict():
    async with service() as (upstream, fetch):
        upstream.script(json_reply({}, 500), json_reply({}, 500))
        with pytest.raises(GuardError, match=r"the Presidio analyzer at .* answered 500"):
            await PresidioService(options(upstream.url), fetch).find(["one", "two"])
