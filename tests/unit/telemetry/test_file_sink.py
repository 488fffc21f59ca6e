"""Records become lines of a file that is changed in time, whoever else writes to it."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.records import SERVED
from support.told import told
from tiergate.core.sink_plan import FilePlace
from tiergate.telemetry.file_sink import FileSender
from tiergate.telemetry.outbox import NotTakenError
from tiergate.telemetry.posting import Writer


def clock() -> float:
    return asyncio.get_running_loop().time()


def sender(usual: Path, **place: object) -> FileSender:
    return FileSender(FilePlace(**place), usual, Writer(None, nameless=False), clock)


def ids(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text().splitlines()]


async def test_each_record_is_a_line(tmp_path: Path):
    path = tmp_path / "sub" / "calls.jsonl"
    send = sender(path)
    await send([SERVED, told(call_id="call-2")])
    await send([told(call_id="call-3")])

    assert ids(path) == ["call-1", "call-2", "call-3"]
    assert path.stat().st_mode & 0o077 == 0, "nobody else may read it"


async def test_a_place_of_its_own_comes_first(tmp_path: Path):
    own = tmp_path / "own.jsonl"
    await sender(tmp_path / "usual.jsonl", path=str(own))([SERVED])
    assert ids(own) == ["call-1"]


async def test_a_full_file_is_moved_away_and_the_oldest_goes(tmp_path: Path):
    path = tmp_path / "calls.jsonl"
    send = sender(path, most_bytes=1024, keep=2)
    for number in range(5):
        await send([told(call_id=f"call-{number}")])

    assert ids(path) == ["call-4"]
    assert ids(tmp_path / "calls.jsonl.1") == ["call-3"]
    assert ids(tmp_path / "calls.jsonl.2") == ["call-2"]
    assert not (tmp_path / "calls.jsonl.3").exists()


async def test_without_old_files_a_full_one_begins_anew(tmp_path: Path):
    path = tmp_path / "calls.jsonl"
    send = sender(path, most_bytes=1024, keep=0)
    for number in range(3):
        await send([told(call_id=f"call-{number}")])
    assert ids(path) == ["call-2"]
    assert [each.name for each in tmp_path.iterdir()] == ["calls.jsonl"]


def test_several_workers_lose_no_line_while_files_change(tmp_path: Path):
    path = tmp_path / "calls.jsonl"

    def work(worker: int) -> None:
        async def run() -> None:
            send = sender(path, most_bytes=20_000, keep=100)
            for number in range(30):
                await send([told(call_id=f"{worker}-{number}")])

        asyncio.run(run())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    found = [name for file in tmp_path.iterdir() for name in ids(file)]
    assert sorted(found) == sorted(f"{w}-{n}" for w in range(4) for n in range(30))
    assert len(list(tmp_path.iterdir())) > 3


async def test_a_place_that_cannot_be_written_is_tried_again(tmp_path: Path):
    blocked = tmp_path / "a-file"
    blocked.write_text("")
    with pytest.raises(NotTakenError, match="a-file") as caught:
        await sender(blocked / "calls.jsonl")([SERVED])
    assert caught.value.again
