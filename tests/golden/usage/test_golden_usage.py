"""What each provider's answers say was used, plain and streamed, and what is read of it.

A case is a file: a head line, an answer as it stands on the wire, a divider, what is read. The
head is `plain HOST/MODEL`, `embedding HOST/MODEL` or `stream HOST/MODEL`. What a caller of the
other dialect has used must be the same. TIERGATE_UPDATE_GOLDEN=1 writes what is read anew.
"""

from __future__ import annotations

import json
import os
from dataclasses import fields
from pathlib import Path

import pytest

from support.attempts import deployment
from tiergate.base.values import AliasName, Dialect, Operation, ServiceTier, Usage
from tiergate.core.catalog import Deployment
from tiergate.ports import Answered, Inbound
from tiergate.providers.codec import ProviderCodec
from tiergate.providers.hosts import split_model
from tiergate.wire.members import Members

FOLDER = Path(__file__).parent / "cases"
DIVIDER = "\n-----\n"
CASES = sorted(path.stem for path in FOLDER.glob("*.txt"))
PLAIN = Usage()


def call(dialect: Dialect, operation: Operation, *, stream: bool) -> Inbound:
    body = {
        "model": "cheap",
        "max_tokens": 9,
        "stream": stream,
        "messages": [{"role": "user", "content": "hi"}],
    }
    return Inbound(
        call_id="call-1",
        received=0.0,
        wall=0.0,
        dialect=dialect,
        operation=operation,
        asked="cheap",
        alias=AliasName("cheap"),
        stream=stream,
        include_usage=False,
        members=Members.read(json.dumps(body).encode()),
    )


def read(kind: str, raw: str, at: Deployment, dialect: Dialect) -> str:
    """What the codec reads of an answer for a caller of a dialect."""
    codec = ProviderCodec(lambda: 0.0, lambda start: f"{start}1")
    operation = Operation.EMBEDDING if kind == "embedding" else Operation.CHAT
    asked = call(dialect, operation, stream=kind == "stream")
    if kind != "stream":
        answer = codec.answer(asked, at, raw.encode())
        assert isinstance(answer, Answered)
        return told(answer.usage)
    reader = codec.stream(asked, at)
    reader.feed(raw.encode() + b"\n\n")
    reader.eof()
    assert reader.ended
    return "\n".join([told(reader.usage), f"metered: {'yes' if reader.metered else 'no'}"])


def told(usage: Usage | None) -> str:
    """A usage in words: what it says, and nothing of what it does not."""
    if usage is None:
        return "no usage"
    lines = ["usage"]
    for each in fields(usage):
        value = getattr(usage, each.name)
        if each.name in ("input", "output") or value != getattr(PLAIN, each.name):
            shown = value.value if isinstance(value, ServiceTier) else value
            lines.append(f"  {each.name}: {shown}")
    return "\n".join(lines)


@pytest.mark.parametrize("case", CASES)
def test_the_usage_is_read_as_recorded_for_callers_of_both_dialects(case: str) -> None:
    path = FOLDER / f"{case}.txt"
    before, _, after = path.read_text("utf-8").partition(DIVIDER)
    head, _, raw = before.partition("\n")
    kind, _, name = head.partition(" ")
    found = split_model(name)
    assert found is not None
    host, model = found
    at = deployment("cheap", "d", provider=host.name, dialect=host.dialect, model=model)
    made = read(kind, raw, at, host.dialect)
    if kind != "embedding":
        (other,) = set(Dialect) - {host.dialect}
        assert read(kind, raw, at, other) == made
    if os.environ.get("TIERGATE_UPDATE_GOLDEN"):
        path.write_text(f"{before}{DIVIDER}{made}\n", "utf-8")
        return
    assert made == after.rstrip("\n")


def test_there_are_cases_of_every_kind() -> None:
    heads = {(FOLDER / f"{case}.txt").read_text("utf-8").split()[0] for case in CASES}
    assert heads == {"plain", "embedding", "stream"}
