"""Watches the prefixes of prompts: where they are warm, what they save, when they drift.

It stands before the engine and after it. Before, a long request learns how to ask for its home,
which costs nothing until the plan asks. After the answer has gone out, the prompt is hashed and
compared. No prompt is kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

from tiergate.base.errors import Failure
from tiergate.base.values import AliasName, DeploymentId, Dialect, NanoUsd, Operation, Usage
from tiergate.core.affinity import (
    Home,
    Homes,
    Homing,
    cached_tokens,
    home_after,
    loss,
    rolling,
)
from tiergate.core.cost import Price
from tiergate.core.drift import Difference
from tiergate.core.plan import Wish
from tiergate.core.prefix_figures import (
    LastDrift,
    PrefixFigures,
    PrefixKey,
    figures_of,
)
from tiergate.core.prefix_memory import PrefixMemory, Prompt
from tiergate.core.prompt_savings import cache_money
from tiergate.pipeline.leading import Runs
from tiergate.pipeline.segments import Segments, system_blocks
from tiergate.pipeline.served import Served
from tiergate.ports import Clock, Inbound
from tiergate.wire.members import Members

LOG = logging.getLogger("tiergate.prefixes")

LEAST_BYTES: Final = 3584
"""Requests below this have less than the 1,024 tokens from which providers cache, and are not
watched unless the provider says that it cached them."""

LOG_SECONDS: Final = 60.0
"""The drifts of one key, alias and phase are logged this often at most."""

_MOST_LOGGED: Final = 1000

Priced = Callable[[DeploymentId], Price | None]

Drifted = Callable[[PrefixKey, str, Difference], None]


def _unheard(key: PrefixKey, name: str, drift: Difference) -> None:
    """Nobody is told of drifts beside the log."""
    del key, name, drift


class PrefixWatch:
    """What a worker knows of prefixes; it outlives a reload.

    Args:
        figures: Where sums are kept.
        clock: Monotonic seconds.
        wall: Unix seconds.
        drifted: Is told of each drift: of what, the name of the key, and what changed.
    """

    def __init__(
        self,
        figures: dict[PrefixKey, PrefixFigures],
        clock: Clock,
        wall: Clock,
        drifted: Drifted = _unheard,
    ) -> None:
        self._drifted = drifted
        self._figures = figures
        self._clock = clock
        self._wall = wall
        self._segments = Segments()
        self._memory = PrefixMemory()
        self._homes = Homes()
        self._logged: dict[PrefixKey, tuple[float, int]] = {}

    def home(self, members: Members, dialect: Dialect, alias: AliasName) -> Home | None:
        """Return where the prefix of a request is warm.

        Args:
            members: The request.
            dialect: Of its caller.
            alias: The alias asked.
        """
        prompt = self._segments.read(members, dialect)
        if prompt is None:
            return None
        turns = rolling(prompt.head(alias), prompt.messages)
        return self._homes.of(turns, self._clock())

    def note(self, served: Served, usage: Usage, priced: Priced) -> None:
        """Take in a call that is over.

        Args:
            served: The call.
            usage: What it has used.
            priced: The price of a deployment.
        """
        inbound = served.inbound
        prompt = self._segments.read(inbound.members, inbound.dialect)
        if prompt is None:
            return
        caller, deployment = inbound.caller, served.deployment
        key = (caller.key or caller.name, inbound.alias, inbound.purpose.phase)
        figures = figures_of(self._figures, key, caller.name)
        turns = rolling(prompt.head(inbound.alias), prompt.messages)
        before = self._homes.of(turns, served.begun)
        after = home_after(deployment, usage, before, self._clock())
        if turns and after is not None:
            self._homes.keep(turns[-1], after)
        _count(figures, usage, priced(deployment.id))
        if before is not None:
            figures.expected += before.tokens
            figures.expected_read += min(before.tokens, usage.cache_read or 0)
            if before.deployment != deployment.id:
                figures.lost += before.tokens
                figures.lost_cost += loss(before, deployment, priced)
        drift = self._drift(key, prompt, inbound)
        if drift is not None:
            self._tell(key, figures, drift)

    def _drift(self, key: PrefixKey, prompt: Prompt, inbound: Inbound) -> Difference | None:
        def text(at: int) -> bytes:
            return system_blocks(inbound.members, inbound.dialect)[at]

        return self._memory.see(key, prompt, text)

    def _tell(self, key: PrefixKey, figures: PrefixFigures, drift: Difference) -> None:
        wall = self._wall()
        part = drift.part.value
        figures.drifts[part] = figures.drifts.get(part, 0) + 1
        figures.last = LastDrift(
            wall, part, drift.number, drift.change.value, drift.offset, drift.hint
        )
        self._drifted(key, figures.name, drift)
        at, more = self._logged.pop(key, (0.0, 0))
        if wall - at < LOG_SECONDS:
            self._logged[key] = (at, more + 1)
            return
        while len(self._logged) >= _MOST_LOGGED:
            del self._logged[next(iter(self._logged))]
        self._logged[key] = (wall, 0)
        _, alias, phase = key
        LOG.warning(
            "prompt prefix changed: the provider's cache is lost from there on",
            extra={
                "key": figures.name,
                "alias": alias,
                "phase": phase,
                "part": part,
                "number": drift.number,
                "change": drift.change.value,
                "offset": drift.offset,
                "hint": drift.hint,
                "unlogged": more,
            },
        )


def _count(figures: PrefixFigures, usage: Usage, price: Price | None) -> None:
    money = cache_money(usage, price)
    read = usage.cache_read or 0
    figures.calls += 1
    figures.input += usage.prompt_total
    figures.read += read
    figures.written += cached_tokens(usage) - read
    figures.saved += money.saved
    figures.writes += money.writes


class WatchedEngine:
    """Implements `leading.Runs`: the engine, with the watch before and after it.

    Args:
        engine: What serves the requests.
        watch: Looks at them.
        priced: The price of a deployment.
    """

    def __init__(self, engine: Runs, watch: PrefixWatch, priced: Priced) -> None:
        self._engine = engine
        self._watch = watch
        self._priced = priced

    def run(self, inbound: Inbound, wish: Wish) -> Coroutine[Any, Any, Served]:
        """Serve a request; see `Engine.run`. No frame of its own waits with the request."""
        if len(inbound.members.body) >= LEAST_BYTES and inbound.operation is Operation.CHAT:
            # It must not hold the request itself: a ring of two would outlive the call.
            find = partial(self._watch.home, inbound.members, inbound.dialect, inbound.alias)
            inbound.home = Homing(find, self._priced)
        return self._engine.run(inbound, wish)

    def finished(
        self,
        served: Served,
        usage: Usage | None,
        failure: Failure | None,
        *,
        left: bool = False,
    ) -> NanoUsd | None:
        """Close the books of a served request; see `Engine.finished`."""
        if usage is None:
            return self._engine.finished(served, usage, failure, left=left)
        cached = bool(cached_tokens(usage))
        if cached:
            served.saving = cache_money(usage, self._priced(served.deployment.id)).saved
        cost = self._engine.finished(served, usage, failure, left=left)
        if cached or served.inbound.home is not None:
            # The answer is written in this turn of the loop; the watch has time until the next.
            asyncio.get_running_loop().call_soon(self._watch.note, served, usage, self._priced)
        return cost

    def limit_headers(self, served: Served) -> list[tuple[str, str]]:
        """Return the headers of the caller's rate limits; see `Engine.limit_headers`."""
        return self._engine.limit_headers(served)

    def refused(self, dialect: Dialect, operation: Operation, status: int, wall: float) -> None:
        """Note a request that was never understood; see `Engine.refused`."""
        self._engine.refused(dialect, operation, status, wall)
