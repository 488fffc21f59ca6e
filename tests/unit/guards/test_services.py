"""Asking services: JSON there and back, and errors that show no secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.exchange import Break, Reply, broken_reply, json_reply
from support.guarded import service
from tiergate.guards.services import ask_json, pieces
from tiergate.ports.guarding import GuardError

SECRET = "sk-very-secret"


async def ask(upstream, fetch, path="/x"):
    headers = (("authorization", f"Bearer {SECRET}"),)
    return await ask_json(fetch, "the judge", upstream.url + path, headers, {"text": "private"})


async def test_json_goes_out_with_its_headers_and_comes_back():
    async with service() as (upstream, fetch):
        upstream.script(json_reply({"good": True}))
        assert await ask(upstream, fetch) == {"good": True}
        (request,) = upstream.requests
        assert (request.method, request.target) == ("POST", "/x")
        assert request.json == {"text": "private"}
        assert request.header("content-type") == "application/json"
        assert request.header("authorization") == f"Bearer {SECRET}"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (json_reply({"error": SECRET}, 500), "answered 500"),
        (json_reply({"error": SECRET}, 404), "answered 404"),
        (json_reply({}, 401), "answered 401: it does not accept the key it was given"),
        (json_reply({}, 403), "answered 403: it does not accept the key it was given"),
        (Reply((b"no json",)), "answered something that is no JSON"),
    ],
)
async def test_an_answer_that_is_none_is_an_error_without_its_words(answer, said):
    async with service() as (upstream, fetch):
        upstream.script(answer)
        with pytest.raises(GuardError) as failed:
            await ask(upstream, fetch)
    assert str(failed.value) == f"the judge at 127.0.0.1 {said}"


async def test_a_service_that_breaks_off_did_not_answer():
    async with service() as (upstream, fetch):
        upstream.script(broken_reply(Break.RESET), broken_reply(Break.RESET))
        with pytest.raises(GuardError, match=r"the judge at 127\.0\.0\.1 did not answer"):
            await ask(upstream, fetch)


@given(st.text(max_size=60).map(lambda text: text * 1500))
def test_pieces_cover_a_text_and_overlap(text):
    parts = list(pieces(text))
    assert all(text[start : start + len(piece)] == piece for start, piece in parts)
    ends = [start + len(piece) for start, piece in parts]
    assert not parts or (parts[0][0] == 0 and ends[-1] == len(text))
    for (start, _), end in zip(parts[1:], ends, strict=False):
        assert start + 500 == end


def test_a_short_text_is_one_piece_and_an_empty_one_none():
    assert list(pieces("abc")) == [(0, "abc")]
    assert list(pieces("")) == []
