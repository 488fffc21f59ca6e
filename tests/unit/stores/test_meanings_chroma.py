"""Vectors in Chroma without a server: where it is, and that it is down. The rest: the battery."""

from __future__ import annotations

import pytest

from support.servers import free_port
from tiergate.ports import Remembered, StoreDownError
from tiergate.stores.chroma_home import ChromaHome
from tiergate.stores.meanings_chroma import ChromaVectors


async def test_every_question_says_that_it_is_down():
    address = f"http://127.0.0.1:{free_port()}"
    store = ChromaVectors(ChromaHome(address), "c")
    assert store.place == f"Chroma at {address}, collection c"
    asked = Remembered(key="k", space="n", partition="n:p", sides=(), expires=1.0)
    with pytest.raises(StoreDownError):
        await store.nearest("n:p", (1.0,), 8, 0.0)
    with pytest.raises(StoreDownError):
        await store.add(asked, (1.0,), 0.0)
    with pytest.raises(StoreDownError):
        await store.clear("n")
    await store.aclose()
