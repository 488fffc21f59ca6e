"""A packed answer is the same answer, and anything else is none."""

from __future__ import annotations

import asyncio
import random
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.cached import stored
from tiergate.base.values import DeploymentId, NanoUsd, ServiceTier, Usage
from tiergate.ports import Form
from tiergate.stores.answer_packing import (
    HEAVY,
    LARGE,
    VERSION,
    as_text,
    of_text,
    pack,
    pack_aside,
    unpack,
    unpack_aside,
)


class Reverse:
    """A seal that anybody can break: the bytes backwards, with the name in front."""

    def close(self, data: bytes, name: bytes) -> bytes:
        return name + data[::-1]

    def open(self, data: bytes, name: bytes) -> bytes | None:
        return data[len(name) :][::-1] if data.startswith(name) else None


RICH = stored(
    b"data: {}\n\n",
    form=Form.METERED,
    deployment=DeploymentId("dep-ü"),
    usage=Usage(
        input=1,
        output=2,
        cache_read=0,
        reasoning=1,
        tier=ServiceTier.FLEX,
        searches=3,
        billed=NanoUsd(5),
    ),
    losses=("seed",),
)


@pytest.mark.parametrize("answer", [stored(), RICH, stored(usage=None)])
def test_every_field_survives(answer):
    assert unpack("k", pack("k", answer)) == answer


@given(st.binary(max_size=2 * LARGE))
def test_every_body_survives(body):
    answer = stored(body)
    assert unpack("k", pack("k", answer)) == answer


@pytest.mark.parametrize("size", [10, HEAVY - 1, HEAVY, 3 * HEAVY])
async def test_packing_aside_gives_the_same(size):
    answer = stored(random.Random(1).randbytes(size))
    packed = await pack_aside("k", answer, Reverse())
    assert packed == pack("k", answer, Reverse())
    assert await unpack_aside("k", packed, Reverse()) == answer
    assert await unpack_aside("other", packed, Reverse()) is None


async def test_a_heavy_answer_lets_others_go_on_meanwhile():
    answer = stored(random.Random(1).randbytes(4 * 1024 * 1024))
    packing = asyncio.ensure_future(pack_aside("k", answer))
    turns = 0
    while not packing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10


def test_a_large_answer_is_made_small():
    answer = stored(b"data: {}\n\n" * 2000)
    packed = pack("k", answer)
    assert len(packed) < len(answer.body) / 10
    assert unpack("k", packed) == answer


def test_a_sealed_answer_opens_under_its_own_key_only():
    packed = pack("k", RICH, Reverse())
    assert unpack("k", packed, Reverse()) == RICH
    assert unpack("other", packed, Reverse()) is None
    assert unpack("k", packed) is None


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"TGA0" + pack("k", RICH)[4:],
        VERSION,
        VERSION + b"\x00",
        VERSION + b"\x01no zlib",
        VERSION + b"\x01" + zlib.compress(b"\xc1"),
        VERSION + b"\x01" + zlib.compress(b"x" * 9999)[:-8],
        VERSION + b"\x00" + msgspec.msgpack.encode({"form": "plain"}),
        pack("k", RICH)[:-1],
    ],
)
def test_what_is_damaged_is_no_answer(packed):
    assert unpack("k", packed) is None


def test_what_unpacks_to_more_than_memory_bears_is_no_answer(monkeypatch):
    monkeypatch.setattr("tiergate.stores.answer_packing.MOST_UNPACKED", 10_000)
    assert unpack("k", pack("k", stored(b"x" * 20_000))) is None


def test_packed_bytes_can_be_kept_as_text_and_other_text_is_no_answer():
    packed = bytes(range(256))
    assert of_text(as_text(packed)) == packed
    assert of_text("no such thing!") is None
