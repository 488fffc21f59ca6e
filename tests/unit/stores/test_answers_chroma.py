"""Answers in Chroma without a server: where it is, and that it is down. The rest: the battery."""

from __future__ import annotations

import pytest

from support.servers import free_port
from tiergate.ports import StoreDownError
from tiergate.stores.answers_chroma import ChromaAnswers
from tiergate.stores.chroma_home import ChromaHome


async def test_every_question_says_that_it_is_down():
    address = f"http://127.0.0.1:{free_port()}"
    store = ChromaAnswers(ChromaHome(address), "c", lambda: 0.0)
    assert (store.kind, store.place) == ("chromadb", f"Chroma at {address}, collection c")
    for asking in (
        store.read("n:k"),
        store.write("n:k", b"x", 1.0),
        store.remove(["n:k"]),
        store.clear("n"),
        store.figures(),
        store.ping(),
    ):
        with pytest.raises(StoreDownError):
            await asking
    await store.aclose()
