"""Several gateways, or one with several workers, on one store; calls spread over all of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from support import anthropic_wire
from support.exchange import Reply, Wait, json_reply
from support.gateway import KEY, Gateway
from support.http_client import Answer, fetch
from support.servers import running_postgres, running_redis
from support.stage import Providers, gateway_of
from tiergate.base.jsontypes import JsonObject

CALL = 0.001
"""USD that every call of these tests holds, and costs: nothing for the prompt, two tokens out."""

PRICES = {"input_cost_per_token": 0, "output_cost_per_token": 0.0005}


@dataclass(frozen=True, slots=True)
class Store:
    """Where the budgets are: settings to add, variables to set, processes to start."""

    name: str
    config: Mapping[str, JsonObject]
    env: Mapping[str, str]
    gateways: int
    arguments: tuple[str, ...] = ()


STORES = ("memory", "sqlite", "redis", "postgres")


@contextlib.contextmanager
def store_of(name: str, folder: Path):
    """A store of that name, with a server of its own where it needs one."""
    match name:
        case "memory":
            yield Store(name, {"general_settings": {"state_dir": ":memory:"}}, {}, 1)
        case "sqlite":
            state = str(folder / "state")
            yield Store(
                name,
                {"general_settings": {"state_dir": state}},
                {},
                1,
                ("--num_workers", "4"),
            )
        case "redis":
            with running_redis(folder / "redis") as server:
                place: JsonObject = {"redis_host": "127.0.0.1", "redis_port": server.port}
                yield Store(name, {"router_settings": place}, {}, 3)
        case "postgres":
            with running_postgres() as server:
                yield Store(
                    name,
                    {"general_settings": {"database_url": server.url}},
                    {},
                    2,
                )
        case _:
            raise AssertionError(name)


class Fleet:
    """The gateways of a store."""

    def __init__(self, gateways: Sequence[Gateway], providers: Providers) -> None:
        self.gateways = list(gateways)
        self.providers = providers
        self._next = 0

    async def call(
        self,
        alias: str,
        *,
        key: str = KEY,
        metadata: JsonObject | None = None,
        **more: object,
    ) -> Answer:
        """One call, at the next gateway, on a connection of its own."""
        gateway = self.gateways[self._next % len(self.gateways)]
        self._next += 1
        body: JsonObject = {
            "model": alias,
            "max_tokens": 2,
            "messages": [{"role": "user", "content": "hi"}],
        }
        if metadata is not None:
            body["metadata"] = metadata
        body.update(more)  # pyright: ignore[reportCallIssue, reportArgumentType]
        return await fetch(
            gateway.port,
            "POST",
            "/v1/messages",
            body=body,
            headers=(("authorization", f"Bearer {key}"),),
            timeout=60.0,
        )

    async def calls(self, count: int, alias: str, **more) -> list[Answer | Exception]:
        """So many calls at once."""
        return await asyncio.gather(
            *(self.call(alias, **more) for _ in range(count)), return_exceptions=True
        )

    async def budgets(self, at: int = 0) -> dict[tuple[str, str], JsonObject]:
        """The budgets as one gateway shows them."""
        answer = await self.gateways[at].get("/budgets")
        assert answer.status == 200, answer
        return {(row["scope"], row["name"]): row for row in answer.json["budgets"]}


@contextlib.asynccontextmanager
async def fleet_of(
    config: JsonObject, store: Store, providers: Providers, folder: Path
) -> AsyncIterator[Fleet]:
    """Start the gateways of a store with one configuration."""
    merged: JsonObject = dict(config)
    for section, values in store.config.items():
        there = merged.get(section)
        merged[section] = {**there, **values} if isinstance(there, dict) else values
    async with contextlib.AsyncExitStack() as stack:
        made = [
            gateway_of(merged, folder / f"g{number}", arguments=store.arguments, env=store.env)
            for number in range(store.gateways)
        ]
        for gateway in made:
            await stack.enter_async_context(gateway)
        yield Fleet(made, providers)


def answer_in(seconds: float) -> Reply:
    """A plain answer of two tokens, after a while."""
    body = anthropic_wire.message(
        [anthropic_wire.text_block("hi")], counts={"input_tokens": 10, "output_tokens": 2}
    )
    whole = json_reply(body)
    return Reply((Wait(seconds), *whole.steps), whole.status, whole.headers, whole.framing)


def statuses(answers: Sequence[Answer | Exception]) -> dict[object, int]:
    """How often each status came; exceptions by their names."""
    found: dict[object, int] = {}
    for answer in answers:
        name = type(answer).__name__ if isinstance(answer, Exception) else answer.status
        found[name] = found.get(name, 0) + 1
    return found
