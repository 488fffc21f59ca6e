"""The stops of the tour: each makes real calls to the gateway and says what they showed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import click
import msgspec

from tiergate.base.jsontypes import JsonObject
from tiergate.mock import Fail, MockServer, Overflow, Reply, Rule
from tiergate.transport import Target, Transport
from tiergate.wire.members import decode

_MOST = 1 << 20
HAIKU = "claude-haiku-4-5*"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gateway answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> JsonObject:
        """Decode the body."""
        decoded = decode(self.body)
        return decoded if isinstance(decoded, dict) else {}

    @property
    def why(self) -> str:
        """The compact trail of decisions."""
        return self.headers.get("x-tiergate-why", "")


class TourError(Exception):
    """A stop did not show what it promises: the demo must not pretend."""


class Tour:
    """The gateway to talk to, and the providers' script."""

    def __init__(self, mock: MockServer, host: str, port: int) -> None:
        self.mock = mock
        self._target = Target("http", host, port)
        self._transport = Transport(environ={}, clock=asyncio.get_running_loop().time)

    async def post(self, path: str, body: JsonObject) -> Answer:
        """Make a call with a JSON body."""
        data = msgspec.json.encode(body)
        head = (
            f"POST {path} HTTP/1.1\r\nhost: {self._target.authority}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
        )
        exchange = await self._transport.send(self._target, head.encode(), data)
        read = await exchange.read(_MOST)
        headers = {n.decode("latin-1"): v.decode("latin-1") for n, v in exchange.headers}
        return Answer(exchange.status, headers, read)

    async def chat(self, model: str, text: str, *, tags: Sequence[str] = ()) -> Answer:
        """Make a chat call in OpenAI's protocol."""
        message: JsonObject = {"role": "user", "content": text}
        body: JsonObject = {"model": model, "messages": [message]}
        if tags:
            body["metadata"] = {"tags": [*tags]}
        return await self.post("/v1/chat/completions", body)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()


async def take(tour: Tour) -> int:
    """Walk through all stops.

    Returns:
        Exit status: 0 if every stop showed what it promises.
    """
    stops: tuple[tuple[str, Callable[[Tour], Awaitable[str]]], ...] = (
        ("An answer: an OpenAI client, served by Anthropic", _answer),
        ("The other protocol, streamed: an Anthropic client", _stream),
        ("A provider fails: the next tier answers", _fallback),
        ("Too long for the model: the request moves up", _overflow),
        ("A tag that the tier does not serve: refused, with the reason", _tag),
        ("It keeps failing: the deployment is set aside", _cooldown),
    )
    failed = 0
    try:
        for number, (title, stop) in enumerate(stops, 1):
            click.secho(f"\n  {number}. {title}", bold=True)
            try:
                click.echo(await stop(tour))
            except TourError as exc:
                failed = 1
                click.secho(f"     This did not work: {exc}", fg="red")
    finally:
        await tour.aclose()
    click.echo(
        "\n  docs/explanation/attempts.md tells the rules; `tiergate explain` applies them."
    )
    return failed


def _told(answer: Answer, *lines: str) -> str:
    """Indent the lines of a stop, the trail last."""
    shown = [*lines, f"served:  {answer.headers.get('x-tiergate-served', 'nobody')}"]
    if answer.why:
        shown.append(f"why:     {answer.why}")
    return "\n".join(f"     {line}" for line in shown)


def _expect(condition: object, what: str, answer: Answer) -> None:
    if not condition:
        raise TourError(f"expected {what}, got {answer.status} {answer.body[:300]!r}")


def _text(answer: Answer) -> str:
    """Return the text of a chat completion."""
    choices = answer.json().get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, str) else ""


async def _answer(tour: Tour) -> str:
    answer = await tour.chat("cheap", "Which tier am I?")
    _expect(answer.status == 200 and _text(answer), "an answer", answer)
    cost = answer.headers.get("x-litellm-response-cost", "unknown")
    return _told(
        answer,
        "POST /v1/chat/completions, model cheap",
        f"answer:  {_text(answer)}",
        f"model:   {answer.json().get('model')} (the alias asked; headers tell the truth)",
        f"cost:    {cost} USD",
    )


async def _stream(tour: Tour) -> str:
    message: JsonObject = {"role": "user", "content": "Count to three."}
    answer = await tour.post(
        "/v1/messages",
        {"model": "balanced", "max_tokens": 64, "stream": True, "messages": [message]},
    )
    events = answer.body.count(b"event: ")
    _expect(b"message_stop" in answer.body, "a complete stream", answer)
    return _told(
        answer,
        "POST /v1/messages, model balanced, stream",
        f"{events} events, from message_start to message_stop, passed on as they came",
    )


async def _fallback(tour: Tour) -> str:
    down = Fail(status=503, message="scripted outage")
    tour.mock.use([Rule((down, down, down, Reply()), model=HAIKU)])
    answer = await tour.chat("cheap", "Are you there?")
    tour.mock.use([])
    group = answer.headers.get("x-litellm-model-group")
    _expect(answer.status == 200 and group == "balanced", "an answer by balanced", answer)
    return _told(
        answer,
        "claude-haiku-4-5 answers 503; num_retries: 2 means three calls, then `fallbacks` acts",
        f"answer:  {_text(answer)}",
    )


async def _overflow(tour: Tour) -> str:
    tour.mock.use([Rule((Overflow(),), model=HAIKU)])
    answer = await tour.chat("cheap", "A very long story ...")
    tour.mock.use([])
    group = answer.headers.get("x-litellm-model-group")
    _expect(answer.status == 200 and group == "balanced", "an answer by balanced", answer)
    return _told(
        answer,
        "claude-haiku-4-5 says that the prompt is too long; no retry, `context_window_fallbacks`",
        f"answer:  {_text(answer)}",
    )


async def _tag(tour: Tour) -> str:
    answer = await tour.chat("cheap", "Shut the valve!", tags=["critical"])
    error = answer.json().get("error")
    _expect(answer.status == 400 and isinstance(error, dict), "a refusal", answer)
    message = error.get("message") if isinstance(error, dict) else ""
    return _told(
        answer,
        "model cheap, tag critical; cheap serves interactive and offline work only",
        f"400:     {message}",
    )


async def _cooldown(tour: Tour) -> str:
    tour.mock.use([Rule((Fail(status=500, message="scripted outage"),), model=HAIKU)])
    for _ in range(2):
        await tour.chat("cheap", "Again?")
    tour.mock.forget_calls()
    answer = await tour.chat("cheap", "And now?")
    models = [str(call.model) for call in tour.mock.calls]
    tour.mock.use([])
    asked = any("haiku" in model for model in models)
    _expect(answer.status == 200 and not asked, "an answer without a call to haiku", answer)
    return _told(
        answer,
        "allowed_fails: 3 means that the fourth failure within a minute starts cooldown_time: 60;",
        "from then on the failing model is not even asked, and nobody waits for it",
        f"answer:  {_text(answer)}",
    )
