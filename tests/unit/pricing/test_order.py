"""What a request orders beside tokens, as far as it changes what may be charged."""

from __future__ import annotations

import json

import pytest

from support.attempts import deployment
from tiergate.base.values import AliasName, Dialect, Operation, ServiceTier
from tiergate.core.cost import PLAIN, Order
from tiergate.ports import Inbound
from tiergate.pricing.order import (
    REGIONAL,
    SEARCH_TOKENS,
    SEARCHES,
    ordered,
    searches_always,
    searches_of_chat,
)
from tiergate.wire.members import Members

CLAUDE = deployment("cheap", "claude", model="claude-opus-4-6")
SEARCH = {"type": "web_search_20250305", "name": "web_search"}
FUNCTION = {"type": "function", "function": {"name": "web_search_2025", "parameters": {}}}


def gpt(model="gpt-4o", **fields):
    given = {"provider": "openai", "dialect": Dialect.OPENAI, **fields}
    return deployment("cheap", "gpt", model=model, **given)


def call(members=None, body=None):
    asked = {"model": "cheap", "messages": [{"role": "user", "content": "hi"}], **(members or {})}
    return Inbound(
        call_id="call-1",
        received=0.0,
        wall=0.0,
        dialect=Dialect.OPENAI,
        operation=Operation.CHAT,
        asked="cheap",
        alias=AliasName("cheap"),
        stream=False,
        include_usage=False,
        members=Members.read(body if body is not None else json.dumps(asked).encode()),
    )


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"temperature": 0.5, "max_tokens": 9},
        {"tools": [FUNCTION]},
        {"tools": "none"},
        {"tools": None},
        {"service_tier": "auto"},
        {"service_tier": "default"},
        {"service_tier": None},
        {"service_tier": ["flex"]},
        {"speed": "standard"},
        {"inference_geo": "global"},
        {"messages": [{"role": "user", "content": '"web_search_20 service_tier priority'}]},
    ],
)
@pytest.mark.parametrize("at", [CLAUDE, gpt()])
def test_the_plain_request_orders_the_plain_constant(members, at):
    assert ordered(call(members), at) is PLAIN


@pytest.mark.parametrize(
    ("members", "tier"),
    [
        ({"service_tier": "flex"}, ServiceTier.FLEX),
        ({"service_tier": "priority"}, ServiceTier.PRIORITY),
        ({"service_tier": "fast"}, ServiceTier.FAST),
        ({"speed": "fast"}, ServiceTier.FAST),
    ],
)
def test_a_service_tier_is_ordered_by_the_request_or_by_the_file(members, tier):
    assert ordered(call(members), CLAUDE) == Order(tier)
    assert ordered(call(), deployment("cheap", "c", defaults=members)) == Order(tier)


def test_the_request_s_own_word_counts_before_the_file_s():
    at = gpt(defaults={"service_tier": "priority"})

    assert ordered(call({"service_tier": "flex"}), at).tier is ServiceTier.FLEX


def test_a_member_that_is_dropped_on_the_way_orders_nothing():
    at = gpt(additional_drop_params=("service_tier", "web_search_options"))

    assert ordered(call({"service_tier": "priority", "web_search_options": {}}), at) is PLAIN


def test_inference_in_the_united_states_costs_more():
    assert ordered(call({"inference_geo": "us"}), CLAUDE) == Order(surcharge=REGIONAL)


@pytest.mark.parametrize(
    ("uses", "searches"), [({}, SEARCHES), ({"max_uses": 3}, 3), ({"max_uses": 0}, SEARCHES)]
)
def test_a_search_tool_orders_as_many_searches_as_it_may_make(uses, searches):
    found = ordered(call({"tools": [FUNCTION, {**SEARCH, **uses}]}), CLAUDE)

    assert found == Order(searches=searches, tokens=searches * SEARCH_TOKENS)


def test_a_search_tool_of_the_file_is_seen():
    at = deployment("cheap", "c", defaults={"tools": [SEARCH]})

    assert ordered(call(), at).searches == SEARCHES


def test_a_search_tool_whose_type_is_written_in_escapes_is_seen():
    body = rb'{"model":"m","messages":[],"tools":[{"type":"web\u005fsearch_20250305"}]}'

    assert ordered(call(body=body), CLAUDE).searches == SEARCHES


def test_openai_searches_once_where_it_is_asked_and_always_with_its_search_models():
    once = Order(searches=1, tokens=SEARCH_TOKENS)

    assert ordered(call({"web_search_options": {}}), gpt()) == once
    assert ordered(call(), gpt(defaults={"web_search_options": {}})) == once
    assert ordered(call(), gpt("gpt-4o-search-preview")) == once
    assert ordered(call({"web_search_options": None}), gpt()) is PLAIN
    assert searches_always(gpt("gpt-4o-mini-search-preview"))
    assert not searches_always(gpt("search-gpt"))


def test_other_hosts_count_their_searches_themselves():
    asked = call({"web_search_options": {}})

    assert searches_of_chat(asked, gpt(provider="perplexity")) == 0
    assert searches_of_chat(asked, CLAUDE) == 0
    assert searches_of_chat(asked, gpt()) == 1


def test_a_member_that_cannot_be_read_orders_nothing():
    body = b'{"model":"m","messages":[],"service_tier":1e999}'

    assert ordered(call(body=body), CLAUDE) is PLAIN
