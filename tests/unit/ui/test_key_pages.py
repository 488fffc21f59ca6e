"""Virtual keys are shown with what they spend; one is shown itself once, when it is made."""

from __future__ import annotations

import pytest

from support.keys import Bureau
from support.ui_world import HOSTILE, USD, World, text
from tiergate.core.caller import MASTER
from tiergate.ports import StoreDownError


@pytest.fixture
async def world():
    made = World()
    await made.sign_in()
    return made


async def make(bureau: Bureau, **fields):
    return (await bureau.desk.make_key(fields, MASTER))[1]


async def test_a_key_is_shown_once_and_its_record_is_what_was_asked(world):
    proto = await world.post(
        "/ui/keys/make",
        key_alias="build",
        models="cheap, balanced",
        max_budget="12.5",
        budget_duration="monthly",
        duration="30d",
        user_id="anna",
        rpm_limit="60",
    )
    page = proto.data.decode()
    assert proto.status == 200
    (record,) = await world.bureau.book.keys()
    start = page.index("sk-", page.index('class="secret"'))
    key = page[start : page.index("<", start)]
    assert record.terms.models == ("cheap", "balanced")
    assert (record.terms.max_budget, record.terms.window) == (12_500_000_000, "monthly")
    assert (record.user, record.terms.rpm, record.author) == ("anna", 60, "master")
    assert record.expires == world.now + 30 * 86_400
    assert page.count(key) == 1
    assert key not in await world.page("/ui/keys")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_budget", "much"),
        ("max_budget", "nan"),
        ("max_budget", "-1"),
        ("rpm_limit", "1.5"),
        ("duration", "soon"),
        ("budget_duration", "now and then"),
        ("models", "nobody"),
        ("team_id", "no-such-team"),
    ],
)
async def test_what_cannot_be_made_says_why_and_keeps_what_was_written(world, field, value):
    proto = await world.post("/ui/keys/make", key_alias="build", **{field: value})
    page = proto.data.decode()
    assert proto.status == 400
    assert 'role="alert"' in page
    assert 'value="build"' in page
    assert await world.bureau.book.keys() == []


async def test_spend_stands_against_the_limit(world):
    record = await make(world.bureau, key_alias="build", max_budget=10, budget_duration="monthly")
    world.bureau.amounts[f"key:{record.hash}"] = (8 * USD, USD, int(world.now) + 3600)
    shown = text(await world.page("/ui/keys"))
    assert "▲ nearly used up $8.00 $1.00 held 90 % of $10.00 monthly, anew in 1 h" in shown


async def test_states_are_told(world):
    await make(world.bureau, key_alias="a-works")
    await make(world.bureau, key_alias="b-blocked", blocked=True)
    await make(world.bureau, key_alias="c-spent", max_budget=0)
    await make(world.bureau, key_alias="d-expired", duration="1s")
    world.now += 2
    shown = text(await world.page("/ui/keys"))
    for name, state in (
        ("a-works", "● works"),
        ("b-blocked", "■ blocked"),
        ("c-spent", "■ budget used up"),
        ("d-expired", "■ expired"),
    ):
        assert state in shown[shown.index(name) : shown.index(name) + 60]


async def test_a_key_is_blocked_and_works_again(world):
    record = await make(world.bureau, key_alias="build")
    proto = await world.post("/ui/keys/block", key=record.hash)
    assert proto.header("location") == "/ui/keys?said=key-blocked"
    changed = await world.bureau.book.key(record.hash)
    assert (changed.terms.blocked, changed.editor) == (True, "master")
    proto = await world.post("/ui/keys/unblock", key=record.hash)
    assert proto.header("location") == "/ui/keys?said=key-unblocked"
    assert not (await world.bureau.book.key(record.hash)).terms.blocked


async def test_a_key_is_deleted(world):
    record = await make(world.bureau)
    proto = await world.post("/ui/keys/delete", key=record.hash)
    assert proto.header("location") == "/ui/keys?said=key-deleted"
    assert await world.bureau.book.keys() == []


@pytest.mark.parametrize("what", ["block", "unblock", "delete"])
async def test_a_key_that_is_not_there_cannot_be_changed(world, what):
    for key in ("", "ab" * 32, HOSTILE):
        proto = await world.post(f"/ui/keys/{what}", key=key)
        assert proto.status == 404
        assert HOSTILE not in proto.data.decode()


async def test_keys_are_found_by_name_user_or_the_begin_of_their_hash(world):
    one = await make(world.bureau, key_alias="Build", user_id="anna")
    await make(world.bureau, key_alias="other")
    for find in ("build", "ANNA", one.hash[:8]):
        page = await world.page(f"/ui/keys?find={find}")
        assert one.hash in page
        assert "other" not in text(page).partition("Make a key")[0].replace("others", "")
    assert "No key fits." in await world.page("/ui/keys?find=nobody")


async def test_without_keys_that_is_told(world):
    assert "There is no virtual key yet." in await world.page("/ui/keys")


async def test_a_hostile_name_is_text(world):
    await make(world.bureau, key_alias=HOSTILE)
    page = await world.page(f"/ui/keys?find={'script'}")
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page


async def test_a_store_that_is_down_is_told(world, monkeypatch):
    async def away(*_):
        raise StoreDownError("away")

    await world.page("/ui/keys")
    monkeypatch.setattr(world.bureau.documents, "scan", away)
    assert (await world.get("/ui/keys")).status == 503
