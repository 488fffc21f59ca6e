"""Recorded exchanges of an Anthropic client on chat hosts, and what the codec makes of them.

A case is a file: a head line, the raw half, a divider, the other half. The head is
`request PROVIDER/MODEL` (a Messages request becomes a chat request) or `stream` (a chat stream
becomes stream events). TIERGATE_UPDATE_GOLDEN=1 writes the other half anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from tiergate.base.errors import Untranslatable
from tiergate.providers import anthropic
from tiergate.providers.facts import facts_for
from tiergate.providers.hosts import split_model
from tiergate.providers.openai import StreamDecoder, encode_ask
from tiergate.providers.sse import SseSplitter
from tiergate.providers.target import EncodeTarget

FOLDER = Path(__file__).parents[3] / "golden" / "wire" / "messages-to-chat"
DIVIDER = "\n-----\n"
CASES = sorted(path.stem for path in FOLDER.glob("*.txt"))


def _request(model: str, raw: str) -> str:
    found = split_model(model)
    assert found is not None
    host, name = found
    ask = anthropic.decode_ask(msgspec.json.decode(raw))
    target = EncodeTarget(name, facts_for(host.name, name), stream=ask.stream, quirks=host.quirks)
    try:
        encoded = encode_ask(ask, target)
    except Untranslatable as refused:
        return f"untranslatable: {refused.message}"
    lines = [f"dropped: {', '.join(encoded.losses) or '-'}"]
    lines += [f"renamed: {sent} <- {own}" for sent, own in encoded.renames.items()]
    return "\n".join([*lines, msgspec.json.format(encoded.body, indent=2).decode()])


def _stream(raw: str) -> str:
    decoder = StreamDecoder()
    events = [
        event for sse in SseSplitter().feed(raw.encode() + b"\n\n") for event in decoder.feed(sse)
    ]
    events += decoder.eof()
    return "\n".join([*map(repr, events), f"skipped: {decoder.skipped}"])


@pytest.mark.parametrize("case", CASES)
def test_the_exchange_is_translated_as_recorded(case: str) -> None:
    path = FOLDER / f"{case}.txt"
    whole = path.read_text("utf-8")
    before, _, after = whole.partition(DIVIDER)
    head, _, raw = before.partition("\n")
    kind, _, model = head.partition(" ")
    made = _request(model, raw) if kind == "request" else _stream(raw)
    if os.environ.get("TIERGATE_UPDATE_GOLDEN"):
        path.write_text(f"{before}{DIVIDER}{made}\n", "utf-8")
        return
    assert made == after.rstrip("\n")


def test_there_are_cases_of_both_kinds() -> None:
    heads = {(FOLDER / f"{case}.txt").read_text("utf-8").split()[0] for case in CASES}
    assert heads == {"request", "stream"}
