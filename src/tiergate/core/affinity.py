"""Which deployment holds the prefix of a conversation in its provider's cache, and until when.

A conversation grows: what was sent in one turn stands at the beginning of the next. So the hash of
a whole turn, remembered with who answered it, is found again among the rolling hashes of the next
turn. The memory is bounded and forgets what the provider forgets. How prompts are hashed is not
decided here.

Turns of other workers are not known here. A client that keeps its connection stays with its
worker; one that does not loses the prefix once for each worker at most.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tiergate.base.values import DeploymentId, Dialect, Usage
from tiergate.core.catalog import Deployment
from tiergate.core.cost import PER_TOKENS, Price
from tiergate.core.trail import Lost

MOST_HOMES: Final = 20_000
"""Turns that a worker remembers; of more, the oldest are forgotten."""

SHORT_SECONDS: Final = 300.0
"""How long providers keep a prefix after its last use (Anthropic; OpenAI: 5 to 10 minutes)."""

LONG_SECONDS: Final = 3600.0
"""How long Anthropic keeps what was written with `ttl: 1h`."""

_BLOCK: Final = 128
"""OpenAI caches whole blocks of so many tokens ("Prompt caching")."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where a prefix is warm.

    Attributes:
        deployment: Whose provider holds it.
        tokens: How many tokens of it are held.
        life: Seconds for which it is held after each use.
        until: The instant at which it is forgotten.
    """

    deployment: DeploymentId
    tokens: int
    life: float
    until: float


class Homes:
    """The homes of the turns that were answered last, by the hash of the whole turn."""

    __slots__ = ("_homes", "_most")

    def __init__(self, most: int = MOST_HOMES) -> None:
        self._most = most
        self._homes: dict[int, Home] = {}

    def __len__(self) -> int:
        """Return how many turns are remembered."""
        return len(self._homes)

    def of(self, turns: Sequence[int], now: float) -> Home | None:
        """Return the home of the longest earlier turn that is still warm.

        The turn itself does not count: the same question asked again is no conversation, and many
        callers may ask it.

        Args:
            turns: The rolling hashes of a prompt, after each of its messages.
            now: The instant.
        """
        homes = self._homes
        for turn in reversed(turns[:-1]):
            home = homes.get(turn)
            if home is not None and home.until > now:
                return home
        return None

    def keep(self, turn: int, home: Home) -> None:
        """Remember who holds a turn."""
        homes = self._homes
        homes.pop(turn, None)
        while len(homes) >= self._most:
            del homes[next(iter(homes))]
        homes[turn] = home


def rolling(head: int, messages: Sequence[int]) -> list[int]:
    """Return the hash of a prompt after each of its messages.

    Args:
        head: The hash of what stands before the messages: alias, tools, system prompt.
        messages: The hash of each message.
    """
    found: list[int] = []
    for message in messages:
        head = hash((head, message))
        found.append(head)
    return found


def home_after(
    deployment: Deployment, usage: Usage, before: Home | None, now: float
) -> Home | None:
    """Return where the prefix of a call is warm, now that it was answered; None: nowhere known.

    Anthropic tells what it has read and written. Others cache by themselves, and those that do
    tell of it, be it 0.
    """
    if usage.estimated:
        return None
    life = SHORT_SECONDS
    if deployment.dialect is Dialect.ANTHROPIC:
        tokens = cached_tokens(usage)
        stays = (
            before is not None and before.deployment == deployment.id and bool(usage.cache_read)
        )
        if usage.cache_write_1h or (stays and before is not None and before.life > life):
            life = LONG_SECONDS
    elif usage.cache_read is None:
        return None
    else:
        tokens = usage.prompt_total - usage.prompt_total % _BLOCK
    return Home(deployment.id, tokens, life, now + life) if tokens else None


def cached_tokens(usage: Usage) -> int:
    """Return the tokens of a call that were read from its provider's cache or written to it."""
    return (usage.cache_read or 0) + (usage.cache_write_5m or 0) + (usage.cache_write_1h or 0)


def loss(home: Home, serving: Deployment, priced: Callable[[DeploymentId], Price | None]) -> int:
    """Return what it costs to have a warm prefix read anew elsewhere, in nano-USD; 0 if unknown.

    Elsewhere it is written to the cache (in Anthropic's dialect) or read at full price; at home it
    would have been read from the cache.
    """
    there, here = priced(home.deployment), priced(serving.id)
    if there is None or here is None:
        return 0
    cold = here.rates.input
    if serving.dialect is Dialect.ANTHROPIC:
        cold = here.rates.cache_write_5m
    return max(0, home.tokens * (cold - there.rates.cache_read) // PER_TOKENS)


class Homing:
    """What one request knows of its home; looked up when it is first asked for.

    Args:
        find: Looks the home up.
        priced: The price of a deployment.
    """

    __slots__ = ("_find", "_home", "_priced")

    def __init__(
        self,
        find: Callable[[], Home | None],
        priced: Callable[[DeploymentId], Price | None],
    ) -> None:
        self._find: Callable[[], Home | None] | None = find
        self._priced = priced
        self._home: Home | None = None

    @property
    def home(self) -> Home | None:
        """Where the prefix of the request is warm."""
        if self._find is not None:
            self._home, self._find = self._find(), None
        return self._home

    def prefer(self, candidates: Sequence[Deployment]) -> Deployment | None:
        """Return the candidate that holds the prefix; None where chance may choose.

        A home of a later `order` level is not preferred: earlier levels come first.
        """
        home = self.home
        if home is None:
            return None
        found = next((each for each in candidates if each.id == home.deployment), None)
        if found is None:
            return None
        level = min((each.order for each in candidates if each.order is not None), default=None)
        return found if found.order == level else None

    def lost(self, serving: Deployment) -> tuple[Lost, ...]:
        """Return what is lost when another deployment serves; nothing when it serves at home."""
        home = self.home
        if home is None or home.deployment == serving.id:
            return ()
        return (Lost(home.deployment, home.tokens, loss(home, serving, self._priced)),)
