"""Plays of the engine: real core, codec, accounts and relay; scripted upstreams in memory.

A play has two aliases or more, each served by one deployment of either dialect. The upstream's
part is a script: one `Turn` for each call, in order. Every await on the way (sending, reading,
waiting, writing to the caller) passes a `Checkpoint`, which counts, and can strike: so a test can
end a request at each of them in turn.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

import pytest

from support import anthropic_wire, openai_wire
from support.attempts import deployment
from support.jumping import play
from support.money import Accounts
from tiergate.base.errors import Failure
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import (
    DeploymentId,
    Dialect,
    NanoUsd,
    Operation,
    Position,
    Secret,
    Usage,
)
from tiergate.core.catalog import (
    BudgetRule,
    Catalog,
    Deployment,
    RouterPolicy,
    ScopeKind,
    Settings,
)
from tiergate.core.cost import Price, Rates
from tiergate.core.load import Load
from tiergate.core.plan import Wish
from tiergate.core.record import CallRecord
from tiergate.core.routing import Routes, View
from tiergate.pipeline.attempt import Attempts, Open, Plain
from tiergate.pipeline.cooldowns import Cooldowns
from tiergate.pipeline.engine import Engine
from tiergate.pipeline.parts import GaveUp, Parts
from tiergate.pipeline.relay import relay
from tiergate.ports import Exchange, Fault, Inbound, TransportError
from tiergate.providers.codec import ProviderCodec
from tiergate.web.aliases import RequestRules
from tiergate.web.requests import Arrival, read_request

WALL = 1_790_000_000.0

PRICE = Price(Rates.of(1_000_000_000, 5_000_000_000))
"""1 USD a million tokens in, 5 USD out: 1000 and 5000 nano-USD a token."""


@dataclass(frozen=True, slots=True)
class Pause:
    """The upstream says nothing for some seconds."""

    seconds: float


class Hang:
    """The upstream says nothing any more."""


Piece: TypeAlias = bytes | Pause | Fault | Hang


@dataclass(frozen=True, slots=True)
class Turn:
    """What the upstream does with one call; `before` comes before the head."""

    pieces: tuple[Piece, ...] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    before: tuple[Piece, ...] = ()


class Checkpoint:
    """Counts the awaits of a request, and strikes at one of them.

    Args:
        strike: What is done at the await of number `at`, counted from 1.
    """

    def __init__(self, at: int | None = None, strike: Callable[[], None] | None = None) -> None:
        self.count = 0
        self._at = at
        self._strike = strike

    async def passed(self) -> None:
        """Suspend once; where it strikes, long enough for the strike to arrive."""
        self.count += 1
        if self.count == self._at and self._strike is not None:
            self._strike()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        await asyncio.sleep(0)


class MemoryExchange:
    """An `Exchange` that reads from a script."""

    def __init__(self, turn: Turn, point: Checkpoint) -> None:
        self.status = turn.status
        self.headers = [(k.encode(), v.encode()) for k, v in turn.headers.items()]
        self._pieces = list(turn.pieces)
        self._point = point
        self._waiter: asyncio.Future[None] | None = None
        self.finished = False
        self.closed = False

    @property
    def over(self) -> bool:
        """Whether its connection is free again: read to the end, or closed."""
        return self.finished or self.closed

    def header(self, name: bytes) -> bytes | None:
        """Return the first value of a header."""
        return next((value for key, value in self.headers if key == name), None)

    async def read(self, limit: int) -> bytes:
        """Return the rest of the body."""
        out = b""
        while piece := await self.next():
            out += piece
            if len(out) > limit:
                self.close()
                raise TransportError(Fault.TOO_LARGE, "too large")
        return out

    async def next(self) -> bytes:
        """Return the next piece of the script."""
        await self._point.passed()
        while True:
            if self.closed:
                raise TransportError(Fault.CLOSED_EARLY, "closed here")
            piece = self._pieces.pop(0) if self._pieces else b""
            if piece == b"":
                self.finished = True
            if isinstance(piece, bytes):
                return piece
            await self._wait(piece)

    def release(self) -> None:
        """Let the body end by itself; here that is at once."""
        self.close()

    def close(self) -> None:
        """Close; whoever waits is told."""
        if not self.finished:
            self.closed = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self, piece: Pause | Fault | Hang) -> None:
        if isinstance(piece, Fault):
            self.closed = True
            raise TransportError(piece, "scripted fault")
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = None
        if isinstance(piece, Pause):
            timer = loop.call_later(piece.seconds, self._wake)
        try:
            await self._waiter
        finally:
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class MemoryUpstreams:
    """Implements `ports.Upstreams` with a script; keeps what was sent and every exchange."""

    def __init__(self, turns: Iterable[Turn], point: Checkpoint) -> None:
        self.turns = list(turns)
        self.point = point
        self.sent: list[tuple[str, bytes]] = []
        self.exchanges: list[MemoryExchange] = []

    @property
    def called(self) -> list[str]:
        """The deployments called, in order."""
        return [name for name, _ in self.sent]

    async def send(self, deployment: Deployment, head: bytes, body: bytes) -> Exchange:
        """Write a request and wait for the head."""
        del head
        await self.point.passed()
        self.sent.append((deployment.id, body))
        assert self.turns, f"nothing in the script for {deployment.id}"
        turn = self.turns.pop(0)
        exchange = MemoryExchange(turn, self.point)
        for piece in turn.before:
            if isinstance(piece, Pause):
                await asyncio.sleep(piece.seconds)
            elif isinstance(piece, Fault):
                raise TransportError(piece, "scripted fault")
            else:
                await asyncio.Event().wait()
        self.exchanges.append(exchange)
        return exchange


class Witness:
    """Implements `ports.Observer` by writing down."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.records: list[CallRecord] = []
        self.failures: list[tuple[str, Failure]] = []
        self.cooldowns: list[tuple[str, float]] = []
        self.refusals: list[int] = []
        self.declines: list[CallRecord] = []

    def began(self) -> None:
        """Count one more."""
        self.in_flight += 1

    def ended(self, record: CallRecord) -> None:
        """Keep the record."""
        self.in_flight -= 1
        self.records.append(record)

    def declined(self, record: CallRecord) -> None:
        """Keep the record."""
        self.declines.append(record)

    def alerted(self, alert) -> None:
        """No budget's marks are watched here."""
        raise AssertionError(alert)

    def refused(self, dialect: Dialect, operation: Operation, status: int, wall: float) -> None:
        """Keep the status."""
        del dialect, operation, wall
        self.refusals.append(status)

    def attempt_failed(self, deployment: Deployment, failure: Failure) -> None:
        """Keep the failure."""
        self.failures.append((deployment.id, failure))

    def cooled(self, deployment: Deployment, failure: Failure, seconds: float) -> None:
        """Keep the cooldown."""
        del failure
        self.cooldowns.append((deployment.id, seconds))


def served_by(alias: str, name: str, dialect: Dialect = Dialect.ANTHROPIC, **more: object):
    """A deployment of a dialect, with a key that must never be seen."""
    provider = "anthropic" if dialect is Dialect.ANTHROPIC else "openai"
    return deployment(
        alias,
        name,
        provider=provider,
        dialect=dialect,
        api_key=Secret(f"sk-secret-of-{name}-0123456789"),
        default_max_tokens=1000,
        **more,
    )


def budget(limit_nano: int, scope: ScopeKind = ScopeKind.GATEWAY, name: str = "gateway"):
    """A budget without an end."""
    return BudgetRule(
        scope=scope,
        name=name,
        limit=NanoUsd(limit_nano),
        window="none",
        period="none",
        source=Position("c.yaml", 1),
    )


RICH = budget(10**15)
"""A million USD: never used up, but every call is held for."""


class Stage:
    """An engine and all that it is made of, for one configuration.

    It must be made inside the running loop.
    """

    def __init__(
        self,
        deployments: Sequence[Deployment],
        turns: Iterable[Turn] = (),
        *,
        policy: RouterPolicy | None = None,
        budgets: Sequence[BudgetRule] = (RICH,),
        point: Checkpoint | None = None,
        settings: Settings | None = None,
        dice: Callable[[], float] = lambda: 0.5,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.clock = loop.time
        self.point = point if point is not None else Checkpoint()
        self.settings = settings or Settings(
            deployments=tuple(deployments),
            router=policy or RouterPolicy(),
            budgets=tuple(budgets),
            environment_names=frozenset(e for d in deployments for e in d.environments),
        )
        self.catalog = Catalog.of(self.settings)
        self.routes = Routes(self.settings.router, self.catalog)
        self.rules = RequestRules.of(
            self.catalog, self.settings.router, self.settings.environment_names
        )
        self.accounts = Accounts(lambda inbound, rates: 100, lambda: WALL)
        self.spend = self.accounts.spend
        self.spend.configure(self.settings, {d.id: PRICE for d in self.settings.deployments})
        self.cooldowns = Cooldowns(None, self.clock, lambda: WALL, self._cooled)
        self.load = Load()
        self.witness = Witness()
        self.upstreams = MemoryUpstreams(turns, self.point)
        ids = iter(range(1, 10**6))
        self.codec = ProviderCodec(lambda: WALL, lambda start: f"{start}{next(ids)}")
        self.view = View(
            marks=self.cooldowns.marks,
            load=self.load,
            price=self.spend.price_view,
            over=self.spend.over,
        )
        self.engine = Engine(
            Parts(
                routes=self.routes,
                attempts=Attempts(self.codec, self.upstreams, self.clock, lambda: WALL),
                accounts=self.spend,
                cooldowns=self.cooldowns,
                load=self.load,
                view=self.view,
                observer=self.witness,
                clock=self.clock,
                dice=dice,
                sleep=self._sleep,
            )
        )

    def _cooled(self, deployment: DeploymentId, failure: Failure, seconds: float) -> None:
        found = next(each for each in self.settings.deployments if each.id == deployment)
        self.witness.cooled(found, failure, seconds)

    async def _sleep(self, seconds: float) -> None:
        await self.point.passed()
        await asyncio.sleep(seconds)

    def read(
        self,
        body: JsonObject,
        dialect: Dialect = Dialect.ANTHROPIC,
        operation: Operation = Operation.CHAT,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[Inbound, Wish]:
        """Read a request as the web layer does."""
        arrival = Arrival(dialect, operation, headers or {}, "", "call-1", self.clock(), WALL)
        return read_request(json.dumps(body).encode(), arrival, self.rules)

    async def ask(
        self,
        body: JsonObject,
        dialect: Dialect = Dialect.ANTHROPIC,
        operation: Operation = Operation.CHAT,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """Run a request to its end, as the web layer does; returns what the caller gets.

        Raises:
            GaveUp: Nothing could serve it.
        """
        inbound, wish = self.read(body, dialect, operation, headers)
        self.served = served = await self.engine.run(inbound, wish)
        if isinstance(served.outcome, Plain):
            self.cost = self.engine.finished(served, served.outcome.answer.usage, None)
            return served.outcome.answer.body
        return await self._stream(served.outcome)

    async def _stream(self, opened: Open) -> bytes:
        out: list[bytes] = []
        complete = False
        failure: Failure | None = None
        try:
            failure = await relay(opened, self._writer(out), self.served.limits.silence)
            complete = True
        finally:
            if not complete:
                opened.exchange.close()
            usage: Usage | None = opened.reader.usage
            self.cost = self.engine.finished(self.served, usage, failure, left=not complete)
        return b"".join(out)

    def _writer(self, out: list[bytes]) -> Callable[[bytes], Awaitable[None]]:
        async def write(data: bytes) -> None:
            await self.point.passed()
            out.append(data)

        return write

    def check_nothing_is_left(self) -> None:
        """Every hold ended, nothing in flight, every connection free or closed."""
        assert self.accounts.leasing.slices.open_holds == 0
        assert self.accounts.pace.slices.open_holds == 0
        for row in self.accounts.rows():
            assert row.held == 0
        assert self.witness.in_flight == 0
        for one in self.settings.deployments:
            assert self.load.in_flight(DeploymentId(one.id)) == 0
        for exchange in self.upstreams.exchanges:
            assert exchange.over, "an exchange was left open"

    @property
    def spent(self) -> int:
        """nano-USD settled in the first budget."""
        return self.accounts.rows()[0].spent


# ------------------------------------------------------------------ turns in the words of plays


def json_turn(body: JsonObject, status: int = 200, **headers: str) -> Turn:
    """A plain answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Turn((json.dumps(body).encode(),), status, named)


def plain(dialect: Dialect = Dialect.ANTHROPIC, text: str = "hello", **more: str) -> Turn:
    """A plain answer: 10 tokens in, 5 out. `stop` sets the stop reason."""
    if dialect is Dialect.ANTHROPIC:
        return json_turn(anthropic_wire.message(text, stop_reason=more.get("stop", "end_turn")))
    return json_turn(openai_wire.completion(text, finish_reason=more.get("stop", "stop")))


def stream(dialect: Dialect = Dialect.ANTHROPIC, text: str = "hello") -> Turn:
    """A whole stream, one event a piece."""
    wire = anthropic_wire if dialect is Dialect.ANTHROPIC else openai_wire
    return Turn(tuple(wire.text_events(text)))


def error(status: int, text: str = "down", kind: str = "api_error", **headers: str) -> Turn:
    """An error answer in Anthropic's shape."""
    return json_turn(anthropic_wire.error_body(kind, text), status, **headers)


def overflow() -> Turn:
    """The prompt is too long."""
    return error(
        400, "prompt is too long: 210000 tokens > 200000 maximum", "invalid_request_error"
    )


def refused_by_network(fault: Fault = Fault.CONNECT) -> Turn:
    """No answer at all."""
    return Turn(before=(fault,))


def hangs() -> Turn:
    """No answer, ever."""
    return Turn(before=(Hang(),))


CHAT: JsonObject = {
    "model": "cheap",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "hi"}],
}
STREAM: JsonObject = {**CHAT, "stream": True}


START = anthropic_wire.message_start()
HELLO = (
    START,
    anthropic_wire.block_start(0, anthropic_wire.text_block("")),
    anthropic_wire.text_delta(0, "hel"),
)
"""How a Messages stream begins: its head and the first word."""


def policy(**more) -> RouterPolicy:
    """A policy without retries."""
    return RouterPolicy(num_retries=0, **more)


def on(
    deployments: Sequence[Deployment],
    turns: Sequence[Turn],
    work: Callable[[Stage], Coroutine[object, object, None]],
    **more,
) -> None:
    """Set the stage, play, and see that nothing is left over."""

    async def whole() -> None:
        stage = Stage(deployments, turns, **more)
        await work(stage)
        stage.check_nothing_is_left()
        assert stage.upstreams.turns == [], "not every turn was taken"

    play(whole())


async def give_up(stage: Stage, body: JsonObject = CHAT, **more) -> GaveUp:
    """Ask what nothing can serve."""
    with pytest.raises(GaveUp) as caught:
        await stage.ask(body, **more)
    return caught.value
