"""What a worker has for keys: rules of the settings, routes, changes seen in the background."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

from support.config_world import load_rest
from support.keys import NAMES, NOW, key_rules
from tiergate.core.caller import Caller
from tiergate.core.keys import KeyRecord
from tiergate.core.rules import OnStoreFailure
from tiergate.pipeline.keybook import KeyBook
from tiergate.ports import StoreDownError
from tiergate.stores.documents_memory import MemoryDocuments
from tiergate.wiring import keys as wired
from tiergate.wiring.keys import Keys, rules_of

KEY = KeyRecord(hash="ab" * 32)


class Shaky(MemoryDocuments):
    """Documents that can be down."""

    down = False

    async def read(self, keys):
        if self.down:
            raise StoreDownError("no route to it")
        return await super().read(keys)


async def nothing(_budgets):
    return {}


def made(documents, rules=None) -> Keys:
    return Keys(documents, nothing, rules or key_rules(), lambda: NOW)


def test_the_rules_are_those_of_the_file(tmp_path: Path):
    loaded = load_rest(
        tmp_path,
        "general_settings: {budget_timezone: Europe/Berlin, on_store_failure: refuse}\n"
        "litellm_settings: {max_internal_user_budget: 5, internal_user_budget_duration: 1d}\n",
    )
    assert loaded.settings is not None
    rules = rules_of(loaded.settings, NAMES)
    assert str(rules.zone) == "Europe/Berlin"
    assert rules.on_store_failure is OnStoreFailure.REFUSE
    assert rules.defaults.user_budget == 5_000_000_000
    assert rules.window("monthly").period == "calendar:month"
    assert rules.seconds("1h") == 3600


def test_every_route_of_keys_users_and_teams_is_there():
    routes = {(route.method, route.path) for route in made(MemoryDocuments()).routes()}
    assert len(routes) == 21
    assert {("POST", "/key/generate"), ("GET", "/user/list"), ("POST", "/team/block")} <= routes


async def test_changes_of_others_are_seen_within_a_second(monkeypatch):
    monkeypatch.setattr(wired, "REFRESH_SECONDS", 0.01)
    documents = MemoryDocuments()
    keys, other = made(documents), KeyBook(documents, lambda _names: None)
    await other.create_key(KEY)
    assert isinstance(await keys.ring.find(KEY.hash), Caller)
    await keys.look()
    await keys.ring.find(KEY.hash)
    keys.start()
    try:
        await other.change_key(KEY.hash, lambda old: replace(old, alias="build"))
        async with asyncio.timeout(5):
            while keys.ring.get(KEY.hash) is not None:
                await asyncio.sleep(0.01)
    finally:
        await keys.aclose()
        await keys.aclose()


async def test_a_store_that_is_down_is_said_once_and_known_keys_go_on(caplog):
    documents = Shaky()
    keys = made(documents)
    await KeyBook(documents, lambda _names: None).create_key(KEY)
    await keys.ring.find(KEY.hash)
    await keys.look()
    await keys.ring.find(KEY.hash)
    with caplog.at_level(logging.INFO, "tiergate.keys"):
        documents.down = True
        await keys.look()
        await keys.look()
        assert isinstance(keys.ring.get(KEY.hash), Caller)
        documents.down = False
        await keys.look()
    assert [record.message for record in caplog.records] == [
        "changes of keys are not seen: the store does not answer",
        "changes of keys are seen again",
    ]


async def test_another_configuration_holds_at_once():
    documents = MemoryDocuments()
    keys = made(documents)
    await KeyBook(documents, lambda _names: None).create_key(KEY)
    await keys.ring.find(KEY.hash)
    keys.configure(replace(key_rules(), on_store_failure=OnStoreFailure.REFUSE))
    found = await keys.ring.find(KEY.hash)
    assert found.budgets[0].rule.on_store_failure is OnStoreFailure.REFUSE
