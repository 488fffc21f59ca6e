"""Keys are called by the names that people gave them."""

from __future__ import annotations

import pytest

from support.keys import Bureau
from tiergate.core.caller import MASTER
from tiergate.ports import StoreDownError
from tiergate.ui.key_names import NO_KEY, key_names


async def test_a_key_is_called_by_its_alias_or_its_last_signs():
    bureau = Bureau()
    _, named = await bureau.desk.make_key({"key_alias": "build"}, MASTER)
    _, other = await bureau.desk.make_key({}, MASTER)
    assert await key_names(bureau.book) == {
        named.hash: "build",
        other.hash: other.masked,
        "": NO_KEY,
    }


async def test_while_the_store_is_down_only_the_master_key_has_a_name(
    monkeypatch: pytest.MonkeyPatch,
):
    async def away(_):
        raise StoreDownError("away")

    bureau = Bureau()
    monkeypatch.setattr(bureau.documents, "scan", away)
    assert await key_names(bureau.book) == {"": NO_KEY}
