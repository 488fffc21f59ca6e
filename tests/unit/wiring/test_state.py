"""What outlives a worker: opened as configured, said without secrets, inherited when it dies."""

from __future__ import annotations

import asyncio
import logging

import pytest

from support.ledger import MemoryLedger, entry
from tiergate.base.values import Secret
from tiergate.core.ledger import Filter
from tiergate.core.rules import RedisPlan, StoreKind, StorePlan
from tiergate.pipeline.journal_lines import encode, entry_line, first_line
from tiergate.ports import StoreDownError
from tiergate.stores.documents_memory import MemoryDocuments
from tiergate.stores.journal import open_journal
from tiergate.wiring import state as module
from tiergate.wiring.state import JOURNALS, Heirs, State, new_worker, open_state, place_of

HIDDEN = "hidden-word"
NOW = 1_795_000_000.0


def left_behind(folder, name: str, *lines: bytes) -> None:
    """The journal of a worker that is dead."""
    journal = open_journal(folder / JOURNALS, name)
    for line in lines:
        journal.write(line)
    journal.close(drop=False)


def journals(folder) -> list[str]:
    return sorted(path.name for path in (folder / JOURNALS).iterdir())


def state_in(folder, ledger) -> State:
    documents = MemoryDocuments()
    return State("own", documents, documents, ledger, None, folder)


def test_workers_have_names_of_their_own():
    names = {new_worker() for _ in range(200)}
    assert len(names) == 200
    assert all(name.isalnum() and len(name) == 12 for name in names)


# ------------------------------------------------------------------ opening


async def test_without_a_store_everything_is_in_files_that_are_the_owners_alone(tmp_path):
    state = await open_state(StorePlan(), tmp_path / "state")
    try:
        assert state.ledger is not None
        assert state.rates is state.documents
        assert (state.kind, state.directory) == (StoreKind.SQLITE, tmp_path / "state")
        assert journals(tmp_path / "state") == [f"{state.worker}.journal"]
        for path in (tmp_path / "state").rglob("*"):
            assert path.stat().st_mode & 0o077 == 0, path
        assert (tmp_path / "state").stat().st_mode & 0o077 == 0
    finally:
        assert state.journal is not None
        state.journal.close(drop=True)
        await state.aclose()


async def test_what_is_kept_in_memory_leaves_no_file(tmp_path):
    state = await open_state(StorePlan(directory=":memory:"), tmp_path / "state")
    assert (state.ledger, state.journal, state.directory) == (None, None, None)
    assert state.kind is StoreKind.MEMORY
    assert state.shared is None
    assert not (tmp_path / "state").exists()
    await state.recover(lambda: NOW)
    await state.aclose()


async def test_workers_of_one_directory_share_documents_and_ledger(tmp_path):
    one = await open_state(StorePlan(), tmp_path)
    two = await open_state(StorePlan(), tmp_path)
    try:
        assert one.ledger is not None
        assert two.ledger is not None
        assert one.ledger.source == two.ledger.source
        assert one.worker != two.worker
        assert one.shared is one.rates
        await one.documents.update(["a"], lambda _: ({"a": b"1"}, None))
        assert await two.documents.read(["a"]) == {"a": b"1"}
    finally:
        for state in (one, two):
            assert state.journal is not None
            state.journal.close(drop=True)
            await state.aclose()


async def test_a_database_that_cannot_be_reached_is_named_without_its_password(tmp_path):
    url = Secret(f"postgresql://tiergate:{HIDDEN}@127.0.0.1:9/books")
    plan = StorePlan(kind=StoreKind.POSTGRES, database_url=url)
    with pytest.raises(StoreDownError) as caught:
        await open_state(plan, tmp_path)
    assert HIDDEN not in str(caught.value)


@pytest.mark.parametrize("redis", [None, RedisPlan(password=Secret(HIDDEN))])
@pytest.mark.parametrize("kind", StoreKind)
def test_places_are_said_in_words_without_secrets(tmp_path, kind, redis):
    url = Secret(f"postgresql://u:{HIDDEN}@h/d")
    said = place_of(StorePlan(kind=kind, database_url=url, redis=redis), tmp_path)
    assert HIDDEN not in said
    words = {
        StoreKind.MEMORY: "memory of this process",
        StoreKind.SQLITE: "files in",
        StoreKind.REDIS: "Redis",
        StoreKind.POSTGRES: "PostgreSQL",
    }
    assert words[kind] in said
    if kind is StoreKind.POSTGRES:
        assert ("rate limits in Redis" in said) is (redis is not None)


async def test_closing_closes_everything_once():
    class Counting(MemoryDocuments):
        closed = 0

        async def aclose(self) -> None:
            self.closed += 1

    documents, rates, ledger = Counting(), Counting(), MemoryLedger()
    await State("w", documents, rates, ledger).aclose()
    assert (documents.closed, rates.closed, ledger.closed) == (1, 1, True)
    shared = Counting()
    await State("w", shared, shared).aclose()
    assert shared.closed == 1


# ------------------------------------------------------------------ heirs


async def test_a_dead_workers_journal_is_taken_over_and_removed(tmp_path):
    left_behind(tmp_path, "dead", first_line("dead", "s", NOW), entry_line(entry(1)))
    ledger = MemoryLedger()
    await state_in(tmp_path, ledger).recover(lambda: NOW)
    assert ledger.records == [entry(1)]
    assert journals(tmp_path) == []


async def test_the_journals_of_the_living_are_left_alone(tmp_path):
    living = open_journal(tmp_path / JOURNALS, "living")
    living.write(first_line("living", "s", NOW))
    ledger = MemoryLedger()
    await state_in(tmp_path, ledger).recover(lambda: NOW)
    assert journals(tmp_path) == ["living.journal"]
    living.close(drop=True)


async def test_while_a_store_is_away_the_journal_waits(tmp_path, caplog):
    left_behind(tmp_path, "dead", first_line("dead", "s", NOW), entry_line(entry(1)))
    ledger = MemoryLedger(down="asleep")
    state = state_in(tmp_path, ledger)
    with caplog.at_level(logging.WARNING, "tiergate.state"):
        await state.recover(lambda: NOW)
    assert [(r.message, r.why) for r in caplog.records] == [
        ("a dead worker's journal waits", "asleep")
    ]
    ledger.down = ""
    await state.recover(lambda: NOW)
    assert (ledger.records, journals(tmp_path)) == ([entry(1)], [])


@pytest.mark.parametrize(
    "lines",
    [
        (encode(("w", "bad", "s", 99, 1.0)),),
        (first_line("bad", "s", NOW), b"{"),
        (entry_line(entry(9)),),
    ],
)
async def test_a_journal_that_cannot_be_read_is_kept_and_bars_no_other(tmp_path, lines, caplog):
    left_behind(tmp_path, "bad", *lines)
    left_behind(tmp_path, "good", first_line("good", "s", NOW), entry_line(entry(1)))
    ledger = MemoryLedger()
    with caplog.at_level(logging.ERROR, "tiergate.state"):
        await state_in(tmp_path, ledger).recover(lambda: NOW)
    assert ledger.records == [entry(1)]
    assert journals(tmp_path) == ["bad.journal"]
    (said,) = caplog.records
    assert (said.message, said.journal) == (
        "a journal cannot be read; it stays where it is",
        "bad",
    )


async def test_heirs_look_again_and_again(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    ledger = MemoryLedger()
    heirs = Heirs(state_in(tmp_path, ledger), lambda: NOW)
    heirs.start()
    heirs.start()
    try:
        for number in (1, 2):
            left_behind(
                tmp_path, f"dead{number}", first_line("d", "s", NOW), entry_line(entry(number))
            )
            async with asyncio.timeout(10):
                while len(ledger.records) < number:
                    await asyncio.sleep(0.01)
    finally:
        await heirs.aclose()
        await heirs.aclose()
    assert ledger.records == [entry(1), entry(2)]


async def test_without_a_directory_nobody_looks():
    heirs = Heirs(State.in_memory(), lambda: NOW)
    heirs.start()
    await heirs.aclose()
    assert (await State.in_memory().recover(lambda: NOW)) is None


async def test_a_ledger_file_has_what_a_dead_worker_noted(tmp_path):
    left_behind(tmp_path, "dead", first_line("dead", "s", NOW), entry_line(entry(1)))
    state = await open_state(StorePlan(), tmp_path)
    try:
        await state.recover(lambda: NOW)
        assert state.ledger is not None
        found, _ = await state.ledger.entries(Filter(), limit=5)
        assert found == [entry(1)]
    finally:
        assert state.journal is not None
        state.journal.close(drop=True)
        await state.aclose()
