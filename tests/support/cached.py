"""Plays of the response cache: an engine of `support.engine` with the cache in front of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from support.engine import PRICE, WALL, Stage, Turn
from tiergate.base.errors import Failure
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import DeploymentId, Dialect, Operation, Usage
from tiergate.core.caching import CachePolicy
from tiergate.core.catalog import Deployment
from tiergate.core.cost import cost
from tiergate.pipeline.attempt import Plain
from tiergate.pipeline.cache_key import CacheKeys
from tiergate.pipeline.lookup import CachedEngine, CacheParts
from tiergate.pipeline.meaning import ByMeaning
from tiergate.pipeline.relay import relay
from tiergate.pipeline.served import Served
from tiergate.pipeline.unpaid import Unpaid
from tiergate.ports import AnswerStore, Form, Inbound, StoredAnswer
from tiergate.providers.forms import AnswerForms
from tiergate.stores.answers_memory import MemoryAnswers
from tiergate.web.caching import controls_of

CHAT: JsonObject = {
    "model": "cheap",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "hi"}],
}
STREAM: JsonObject = {**CHAT, "stream": True}


def stored(body: bytes = b'{"a":1}', **values: object) -> StoredAnswer:
    """A stored answer; further fields by name."""
    plain = {
        "form": Form.PLAIN,
        "body": body,
        "deployment": DeploymentId("a"),
        "usage": Usage(input=10, output=5),
        "created": WALL,
        "expires": WALL + 60,
    }
    return StoredAnswer(**{**plain, **values})  # pyright: ignore[reportArgumentType]


@dataclass
class Got:
    """What a caller got: the bytes, and what the gateway knows of them."""

    body: bytes = b""
    served: Served | None = None
    cost: int | None = None
    marks: Mapping[str, str] = field(default_factory=dict)

    @property
    def hit(self) -> bool:
        """Whether the cache served it."""
        return self.marks.get("x-tiergate-cache") == "response"


class Watch:
    """Implements `ports.LookupWatch` by writing down."""

    def __init__(self) -> None:
        self.results: list[str] = []

    def looked_up(self, inbound: Inbound, result: str) -> None:
        """Keep the result."""
        del inbound
        self.results.append(result)


class CacheStage(Stage):
    """An engine with the response cache in front; `now` is its Unix time."""

    def __init__(
        self,
        deployments: Sequence[Deployment],
        turns: Iterable[Turn] = (),
        *,
        cache: CachePolicy | None = None,
        store: AnswerStore | None = None,
        meaning: Callable[[CacheStage, CacheKeys], ByMeaning] | None = None,
        **more: object,
    ) -> None:
        super().__init__(deployments, turns, **more)  # pyright: ignore[reportArgumentType]
        self.now = WALL
        self.watch = Watch()
        policy = cache or CachePolicy()
        self.store = store or MemoryAnswers(1_000_000, lambda: self.now)
        self.cached = CachedEngine(
            self.engine,
            CacheParts(
                policy=policy,
                keys=(keys := CacheKeys(policy, self.settings)),
                store=self.store,
                forms=AnswerForms(lambda: self.now),
                unpaid=Unpaid(
                    self.spend,
                    self.witness,
                    self.watch,
                    lambda deployment, usage: cost(usage, PRICE),
                    self.clock,
                ),
                deployments=self.catalog.by_id,
                watch=self.watch,
                wall=lambda: self.now,
                meaning=None if meaning is None else meaning(self, keys),
            ),
        )

    def question(
        self,
        body: JsonObject,
        dialect: Dialect = Dialect.ANTHROPIC,
        headers: Mapping[str, str] | None = None,
        operation: Operation = Operation.CHAT,
        change: Callable[[Inbound], None] | None = None,
    ):
        """Read a request as the web layer does, what it says of the cache included."""
        inbound, wish = self.read(body, dialect, operation, headers)
        inbound.cache = controls_of(inbound, headers or {})
        if change is not None:
            change(inbound)
        return inbound, wish

    async def get(
        self, body: JsonObject, *more: object, into: list[bytes] | None = None, **named: object
    ) -> Got:
        """Run a request to its end, as the web layer does.

        Args:
            body: The request.
            more: As in `question`.
            into: Gets the pieces of a stream as they come.
            named: As in `question`.
        """
        inbound, wish = self.question(body, *more, **named)  # pyright: ignore[reportArgumentType]
        engine = self.cached
        served = await engine.run(inbound, wish)
        got = Got(served=served, marks=dict(served.marks))
        outcome = served.outcome
        if isinstance(outcome, Plain):
            got.body = outcome.answer.body
            got.cost = engine.finished(served, outcome.usage, None)
            return got
        out: list[bytes] = [] if into is None else into

        async def write(data: bytes) -> None:
            await self.point.passed()
            out.append(data)

        failure: Failure | None = None
        complete = False
        try:
            failure = await relay(outcome, write, served.limits.silence)
            complete = True
        finally:
            if not complete:
                outcome.exchange.close()
            got.cost = engine.finished(served, outcome.usage, failure, left=not complete)
        got.body = b"".join(out)
        return got

    async def several(self, *bodies: JsonObject) -> list[Got]:
        """Run requests at the same time."""
        return list(await asyncio.gather(*(self.get(body) for body in bodies)))

    async def finish(self) -> None:
        """Let what goes on without a request come to its end; then nothing may be left."""
        for _ in range(20):
            await asyncio.sleep(0)
        assert not self.cached.busy
        self.check_nothing_is_left()
