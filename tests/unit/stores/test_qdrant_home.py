"""Qdrant that is not there is a store that is down; no login is told. The rest: the battery."""

from __future__ import annotations

import pytest
from qdrant_client import models

from support.servers import free_port
from tiergate.base.values import Secret
from tiergate.ports import StoreDownError
from tiergate.stores.qdrant_home import MEMORY, QdrantHome, equal


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")
async def test_a_server_that_is_not_there_is_down_and_its_key_is_in_no_message():
    address = f"http://127.0.0.1:{free_port()}"
    home = QdrantHome(address, Secret("sesame-sesame"))
    assert home.place == f"Qdrant at {address}"
    with pytest.raises(StoreDownError, match="Qdrant at http") as told:
        await home.ping()
    assert "sesame" not in str(told.value)
    assert "sesame" not in repr(home)
    await home.aclose()
    await home.aclose()


async def test_points_have_one_place_by_name_and_collections_are_made_when_needed():
    home = QdrantHome(MEMORY)
    where = models.Filter(must=[equal("key", "k")])
    assert await home.find("c", where) is None
    assert await home.count("c") == 0
    await home.remove("c", ["k"])
    await home.upsert("c", "k", (1.0, 0.0), {"key": "k", "n": "1"})
    await home.upsert("c", "k", (1.0, 0.0), {"key": "k", "n": "2"})
    assert await home.count("c") == 1
    assert await home.find("c", where) == {"key": "k", "n": "2"}
    await home.remove("c", ["k"])
    assert await home.count("c") == 0
    await home.aclose()


async def test_a_vector_of_another_size_is_said():
    home = QdrantHome(MEMORY)
    await home.upsert("c", "k", (1.0, 0.0), {"key": "k"})
    with pytest.raises(StoreDownError):
        await home.upsert("c", "l", (1.0, 0.0, 0.0), {"key": "l"})
    await home.aclose()


async def test_what_has_expired_goes_now_and_then_and_the_rest_stays():
    home = QdrantHome(MEMORY)
    await home.upsert("c", "over", (1.0,), {"expires": 10.0})
    await home.upsert("c", "fresh", (1.0,), {"expires": 30.0})
    for _ in range(63):
        await home.added("c", 20.0)
        await home.added("other", 20.0)
    assert await home.count("c") == 2
    await home.added("c", 20.0)
    assert await home.count("c") == 1
    await home.aclose()
