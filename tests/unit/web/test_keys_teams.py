"""The routes of teams: members, blocking, and that a team goes with its keys."""

from __future__ import annotations

import pytest

from support.keys import Bureau
from tiergate.base.errors import Refused
from tiergate.core.caller import Caller


@pytest.fixture
def bureau() -> Bureau:
    made = Bureau()
    made.post("/team/new", team_id="core", team_alias="Core", max_budget=100, models=["cheap"])
    return made


def refusal(call, *args, **more) -> Refused:
    with pytest.raises(Refused) as caught:
        call(*args, **more)
    return caught.value


def members(team: dict) -> list[tuple[str, str]]:
    return [(member["user_id"], member["role"]) for member in team["members_with_roles"]]


def test_a_team_is_shown_with_its_budget_and_keys(bureau):
    key = bureau.post("/key/generate", team_id="core")
    bureau.amounts["team:core"] = (3 * 10**9, 10**9, None)
    shown = bureau.get("/team/info", "team_id=core")
    info = shown["team_info"]
    assert (info["team_alias"], info["max_budget"], info["models"]) == ("Core", 100, ["cheap"])
    assert (info["spend"], info["held"]) == (3, 1)
    assert [k["token"] for k in shown["keys"]] == [key["token"]]
    assert len(bureau.post("/team/new")["team_id"]) == 32


def test_the_holder_of_a_key_sees_its_own_team_without_other_keys(bureau):
    bureau.post("/key/generate", team_id="core")
    caller = Caller(name="k", key="ab" * 32, team="core")
    assert bureau.get("/team/info", caller=caller)["keys"] == []
    assert refusal(bureau.get, "/team/info", "team_id=other", caller=caller).status == 403
    assert refusal(bureau.get, "/team/info").code == "missing_parameter"
    assert refusal(bureau.get, "/team/info", "team_id=other").status == 404


def test_changes_leave_the_rest(bureau):
    after = bureau.post("/team/update", team_id="core", rpm_limit=5)["data"]
    assert (after["rpm_limit"], after["max_budget"]) == (5, 100)
    assert refusal(bureau.post, "/team/update", rpm_limit=5).param == "team_id"
    assert refusal(bureau.post, "/team/update", team_id="x", rpm_limit=5).status == 404


def test_members_are_added_changed_and_removed(bureau):
    many = [{"user_id": "ann", "role": "user"}, {"user_id": "bob", "role": "admin"}]
    assert members(bureau.post("/team/member_add", team_id="core", member=many)) == [
        ("ann", "user"),
        ("bob", "admin"),
    ]
    again = {"user_id": "ann", "role": "admin"}
    bureau.post("/team/member_add", team_id="core", member=again)
    left = bureau.post("/team/member_delete", team_id="core", user_id="bob")
    assert members(left) == [("ann", "admin")]
    assert refusal(bureau.post, "/team/member_delete", team_id="core", user_id="bob").status == 400
    assert refusal(bureau.post, "/team/member_add", team_id="core").param == "member"
    capped = refusal(
        bureau.post, "/team/member_add", team_id="core", member=again, max_budget_in_team=5
    )
    assert capped.param == "max_budget_in_team"


def test_a_team_is_blocked_and_unblocked(bureau):
    assert bureau.post("/team/block", team_id="core")["blocked"] is True
    assert bureau.post("/team/unblock", team_id="core")["blocked"] is False
    assert bureau.get("/team/info", "team_id=core")["team_info"]["max_budget"] == 100


def test_teams_go_with_their_keys_all_or_none(bureau):
    key = bureau.post("/key/generate", team_id="core")
    assert refusal(bureau.post, "/team/delete", team_ids=["core", "gone"]).status == 404
    gone = bureau.post("/team/delete", team_ids=["core"])
    assert gone == {"deleted_teams": ["core"], "deleted_keys": [key["token"]]}
    assert bureau.get("/team/list") == []
    assert refusal(bureau.post, "/key/generate", team_id="core").code == "team_not_found"
    assert refusal(bureau.post, "/team/delete").code == "missing_parameter"


def test_teams_are_listed_all_or_those_of_a_user(bureau):
    bureau.now += 1
    bureau.post(
        "/team/new", team_id="web", members_with_roles=[{"user_id": "ann", "role": "user"}]
    )
    assert [team["team_id"] for team in bureau.get("/team/list")] == ["core", "web"]
    assert [team["team_id"] for team in bureau.get("/team/list", "user_id=ann")] == ["web"]


def test_limits_of_members_are_refused_not_forgotten(bureau):
    told = refusal(bureau.post, "/team/new", team_member_budget=5)
    assert told.param == "team_member_budget"
    bureau.now += 1
    assert refusal(bureau.post, "/team/new", team_id="core").code == "id_taken"
