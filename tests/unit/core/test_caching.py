"""What the cache does with a request, whose answer it is, and how a digest is made."""

from __future__ import annotations

import math
import re

import pytest

from tiergate.base.errors import Refused
from tiergate.base.values import Dialect, Operation
from tiergate.core.caching import (
    ALL_DOORS,
    NO_CONTROLS,
    Asker,
    Bypass,
    CachePolicy,
    Controls,
    Intent,
    digest,
    intend,
    is_key,
    key_of,
    owner,
    read_controls,
)

CHAT = (Dialect.OPENAI, Operation.CHAT)


def decide(policy: CachePolicy | None = None, controls: Controls = NO_CONTROLS, **more):
    given_ = {"drill": False, "hurried": False, **more}
    return intend(policy or CachePolicy(), controls, CHAT, **given_)


def test_by_default_everything_is_looked_up_kept_and_shared():
    assert decide() == Intent(read=True, write=True, share=True, ttl=3600, max_age=math.inf)


@pytest.mark.parametrize(
    ("controls", "read", "write", "share"),
    [
        (Controls(no_cache=True), False, True, False),
        (Controls(no_store=True), True, False, False),
        (Controls(no_cache=True, no_store=True), False, False, False),
    ],
)
def test_a_request_can_leave_out_either_half(controls, read, write, share):
    intent = decide(controls=controls)
    assert (intent.read, intent.write, intent.share) == (read, write, share)


def test_a_request_with_a_time_limit_of_its_own_waits_for_nobody():
    assert not decide(hurried=True).share


def test_the_request_says_how_long_and_how_young():
    intent = decide(controls=Controls(ttl=5.0, max_age=2.0))
    assert (intent.ttl, intent.max_age) == (5.0, 2.0)


def test_default_off_caches_those_that_ask():
    off = CachePolicy(default_on=False)
    assert decide(off) is Bypass.OFF
    assert isinstance(decide(off, Controls(use=True)), Intent)


def test_a_kind_of_call_that_is_not_named_is_left_alone():
    policy = CachePolicy(doors=ALL_DOORS - {CHAT})
    assert decide(policy) is Bypass.CALL_TYPE
    assert decide(policy, Controls(use=True)) is Bypass.CALL_TYPE


def test_a_drill_is_never_served_from_the_cache():
    assert decide(drill=True) is Bypass.DRILL


@pytest.mark.parametrize(
    ("asker", "tenant"),
    [
        (Asker(), ""),
        (Asker(key="k"), "key:k"),
        (Asker(key="k", user="u"), "user:u"),
        (Asker(key="k", user="u", team="t"), "team:t"),
    ],
)
def test_an_answer_belongs_to_the_widest_group_of_the_key(asker, tenant):
    assert owner(CachePolicy(), asker) == (tenant, "")
    assert owner(CachePolicy(share_keys=True), asker) == ("", "")


def test_an_answer_belongs_to_the_request_s_user_unless_users_share():
    asker = Asker(key="k", end_user="alice")
    assert owner(CachePolicy(), asker) == ("key:k", "alice")
    assert owner(CachePolicy(share_users=True), asker) == ("key:k", "")
    assert owner(CachePolicy(share_users=True, share_keys=True), asker) == ("", "")


def test_a_digest_is_64_digits_and_another_one_for_other_bytes():
    assert re.fullmatch(r"[0-9a-f]{64}", digest(b"x"))
    assert digest(b"x") == digest(b"x") != digest(b"y")


def test_a_key_begins_with_the_namespace():
    made = digest(b"x")
    policy = CachePolicy(namespace="backlog")
    assert key_of(policy, NO_CONTROLS, made) == f"backlog:{made}"
    assert key_of(policy, Controls(namespace="t1"), made) == f"backlog:t1:{made}"


def test_keys_of_others_are_not_taken_for_answers():
    made = digest(b"x")
    assert is_key("backlog", f"backlog:{made}")
    assert is_key("backlog", f"backlog:t1:{made}")
    assert not is_key("backlog", f"backlog2:{made}")
    assert not is_key("backlog", "backlog:budget:gateway")
    assert not is_key("backlog", f"backlog:{made[:-1]}g")
    assert not is_key("backlog", made)


def test_a_request_that_says_nothing_has_no_controls():
    assert read_controls(None) is NO_CONTROLS
    assert read_controls({}) is NO_CONTROLS
    assert read_controls({"ttl": None}) is NO_CONTROLS
    assert read_controls(None, "private, must-revalidate") is NO_CONTROLS


def test_every_control_is_read():
    assert read_controls(
        {
            "use-cache": True,
            "no-cache": True,
            "no-store": True,
            "ttl": 5,
            "s-maxage": 2.5,
            "namespace": "t1",
        }
    ) == Controls(use=True, no_cache=True, no_store=True, ttl=5.0, max_age=2.5, namespace="t1")


@pytest.mark.parametrize("name", ["s-maxage", "s-max-age", "s_maxage", "s_max_age"])
def test_a_name_may_be_spelt_as_litellm_and_python_do(name):
    assert read_controls({name: 3}).max_age == 3.0


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("no-cache", Controls(no_cache=True)),
        ("No-Store", Controls(no_store=True)),
        ("max-age=0", Controls(max_age=0.0)),
        ("private, max-age=30, no-store", Controls(max_age=30.0, no_store=True)),
        ("max-age=soon", NO_CONTROLS),
        (f"max-age={'9' * 40}", NO_CONTROLS),
    ],
)
def test_the_header_counts_too(header, expected):
    assert read_controls(None, header) == expected


def test_the_body_s_word_counts_before_the_header_s():
    assert read_controls({"no-cache": False}, "no-cache") == NO_CONTROLS


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "an object"),
        ("no-cache", "an object"),
        ({"nocache": True}, "`nocache` is not known"),
        ({"no-cache": 1}, "`no-cache` must be true or false"),
        ({"ttl": "5"}, "`ttl` must be a number of seconds"),
        ({"ttl": True}, "`ttl` must be a number of seconds"),
        ({"ttl": -1}, "`ttl` must be from 0"),
        ({"s-maxage": 1e12}, "`s-maxage` must be from 0"),
        ({"namespace": "a b"}, "`namespace` must be"),
        ({"namespace": "*"}, "`namespace` must be"),
        ({"namespace": 5}, "`namespace` must be"),
    ],
)
def test_what_is_wrong_is_refused_by_name(value, words):
    with pytest.raises(Refused) as caught:
        read_controls(value)
    assert (caught.value.status, caught.value.param) == (400, "cache")
    assert words in caught.value.message
