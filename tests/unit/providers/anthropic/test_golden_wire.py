"""Golden exchanges: an OpenAI chat client on the Messages API, as bytes on both sides.

A case is a file: what comes in (`# request` of the client, then `# answer` or `# stream` of the
provider), a line of dashes, and what goes out. `TIERGATE_UPDATE_GOLDEN=1` writes the second half
anew; read the difference before you keep it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec
import pytest

from tiergate.base.errors import Failure, Untranslatable
from tiergate.providers import anthropic, openai
from tiergate.providers.facts import facts_for
from tiergate.providers.sse import SseSplitter
from tiergate.providers.target import EncodeTarget

CASES = Path(__file__).parents[3] / "golden" / "wire" / "chat-to-messages"
DIVIDER = "-----\n"
CREATED = 1_700_000_000


def sections(text: str) -> dict[str, str]:
    """Split `# title` sections."""
    found: dict[str, str] = {}
    title = ""
    for line in text.splitlines(keepends=True):
        if line.startswith("# "):
            title = line[2:].strip()
            found[title] = ""
        elif title:
            found[title] += line
    return found


def pretty(raw: bytes) -> str:
    return f"{msgspec.json.format(raw, indent=2).decode()}\n"


def play(given: dict[str, str]) -> str:
    """Return the second half of a case."""
    request = json.loads(given["request"])
    upstream = request.pop("x-upstream-model", "claude-sonnet-4-5")
    ask = openai.decode_ask(request)
    target = EncodeTarget(
        model=upstream, facts=facts_for("anthropic", upstream), stream=ask.stream
    )
    try:
        encoded = anthropic.encode_ask(ask, target)
    except Untranslatable as exc:
        return f"# refused\n{exc.message}\n"
    out = [f"# request to the provider\n{pretty(encoded.body)}"]
    if encoded.losses:
        out.append(f"# losses\n{', '.join(encoded.losses)}\n")
    if "answer" in given:
        answer = anthropic.decode_answer(json.loads(given["answer"]))
        raw = openai.encode_answer(answer, model=request["model"], created=CREATED)
        out.append(f"# answer to the client\n{pretty(raw)}")
    if "stream" in given:
        streamed = stream(given["stream"], request["model"], usage=ask.include_usage)
        out.append(f"# stream to the client\n{streamed}")
    return "".join(out)


def stream(raw: str, model: str, *, usage: bool) -> str:
    decoder = anthropic.StreamDecoder()
    encoder = openai.StreamEncoder(
        model=model, include_usage=usage, id="chatcmpl-1", created=CREATED
    )
    events = [
        event for sse in SseSplitter().feed(raw.encode()) for event in decoder.feed(sse)
    ] + decoder.eof()
    failures = [event.failure for event in events if hasattr(event, "failure")]
    written = b"".join(encoder.feed(e) for e in events if not hasattr(e, "failure"))
    for failure in failures:
        assert isinstance(failure, Failure)
        written += encoder.error(failure)
    return written.decode()


@pytest.mark.parametrize("case", sorted(path.stem for path in CASES.glob("*.txt")))
def test_an_exchange_is_what_its_case_says(case):
    path = CASES / f"{case}.txt"
    first, _, second = path.read_text(encoding="utf-8").partition(DIVIDER)

    made = play(sections(first))

    if os.environ.get("TIERGATE_UPDATE_GOLDEN") == "1":
        path.write_text(f"{first}{DIVIDER}{made}", encoding="utf-8")
        second = made
    assert made == second


def test_there_are_cases():
    assert len(list(CASES.glob("*.txt"))) >= 12
