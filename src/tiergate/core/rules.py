"""What the configuration says of budgets, and of the places that keep them. Values only.

Money is nano-USD.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tiergate.base.values import NanoUsd, Position, Secret


class ScopeKind(Enum):
    """What a budget is for."""

    GATEWAY = "gateway"
    ALIAS = "alias"
    PROVIDER = "provider"
    DEPLOYMENT = "deployment"
    KEY = "key"
    """A virtual key, named by its SHA-256 in hex."""
    USER = "user"
    """The user that keys belong to."""
    TEAM = "team"
    """The team that keys belong to."""
    END_USER = "end_user"
    """Whom the request names as its user."""
    TAG = "tag"
    TICKET = "ticket"


class OnStoreFailure(Enum):
    """What a budget does while the store that keeps it cannot be reached."""

    REFUSE = "refuse"
    """No call is let through."""
    ALLOW_LEASED = "allow_leased"
    """What is already leased to the worker may be spent, nothing more."""
    ALLOW = "allow"
    """Every call is let through; what it cost is booked when the store is back."""


NO_LIMIT = NanoUsd(1 << 62)
"""The limit of a budget that only counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRule:
    """One budget of the file."""

    scope: ScopeKind
    name: str
    """Alias, provider, deployment id, key hash, user, team, tag or ticket; `gateway` for the
    whole gateway."""
    limit: NanoUsd
    window: str
    """The window in the file's own words (`monthly`, `1m`, `30d`); `none` for a total."""
    period: str
    """The window in Tiergate's words: `calendar:month|week|day|hour|year`, `rolling:SECONDS`,
    or `none`."""
    source: Position
    on_store_failure: OnStoreFailure = OnStoreFailure.ALLOW_LEASED
    soft: NanoUsd | None = None
    """Told when it is passed, and nothing else (`soft_budget`)."""
    lapses: bool = False
    """It counts what is under way, which ends with its worker: a dead one has nothing left."""

    @property
    def capped(self) -> bool:
        """Whether there is a limit at all; without one the budget only counts."""
        return self.limit < NO_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class EachBudget:
    """A budget that every name of a scope gets for itself: each ticket, each end user."""

    scope: ScopeKind
    limit: NanoUsd
    window: str
    """As in `BudgetRule`."""
    period: str
    """As in `BudgetRule`."""
    source: Position
    on_store_failure: OnStoreFailure = OnStoreFailure.ALLOW_LEASED

    def rule(self, name: str) -> BudgetRule:
        """Return the budget of one name."""
        return BudgetRule(
            scope=self.scope,
            name=name,
            limit=self.limit,
            window=self.window,
            period=self.period,
            source=self.source,
            on_store_failure=self.on_store_failure,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisPlan:
    """Where a Redis is, as the file and the environment say.

    Attributes:
        url: `redis://`, `rediss://` or `unix://`; host, login and nodes are then empty.
        host: One server.
        port: Of that server.
        db: Number of the database.
        username: For the login.
        password: For the login.
        ssl: TLS.
        nodes: Start-up nodes of a cluster, `(host, port)`.
        sentinels: Sentinels, `(host, port)`.
        sentinel_password: For the login at the sentinels.
        service: The sentinels' name of the master.
        verify: TLS: whether the certificate is checked.
        ca_file: TLS: a file with the authorities to trust; None: those of the system.
        prefix: Before every key, in front of the namespace; may be empty.
        namespace: Before every key.
        named_by: Where it is named, in words for people: `router_settings.redis_host`.
    """

    url: Secret | None = None
    host: str = ""
    port: int = 6379
    db: int = 0
    username: str | None = None
    password: Secret | None = None
    ssl: bool = False
    nodes: tuple[tuple[str, int], ...] = ()
    sentinels: tuple[tuple[str, int], ...] = ()
    sentinel_password: Secret | None = None
    service: str | None = None
    verify: bool = True
    ca_file: str | None = None
    prefix: str = ""
    namespace: str = "tiergate"
    named_by: str = ""


class StoreKind(Enum):
    """Where budgets, keys and escalations are kept."""

    MEMORY = "memory"
    SQLITE = "sqlite"
    REDIS = "redis"
    POSTGRES = "postgres"


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePlan:
    """Where the gateway keeps what must outlive it.

    PostgreSQL keeps everything where it is configured; else a Redis that is named keeps budgets,
    keys and escalations, and the ledger is a file on each machine; else a file keeps everything.

    Attributes:
        kind: Where budgets, keys and escalations are.
        database_url: Of PostgreSQL.
        redis: Of Redis; with PostgreSQL it shares rate limits.
        directory: The state directory, if the file or TIERGATE_STATE_DIR names one. `:memory:`
            keeps nothing.
        on_failure: What budgets do that say nothing of their own, those of keys included, while
            their store cannot be reached.
    """

    kind: StoreKind = StoreKind.SQLITE
    database_url: Secret | None = None
    redis: RedisPlan | None = None
    directory: str | None = None
    on_failure: OnStoreFailure = OnStoreFailure.ALLOW_LEASED
