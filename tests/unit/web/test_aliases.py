"""Which names a key may ask for, and what it is told about the others."""

from __future__ import annotations

import json

import pytest

from support.attempts import deployments, settings
from tiergate.base.errors import Refused
from tiergate.base.values import AliasName, Dialect, Operation
from tiergate.core.caller import Caller
from tiergate.core.catalog import Catalog, RouterPolicy
from tiergate.web.aliases import RequestRules, usable_names, visible_names
from tiergate.web.requests import Arrival, read_request

POLICY = RouterPolicy(alias_of={"gpt-4": AliasName("cheap"), "gpt-5": AliasName("frontier")})
SETTINGS = settings(deployments(cheap="a", balanced="b", frontier="c"), POLICY)
RULES = RequestRules.of(Catalog.of(SETTINGS), SETTINGS.router, frozenset())
ALLOWED = frozenset({AliasName("cheap"), AliasName("balanced")})
KEY = Caller(name="build", key="ab" * 32, aliases=ALLOWED)


def read(model="cheap", *, caller=KEY, operation=Operation.CHAT, dialect=Dialect.OPENAI, **more):
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}], **more}
    arrival = Arrival(dialect, operation, {}, "", "id", 1.0, 2.0, caller)
    return read_request(json.dumps(body).encode(), arrival, RULES)


def refusal(*args, **more) -> Refused:
    with pytest.raises(Refused) as caught:
        read(*args, **more)
    return caught.value


def test_a_key_sees_the_names_it_may_use():
    assert usable_names(RULES, KEY) == ["cheap", "balanced", "gpt-4"]
    assert usable_names(RULES, Caller(name="all")) == visible_names(RULES)


@pytest.mark.parametrize("name", ["frontier", "gpt-5"])
def test_an_alias_that_is_not_for_the_key_is_refused_with_those_that_are(name):
    told = refusal(name)
    assert (told.status, told.code, told.type) == (
        403,
        "key_model_access_denied",
        "key_model_access_denied",
    )
    assert told.anthropic_type == "permission_error"
    assert "cheap, balanced, gpt-4" in told.message
    assert "gpt-5," not in told.message


def test_a_key_for_nothing_may_ask_for_nothing():
    told = refusal("cheap", caller=Caller(name="none", key="cd", aliases=frozenset()))
    assert "it may use none" in told.message


def test_counting_tokens_is_refused_too():
    told = refusal("frontier", operation=Operation.COUNT_TOKENS, dialect=Dialect.ANTHROPIC)
    assert told.status == 403


@pytest.mark.parametrize("field", ["fallbacks", "context_window_fallbacks"])
def test_a_requests_own_fallbacks_are_no_way_round(field):
    assert refusal("cheap", **{field: ["balanced", "frontier"]}).status == 403
    assert read("cheap", **{field: ["balanced"]})[1].allowed == ALLOWED


def test_an_unknown_name_lists_only_what_the_key_may_use():
    told = refusal("no-such-model")
    assert (told.status, told.code) == (400, "model_not_found")
    assert "frontier" not in told.message


def test_the_wish_carries_what_the_key_may_use_and_its_own_budget_chain():
    chains = {AliasName("balanced"): (AliasName("cheap"),)}
    caller = Caller(name="k", key="ab", aliases=ALLOWED, budget_fallbacks=chains)
    for more in ({}, {"num_retries": 1}):
        wish = read("balanced", caller=caller, **more)[1]
        assert (wish.allowed, wish.budget_fallbacks) == (ALLOWED, (AliasName("cheap"),))
        assert read("cheap", caller=caller, **more)[1].budget_fallbacks is None


def test_tags_of_the_key_travel_with_the_request():
    inbound, wish = read("cheap", caller=Caller(name="k", key="ab", tags=("ci",)))
    assert inbound.tags == ("ci",)
    assert wish.tags.tags == ("ci",)
