"""Equal requests have one key, and requests that differ in anything that counts have two."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from support.attempts import deployment
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import AliasName, Dialect, Operation
from tiergate.core.caching import CachePolicy, Controls
from tiergate.core.caller import Caller
from tiergate.core.catalog import RouterPolicy, Settings
from tiergate.core.plan import Wish
from tiergate.core.tags import RequestTags
from tiergate.pipeline.cache_key import CacheKeys, form_of, in_one_form
from tiergate.ports import Form, Inbound
from tiergate.wire.members import Members

CHEAP = AliasName("cheap")
SETTINGS = Settings(deployments=(deployment("cheap", "a"), deployment("balanced", "b")))
WISH = Wish(alias=CHEAP)
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
BODY: JsonObject = {
    "model": "cheap",
    "messages": [{"role": "user", "content": "hi"}],
    "temperature": 0.5,
    "tools": [TOOL],
}


def asked(body: JsonObject | None = None, **values: object) -> Inbound:
    plain = {
        "call_id": "c",
        "received": 0.0,
        "wall": 0.0,
        "dialect": Dialect.OPENAI,
        "operation": Operation.CHAT,
        "asked": "cheap",
        "alias": CHEAP,
        "stream": False,
        "include_usage": False,
        "members": Members.read(json.dumps(BODY if body is None else body).encode()),
    }
    return Inbound(**{**plain, **values})


def key(inbound: Inbound, wish: Wish = WISH, policy=None, settings: Settings = SETTINGS) -> str:
    return CacheKeys(policy or CachePolicy(), settings).of(inbound, wish)


PLAIN = key(asked())


def with_(**members: object) -> JsonObject:
    return {**BODY, **members}


@pytest.mark.parametrize(
    "body",
    [
        dict(reversed(BODY.items())),
        with_(tools=[dict(reversed(TOOL.items()))]),
        with_(stream=True),
        with_(stream_options={"include_usage": True}),
        with_(metadata={"trace": "1"}),
        with_(tags=["a"]),
        with_(num_retries=1, timeout=5),
        with_(cache={"ttl": 5}),
        with_(user="alice"),
    ],
)
def test_what_cannot_change_the_answer_does_not_count(body):
    assert key(asked(body)) == PLAIN


@pytest.mark.parametrize(
    "body",
    [
        with_(temperature=0.6),
        with_(messages=[{"role": "user", "content": "hi!"}]),
        with_(messages=[{"role": "system", "content": "S"}, *BODY["messages"]]),
        with_(tools=[TOOL, TOOL]),
        with_(tools=[]),
        with_(seed=1),
        with_(stop=["a", "b"]),
        with_(stop=["b", "a"]),
        with_(some_field_of_the_future=None),
        with_(fallbacks=["balanced"]),
        with_(service_tier="flex"),
        {name: value for name, value in BODY.items() if name != "temperature"},
    ],
)
def test_everything_else_counts(body):
    assert key(asked(body)) != PLAIN


@pytest.mark.parametrize(
    "values",
    [
        {"alias": AliasName("balanced")},
        {"asked": "gpt-4"},
        {"dialect": Dialect.ANTHROPIC},
        {"operation": Operation.COMPLETION},
        {"user": "alice"},
        {"caller": Caller(name="k", key="1")},
        {"caller": Caller(name="k", team="1")},
        {"cache": Controls(namespace="t1")},
        {"query": "beta=true"},
        {"forward": (("anthropic-beta", "x"),)},
    ],
)
def test_who_asks_where_and_how_counts(values):
    assert key(asked(**values)) != PLAIN


def test_parts_do_not_run_into_each_other():
    one = key(asked(user="ab", query="c"))
    assert one != key(asked(user="a", query="bc"))


def test_a_virtual_key_of_a_team_shares_with_its_team_only():
    first, second, other = (
        key(asked(caller=Caller(name="n", key=k, team=team)))
        for k, team in (("1", "red"), ("2", "red"), ("3", "blue"))
    )
    assert first == second != other


def test_sharing_lifts_the_borders_by_name():
    both = CachePolicy(share_users=True, share_keys=True)
    one = key(asked(user="alice", caller=Caller(name="a", key="1")), policy=both)
    two = key(asked(user="bob", caller=Caller(name="b", team="2")), policy=both)
    assert one == two


def test_environments_count_and_tags_only_where_they_select():
    tagged = Wish(alias=CHEAP, tags=RequestTags(tags=("x",)))
    placed = Wish(alias=CHEAP, tags=RequestTags(environments=("critical",)))
    filtering = replace(SETTINGS, router=RouterPolicy(tag_filtering=True))
    assert key(asked(), placed) != PLAIN
    assert key(asked(), tagged) == PLAIN
    assert key(asked(), tagged, settings=filtering) != key(asked(), settings=filtering)


def test_another_model_behind_the_alias_gives_another_key():
    one, other = SETTINGS.deployments
    for changed in (replace(one, model="m2"), replace(one, defaults={"temperature": 1})):
        assert key(asked(), settings=replace(SETTINGS, deployments=(changed, other))) != PLAIN
    # The same models at another address, or with another weight, give the same answers.
    moved = replace(one, api_base="http://elsewhere.invalid", weight=3.0)
    assert key(asked(), settings=replace(SETTINGS, deployments=(other, moved))) == PLAIN


def test_the_key_begins_with_the_namespaces():
    policy = CachePolicy(namespace="backlog")
    assert key(asked(), policy=policy).startswith("backlog:")
    assert key(asked(cache=Controls(namespace="t1")), policy=policy).startswith("backlog:t1:")


@pytest.mark.parametrize(
    ("stream", "usage", "form"),
    [
        (False, False, Form.PLAIN),
        (True, False, Form.STREAM),
        (True, True, Form.METERED),
    ],
)
def test_the_form_is_what_the_caller_asks_for(stream, usage, form):
    assert form_of(asked(stream=stream, include_usage=usage)) is form


@pytest.mark.parametrize(
    ("body", "apart"),
    [
        (BODY, False),
        (with_(n=1, logprobs=False, functions=None), False),
        (with_(n=2), True),
        (with_(best_of=2), True),
        (with_(logprobs=True), True),
        (with_(modalities=["text", "audio"]), True),
        (with_(functions=[{"name": "f"}]), True),
    ],
)
def test_answers_that_have_one_form_only_are_kept_apart_by_form(body, apart):
    plain, stream = asked(body), asked(body, stream=True)
    assert in_one_form(plain) is apart
    assert (key(plain) != key(stream)) is apart


def test_text_completions_have_one_form_and_vectors_need_no_other():
    assert in_one_form(asked(operation=Operation.COMPLETION))
    assert not in_one_form(asked({"model": "cheap", "input": "x"}, operation=Operation.EMBEDDING))


def test_the_key_of_a_long_conversation_is_made_in_about_a_millisecond():
    """The bound has room for a busy machine; what it costs on a quiet one is in the docs."""
    turns = [{"role": "user", "content": "word " * 200} for _ in range(400)]
    inbound = asked(with_(messages=turns))
    assert len(inbound.members.body) > 400_000
    keys = CacheKeys(CachePolicy(), SETTINGS)
    took: list[float] = []
    for _ in range(20):
        begun = time.process_time()
        keys.of(inbound, WISH)
        took.append(time.process_time() - begun)
    assert min(took) < 0.003
