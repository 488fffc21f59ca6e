"""Chroma that is not there is a store that is down; no login is told. The rest: the battery."""

from __future__ import annotations

import pytest

from support.servers import free_port
from tiergate.base.values import Secret
from tiergate.ports import StoreDownError
from tiergate.stores.chroma_home import ChromaHome, name_of


async def test_a_server_that_is_not_there_is_down_and_its_key_is_in_no_message():
    address = f"http://127.0.0.1:{free_port()}"
    home = ChromaHome(address, Secret("sesame-sesame"))
    assert home.place == f"Chroma at {address}"
    with pytest.raises(StoreDownError, match="Chroma at http") as told:
        await home.ping()
    assert "sesame" not in str(told.value)
    assert "sesame" not in repr(home)
    await home.aclose()
    await home.aclose()


def test_names_become_short_ids():
    assert name_of("a") != name_of("b")
    assert len(name_of("a" * 5000)) == 40
