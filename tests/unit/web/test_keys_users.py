"""The routes of users: their first key, their cap, and that they go with their keys."""

from __future__ import annotations

import pytest

from support.keys import Bureau, key_rules
from tiergate.base.errors import Refused
from tiergate.core.caller import Caller
from tiergate.core.key_defaults import KeyDefaults


@pytest.fixture
def bureau() -> Bureau:
    return Bureau()


def refusal(call, *args, **more) -> Refused:
    with pytest.raises(Refused) as caught:
        call(*args, **more)
    return caught.value


def test_a_user_comes_with_a_key_unless_told_otherwise(bureau):
    ann = bureau.post("/user/new", user_id="ann", max_budget=10, key_alias="ann's", duration="1h")
    assert (ann["user_id"], ann["max_budget"], ann["key_alias"]) == ("ann", 10, "ann's")
    (key,) = bureau.get("/user/info", "user_id=ann")["keys"]
    assert (key["token"], key["user_id"], key["max_budget"]) == (ann["token"], "ann", None)
    assert key["expires"] == ann["expires"]
    bob = bureau.post("/user/new", auto_create_key=False, user_email="bob@example.org")
    assert "key" not in bob
    assert len(bob["user_id"]) == 32


def test_a_user_whose_key_cannot_be_made_is_not_made(bureau):
    bureau.post("/key/generate", key_alias="build")
    assert refusal(bureau.post, "/user/new", user_id="ann", key_alias="build").status == 400
    assert refusal(bureau.get, "/user/info", "user_id=ann").status == 404


def test_a_user_is_shown_with_the_cap_that_holds():
    bureau = Bureau(
        key_rules(KeyDefaults(user_budget=5 * 10**9, user_window="1d", user_period="calendar:day"))
    )
    bureau.post("/user/new", user_id="ann")
    bureau.amounts["user:ann"] = (10**9, 0, 1_797_552_000)
    info = bureau.get("/user/info", "user_id=ann")["user_info"]
    assert (info["max_budget"], info["budget_duration"], info["spend"]) == (5, "1d", 1)
    own = bureau.post("/user/update", user_id="ann", max_budget=2)["data"]
    assert (own["max_budget"], own["budget_duration"]) == (2, None)


def test_the_holder_of_a_key_sees_its_own_user_without_other_keys(bureau):
    bureau.post("/user/new", user_id="ann")
    caller = Caller(name="k", key="ab" * 32, user="ann")
    shown = bureau.get("/user/info", caller=caller)
    assert (shown["user_id"], shown["keys"]) == ("ann", [])
    assert refusal(bureau.get, "/user/info", "user_id=bob", caller=caller).status == 403
    nobody = Caller(name="k", key="ab" * 32)
    assert refusal(bureau.get, "/user/info", caller=nobody).code == "missing_parameter"


def test_users_go_with_their_keys_all_or_none(bureau):
    ann = bureau.post("/user/new", user_id="ann")
    bureau.post("/user/new", user_id="bob")
    assert refusal(bureau.post, "/user/delete", user_ids=["ann", "eve"]).status == 404
    assert bureau.get("/user/list")["total"] == 2
    gone = bureau.post("/user/delete", user_ids=["ann"])
    assert gone == {"deleted_users": ["ann"], "deleted_keys": [ann["token"]]}
    assert [u["user_id"] for u in bureau.get("/user/list")["users"]] == ["bob"]
    assert refusal(bureau.post, "/user/delete").code == "missing_parameter"


def test_users_are_listed_by_page_and_found_by_name(bureau):
    for name in ("ann", "bob", "cid"):
        bureau.now += 1
        bureau.post("/user/new", user_id=name, user_email=f"{name}@example.org")
    page = bureau.get("/user/list", "page=2&page_size=2")
    assert [u["user_id"] for u in page["users"]] == ["cid"]
    assert (page["total"], page["page"], page["page_size"], page["total_pages"]) == (3, 2, 2, 2)
    found = bureau.get("/user/list", "user_ids=cid,ann")["users"]
    assert [u["user_id"] for u in found] == ["ann", "cid"]
    assert bureau.get("/user/list", "user_email=bob@example.org")["total"] == 1
    assert refusal(bureau.get, "/user/list", "role=x").param == "role"


def test_teams_of_a_user_are_shown(bureau):
    bureau.post("/user/new", user_id="ann")
    bureau.post("/team/new", team_id="core")
    bureau.post("/team/member_add", team_id="core", member={"user_id": "ann", "role": "user"})
    shown = bureau.get("/user/info", "user_id=ann")["teams"]
    assert [team["team_id"] for team in shown] == ["core"]


def test_mistakes_are_refused(bureau):
    bureau.post("/user/new", user_id="ann")
    bureau.now += 1
    assert refusal(bureau.post, "/user/new", user_id="ann").code == "id_taken"
    assert refusal(bureau.post, "/user/update", max_budget=1).param == "user_id"
    assert refusal(bureau.post, "/user/update", user_id="eve", max_budget=1).status == 404
    assert refusal(bureau.post, "/user/new", teams=["core"]).param == "teams"
    told = bureau.post("/user/new", user_role="proxy_admin")
    assert "user_role" in told["warnings"][0]
    assert told["user_role"] is None
