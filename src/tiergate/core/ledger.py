"""The ledger's records, and the questions that can be asked of it. Values only.

One record per call, appended when the call is over and never changed. An attempt that was paid
for and did not serve has a record of its own (`part` above 0), so that every charge stands with
the alias, the deployment and the provider it belongs to. Money is nano-USD, times are Unix
seconds. How records are kept is a store's matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from tiergate.core.catalog import ScopeKind


class EntryStatus(Enum):
    """How a recorded call ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    REFUSED = "refused"
    """The gateway itself said no; nothing was spent."""
    CANCELLED = "cancelled"
    """The caller left."""
    DECLINED = "declined"
    """An attempt that was paid for and did not serve."""
    LOST = "lost"
    """The worker died during the call. It is charged what was held for it."""


# A tuple, since one is made per request: journal and ledger take its fields as they stand.
class Entry(NamedTuple):
    """One record of the ledger.

    Attributes:
        call_id: The id in the `x-litellm-call-id` header.
        wall: Unix time of the request's arrival.
        booked: Unix time of the hold: it decides the windows in which the cost counts.
        operation: `chat`, `completion`, `embedding`.
        dialect: Of the caller: `openai`, `anthropic`.
        status: An `EntryStatus` value.
        http_status: What the caller was answered.
        asked: The alias asked.
        part: 0 for the call itself; counts from 1 for paid attempts that did not serve. `call_id`
            and `part` together with `wall` name a record: appending one twice changes nothing.
        served: The alias that served; empty when nobody was called.
        deployment: The deployment's id; empty when nobody was called.
        provider: Its provider.
        model: The provider's name of the model.
        key: SHA-256 of the virtual key in hex; empty for the master key.
        key_name: The key's alias or masked form; `master` or `local` without a virtual key.
        user: The key's user.
        team: The key's team.
        end_user: `user` / `metadata.user_id` of the request.
        ticket: What it was for.
        session: What it was for.
        phase: What it was for.
        workflow: What it was for.
        reason: The escalation reason.
        input: Tokens that no cache served.
        output: Tokens of the answer, reasoning included.
        cache_read: Tokens read from the provider's cache.
        cache_write_5m: Tokens written to it for five minutes.
        cache_write_1h: Tokens written to it for an hour.
        reasoning: A part of `output`.
        audio_input: A part of `input`.
        audio_output: A part of `output`.
        estimated: The tokens or the cost are our own estimate, not the provider's word.
        cost: nano-USD.
        unpriced: The model has no price, so that `cost` is 0 for want of knowledge.
        saving: nano-USD that a cache has saved; without `cache`, it is the provider's own.
        cache: The cache layer that answered (`response`, `semantic`), or empty.
        retries: Attempts beyond the first in the alias that served.
        fallbacks: Aliases called beyond the first.
        escalated: A fallback to the escalation alias brought the call there.
        batch: The provider's batch job id, or empty.
        seconds: From arrival to the end of the answer.
        why: The compact trail, as in `x-tiergate-why`: what was decided on the way.
        tags: The request's tags.
    """

    call_id: str
    wall: float
    booked: float
    operation: str
    dialect: str
    status: str
    http_status: int
    asked: str
    part: int = 0
    served: str = ""
    deployment: str = ""
    provider: str = ""
    model: str = ""
    key: str = ""
    key_name: str = ""
    user: str = ""
    team: str = ""
    end_user: str = ""
    ticket: str = ""
    session: str = ""
    phase: str = ""
    workflow: str = ""
    reason: str = ""
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    reasoning: int = 0
    audio_input: int = 0
    audio_output: int = 0
    estimated: bool = False
    cost: int = 0
    unpriced: bool = False
    saving: int = 0
    cache: str = ""
    retries: int = 0
    fallbacks: int = 0
    escalated: bool = False
    batch: str = ""
    seconds: float = 0.0
    why: str = ""
    tags: tuple[str, ...] = ()


class Group(Enum):
    """By what spend can be summed. The value is the name on the command line and in HTTP."""

    ALIAS = "alias"
    """The alias that served: budgets of aliases count there."""
    ASKED = "asked"
    PROVIDER = "provider"
    MODEL = "model"
    DEPLOYMENT = "deployment"
    KEY = "key"
    USER = "user"
    TEAM = "team"
    END_USER = "end_user"
    TAG = "tag"
    """A call counts under each of its tags, so these sums overlap."""
    TICKET = "ticket"
    SESSION = "session"
    PHASE = "phase"
    WORKFLOW = "workflow"
    CACHE = "cache"
    """The cache layer that answered; empty for calls of a provider."""
    STATUS = "status"


class Bucket(Enum):
    """Calendar steps of a report, in a time zone that the question names."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which records are meant; None and empty mean all.

    Attributes:
        since: First `booked` instant that counts, Unix seconds.
        until: First `booked` instant that counts no more.
        equal: Pairs of a group and the value that its column must have.
        call_id: Only this call.
    """

    since: float | None = None
    until: float | None = None
    equal: tuple[tuple[Group, str], ...] = ()
    call_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendRow:
    """One sum; `keys` has a value for each group asked for, in their order.

    `start` is the Unix time at which the row's calendar step begins; None without steps. Tokens
    and money are sums. `input` excludes cached tokens; `cached` is what was read from caches.
    `calls` counts records with part 0; `failed` those of them that did not succeed.
    """

    keys: tuple[str, ...]
    start: int | None
    calls: int
    failed: int
    input: int
    output: int
    cached: int
    written: int
    cost: int
    saving: int
    estimated: int
    """nano-USD of `cost` that are our own estimate."""


@dataclass(frozen=True, slots=True)
class ScopeSum:
    """Which records count in a budget: the scope, its name, and the window."""

    scope: ScopeKind
    name: str
    since: float
    until: float | None


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a reading of the ledger stopped; the next one goes on after it."""

    number: int
