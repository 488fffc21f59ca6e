"""The routes of keys: LiteLLM's shapes, shown once, never logged, nothing silently open."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from decimal import Decimal

import pytest

from support.keys import Bureau, key_rules
from tiergate.base.errors import Refused
from tiergate.core.caller import Caller
from tiergate.core.key_defaults import KeyBounds, KeyDefaults

RESET = 1_797_552_000  # 2026-12-18T00:00:00Z


@pytest.fixture
def bureau() -> Bureau:
    return Bureau()


def refusal(call, *args, **more) -> Refused:
    with pytest.raises(Refused) as caught:
        call(*args, **more)
    return caught.value


def hash_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def holder(made: dict) -> Caller:
    return Caller(name="build", key=made["token"], user="ann", team="core")


def test_a_made_key_is_long_random_and_kept_as_a_hash(bureau):
    made = bureau.post("/key/generate", key_alias="build")
    assert made["key"].startswith("sk-")
    assert len(made["key"]) == 3 + 43
    assert made["token"] == made["token_id"] == hash_of(made["key"])
    assert made["key_name"] == f"sk-...{made['key'][-4:]}"
    assert bureau.post("/key/generate")["key"] != made["key"]


def test_no_document_holds_a_key(bureau):
    made = bureau.post("/key/generate", key_alias="build", user_id="ann")
    documents = asyncio.run(bureau.documents.scan(""))
    assert len(documents) == 3
    assert made["key"][3:].encode() not in b"".join(body for _, body in documents)


def test_the_answer_has_litellms_members(bureau):
    made = bureau.post(
        "/key/generate", max_budget=10.5, budget_duration="30d", duration="30d", models=["cheap"]
    )
    assert made["max_budget"] == Decimal("10.5")
    assert (made["budget_duration"], made["spend"]) == ("30d", 0)
    assert made["expires"] == "2026-12-18T11:06:40+00:00"
    assert (made["user_id"], made["blocked"], made["created_by"]) == (None, False, "master")
    assert "warnings" not in made


def test_a_key_is_shown_once_and_never_logged(bureau, caplog):
    with caplog.at_level(logging.INFO, "tiergate.keys"):
        made = bureau.post("/key/generate", key_alias="build")
        bureau.post("/key/update", key=made["key"], rpm_limit=5)
        shown = [
            bureau.get("/key/info", f"key={made['token']}"),
            bureau.get("/key/list", "return_full_object=true"),
            bureau.post("/key/block", key=made["key"]),
            bureau.post("/key/delete", keys=[made["key"]]),
        ]
    assert made["key"] not in str(shown)
    events = [record.message for record in caplog.records]
    assert events == ["key created", "key changed", "key changed", "key deleted"]
    logged = str([vars(record) for record in caplog.records])
    assert made["key"] not in logged
    assert made["key"][3:] not in logged
    assert caplog.records[1].fields == "rpm_limit"
    assert caplog.records[1].by == "master"


def test_spend_hold_and_reset_are_those_of_the_keys_budget(bureau):
    made = bureau.post("/key/generate", max_budget=10, budget_duration="30d")
    bureau.amounts[f"key:{made['token']}"] = (1_250_000_000, 500, RESET)
    info = bureau.get("/key/info", f"key={made['token']}")["info"]
    assert (info["spend"], info["held"]) == (Decimal("1.25"), Decimal("0.0000005"))
    assert info["budget_reset_at"] == "2026-12-18T00:00:00+00:00"
    counted = bureau.post("/key/generate")
    bureau.amounts[f"key:{counted['token']}"] = (7, 0, None)
    info = bureau.get("/key/info", f"key={counted['key']}")["info"]
    assert (info["spend"], info["max_budget"]) == (Decimal("0.000000007"), None)


def test_the_holder_of_a_key_sees_itself_only(bureau):
    made, other = bureau.post("/key/generate"), bureau.post("/key/generate")
    assert bureau.get("/key/info", caller=holder(made))["key"] == made["token"]
    assert bureau.get("/key/info", f"key={made['key']}", caller=holder(made))["info"]
    told = refusal(bureau.get, "/key/info", f"key={other['token']}", caller=holder(made))
    assert (told.status, told.code) == (403, "not_your_key")
    assert refusal(bureau.get, "/key/info").code == "missing_parameter"


def test_changes_leave_the_rest_and_say_what_holds_now(bureau):
    made = bureau.post("/key/generate", max_budget=10, rpm_limit=5, key_alias="build")
    bureau.now += 5
    after = bureau.post("/key/update", key=made["token"], max_budget=None, tpm_limit=7)
    assert (after["max_budget"], after["rpm_limit"], after["tpm_limit"]) == (None, 5, 7)
    assert after["key"] == made["token"]
    assert after["updated_at"] > after["created_at"]
    assert bureau.post("/key/update", key_alias="build", rpm_limit=1)["rpm_limit"] == 1
    renamed = bureau.post("/key/update", key=made["key"], key_alias="test")
    assert renamed["key_alias"] == "test"


def test_keys_are_deleted_by_value_hash_or_alias_all_or_none(bureau):
    one = bureau.post("/key/generate", key_alias="one")
    two, three = bureau.post("/key/generate"), bureau.post("/key/generate")
    assert refusal(bureau.post, "/key/delete", keys=[two["key"], "sk-" + "x" * 20]).status == 404
    assert bureau.get("/key/list")["total_count"] == 3
    gone = bureau.post("/key/delete", keys=[two["key"], three["token"]], key_aliases=["one"])
    assert gone["deleted_keys"] == [two["token"], three["token"], one["token"]]
    assert bureau.get("/key/list")["keys"] == []
    assert refusal(bureau.post, "/key/delete", key_aliases=["one"]).status == 404
    assert refusal(bureau.post, "/key/delete").code == "missing_parameter"


def test_lists_have_pages_and_filters(bureau):
    made = []
    for number in range(5):
        bureau.now += 1
        made.append(bureau.post("/key/generate", user_id="ann" if number % 2 else "bob"))
    page = bureau.get("/key/list", "page=2&size=2")
    assert page["keys"] == [made[2]["token"], made[3]["token"]]
    assert (page["total_count"], page["current_page"], page["total_pages"]) == (5, 2, 3)
    ann = bureau.get("/key/list", "user_id=ann&return_full_object=true")["keys"]
    assert [key["user_id"] for key in ann] == ["ann", "ann"]
    assert bureau.get("/key/list", "page=9")["keys"] == []
    for query, param in (("userid=ann", "userid"), ("size=0", "size"), ("page=x", "page")):
        assert refusal(bureau.get, "/key/list", query).param == param


def test_blocking_is_a_switch_of_its_own(bureau):
    made = bureau.post("/key/generate", key_alias="build")
    assert bureau.post("/key/block", key=made["key"])["blocked"] is True
    assert bureau.post("/key/unblock", key_alias="build")["blocked"] is False
    assert refusal(bureau.post, "/key/block", key="sk-" + "x" * 20).status == 404


@pytest.mark.parametrize("value", ["short", "sk-short", "pk-0123456789abcdef0", "sk-" + "a b" * 9])
def test_a_value_of_ones_own_must_be_a_good_key(bureau, value):
    told = refusal(bureau.post, "/key/generate", key=value)
    assert told.param == "key"
    assert value not in told.message


def test_a_value_of_ones_own_is_taken_once(bureau):
    value = "sk-0123456789abcdef"
    assert bureau.post("/key/generate", key=value)["token"] == hash_of(value)
    told = refusal(bureau.post, "/key/generate", key=value, rpm_limit=3)
    assert told.code == "key_taken"
    assert value not in told.message


def test_values_of_ones_own_can_be_switched_off():
    bureau = Bureau(key_rules(KeyDefaults(own_values=False)))
    assert refusal(bureau.post, "/key/generate", key="sk-0123456789abcdef").param == "key"
    assert bureau.post("/key/generate")["key"]


def test_a_name_that_is_no_key_is_not_repeated(bureau):
    told = refusal(bureau.get, "/key/info", "key=my-password-by-mistake")
    assert (told.status, "password" in told.message) == (400, False)


def test_what_would_narrow_is_refused_and_what_is_harmless_is_told(bureau):
    assert refusal(bureau.post, "/key/generate", permissions={"x": True}).param == "permissions"
    made = bureau.post("/key/generate", send_invite_email=True, budget_duration="1m", aliases={})
    assert len(made["warnings"]) == 2
    assert refusal(bureau.post, "/key/update", key=made["key"], spend=5).param == "spend"


def test_bounds_of_the_file_hold():
    bureau = Bureau(key_rules(KeyDefaults(most=KeyBounds(max_budget=5_000_000_000))))
    assert bureau.post("/key/generate")["max_budget"] == 5
    assert refusal(bureau.post, "/key/generate", max_budget=6).code == "over_upper_bound"


def test_nothing_that_was_refused_was_made(bureau):
    for body in ({"models": ["gpt-5"]}, {"team_id": "gone"}, {"nonsense": 1}):
        assert refusal(bureau.post, "/key/generate", **body).status == 400
    assert bureau.get("/key/list")["total_count"] == 0
