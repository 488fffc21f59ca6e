"""What a request about fallback routes asks for."""

from __future__ import annotations

import pytest

from tiergate.base.errors import Refused
from tiergate.config import durations
from tiergate.core.caller import MASTER
from tiergate.core.catalog import ChainKind
from tiergate.pipeline.fallback_book import By
from tiergate.web.admin import Asked
from tiergate.web.fallback_asks import (
    AUTHOR_HEADER,
    PutAsk,
    RemoveAsk,
    optional_kind,
    read_put,
    read_remove,
)

ROUTE = {"model": "cheap", "fallback_models": ["balanced"]}


def asked(body=None, query=None, author: str = "") -> Asked:
    headers = {AUTHOR_HEADER: author} if author else {}
    return Asked(
        method="POST",
        path="/fallback",
        query=query or {},
        headers=headers,
        body=body or {},
        caller=MASTER,
    )


def put(**body) -> PutAsk:
    return read_put(asked({**ROUTE, **body}), durations.seconds)


def removal(query=None, body=None) -> RemoveAsk:
    return read_remove(asked(body, query), durations.seconds)


def test_litellms_three_fields_are_enough():
    ask = put()
    assert ask == PutAsk(
        ChainKind.GENERAL, "cheap", ("balanced",), By(author="master", key="master"), False
    )


def test_every_field_is_read():
    ask = put(
        fallback_type="context_window", note=" an outage ", expires_in="2h", allow_cycle=True
    )
    assert (ask.kind, ask.allow_ring) == (ChainKind.CONTEXT_WINDOW, True)
    assert ask.by == By(author="master", key="master", note="an outage", seconds=7200)


def test_the_person_behind_the_key_is_told_by_litellms_header():
    by = read_put(asked(dict(ROUTE), author="ada"), durations.seconds).by
    assert (by.author, by.key) == ("ada", "master")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(5, 5), (0.5, 0.5), ("90", 90), ("30min", 1800), ("2h", 7200), ("1d", 86_400), (None, None)],
)
def test_a_length_of_time_is_seconds_or_words(value, seconds):
    assert put(expires_in=value).by.seconds == seconds


@pytest.mark.parametrize(
    "value", [0, -1, "0s", "soon", "", "2 hours", "1mo", True, [], {}, 10**12, "monthly"]
)
def test_what_is_no_length_of_time_is_refused(value):
    with pytest.raises(Refused) as caught:
        put(expires_in=value)
    assert (caught.value.status, caught.value.param) == (422, "expires_in")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"model": 5}, "model"),
        ({"fallback_models": "balanced"}, "fallback_models"),
        ({"fallback_models": [5]}, "fallback_models"),
        ({"fallback_models": [""]}, "fallback_models"),
        ({"fallback_models": None}, "fallback_models"),
        ({"fallback_type": "bogus"}, "fallback_type"),
        ({"fallback_type": 5}, "fallback_type"),
        ({"note": 5}, "note"),
        ({"note": "a\nb"}, "note"),
        ({"note": "x" * 501}, "note"),
        ({"allow_cycle": "yes"}, "allow_cycle"),
        ({"expire_in": "2h"}, "expire_in"),
    ],
)
def test_what_is_not_understood_is_refused_by_its_name(body, param):
    with pytest.raises(Refused) as caught:
        put(**body)
    assert (caught.value.status, caught.value.param) == (422, param)
    assert param in caught.value.message


def test_no_target_is_left_for_the_book_to_refuse():
    assert put(fallback_models=[]).targets == ()


def test_a_name_that_could_forge_a_line_is_refused():
    with pytest.raises(Refused) as caught:
        read_put(asked(dict(ROUTE), author="a\x1b[0m"), durations.seconds)
    assert caught.value.param == AUTHOR_HEADER


def test_a_removal_is_told_in_the_query_or_in_the_body():
    by = By(author="master", key="master", note="why", seconds=60)
    expected = RemoveAsk(ChainKind.BUDGET, by, False)
    fields = {"fallback_type": "budget", "note": "why", "expires_in": "60"}
    assert removal(fields) == removal(body=fields) == expected
    assert removal() == RemoveAsk(ChainKind.GENERAL, By(author="master", key="master"), False)
    assert removal({"origin": "runtime"}).restore


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"origin": "file"}, "origin"),
        ({"origin": "runtime", "expires_in": "5"}, "expires_in"),
        ({"fallback_type": ""}, "fallback_type"),
        ({"fallback_typ": "general"}, "fallback_typ"),
    ],
)
def test_a_removal_that_is_not_understood_is_refused(query, param):
    with pytest.raises(Refused) as caught:
        removal(query)
    assert (caught.value.status, caught.value.param) == (422, param)


def test_a_kind_that_is_not_asked_for_means_all():
    assert optional_kind({}) is None
    assert optional_kind({"fallback_type": "general"}) is ChainKind.GENERAL
