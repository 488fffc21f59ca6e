"""What the configuration means, resolved: aliases, deployments, policies. Values only.

`config` makes a `Settings`; everything else reads it. It is replaced whole on reload and never
changed. All times are in seconds, all money in nano-USD.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from tiergate.base.jsontypes import Json
from tiergate.base.values import (
    AliasName,
    DeploymentId,
    Dialect,
    NanoUsd,
    Position,
    Secret,
    ServiceTier,
)
from tiergate.core.breakpoints import Breakpoints
from tiergate.core.cache_plan import CachePlan
from tiergate.core.guard_plan import GuardPlan
from tiergate.core.key_defaults import NO_DEFAULTS, KeyDefaults
from tiergate.core.life import Life
from tiergate.core.metrics_plan import ALL_METRICS, MetricsPlan
from tiergate.core.phases import WorkPolicy
from tiergate.core.remarks import Remark
from tiergate.core.rules import (
    NO_LIMIT,
    BudgetRule,
    EachBudget,
    OnStoreFailure,
    RedisPlan,
    ScopeKind,
    StoreKind,
    StorePlan,
)
from tiergate.core.sink_plan import NO_SINKS, SinkPlans

__all__ = [
    "NOTHING",
    "NO_LIMIT",
    "Access",
    "Alias",
    "BudgetRule",
    "Catalog",
    "ChainKind",
    "Chains",
    "Deployment",
    "EachBudget",
    "FailureCounts",
    "KeyDefaults",
    "OnStoreFailure",
    "PriceOverride",
    "RedisPlan",
    "RouterPolicy",
    "ScopeKind",
    "Settings",
    "SpecialRates",
    "StoreKind",
    "StorePlan",
    "Strategy",
    "WrittenRates",
]

NOTHING: Mapping[str, Json] = MappingProxyType({})


class Strategy(Enum):
    """How one of the eligible deployments is picked."""

    SIMPLE_SHUFFLE = "simple-shuffle"
    LEAST_BUSY = "least-busy"
    LATENCY = "latency-based-routing"
    USAGE = "usage-based-routing-v2"
    COST = "cost-based-routing"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureCounts:
    """A number per LiteLLM exception name; None where the file says nothing.

    Used for `retry_policy` (retries) and `allowed_fails_policy` (failures before a cooldown).
    """

    bad_request: int | None = None
    authentication: int | None = None
    timeout: int | None = None
    rate_limit: int | None = None
    content_policy: int | None = None
    internal_server: int | None = None
    not_found: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenRates:
    """Prices written in the file: nano-USD per million tokens; None where nothing is written."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialRates(WrittenRates):
    """Prices written for a service tier, or for prompts of more than `above` tokens, or both."""

    tier: ServiceTier = ServiceTier.STANDARD
    above: int = 0


@dataclass(frozen=True, slots=True)
class PricePlace:
    """Where a price is written: a kind of token (or `per_search`, `free`) of a tier and a step."""

    kind: str
    position: Position
    tier: ServiceTier = ServiceTier.STANDARD
    above: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceOverride(WrittenRates):
    """All prices written for a deployment; those of the base class are the plain ones.

    Attributes:
        special: Prices of tiers and of long prompts, each pair of them once.
        per_request: nano-USD for each call.
        per_search: nano-USD for each search that the provider runs.
        free: `pricing: free` is written: the model costs nothing, and somebody said so.
        places: Where each of them stands; two prices are the same wherever they stand.
    """

    special: tuple[SpecialRates, ...] = ()
    per_request: NanoUsd | None = None
    per_search: NanoUsd | None = None
    free: bool = False
    places: tuple[PricePlace, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One way to serve an alias."""

    id: DeploymentId
    alias: AliasName
    provider: str
    """The host's canonical name (`anthropic`, `openai`, `groq`)."""
    dialect: Dialect
    model: str
    """The model's name at the provider."""
    api_base: str
    """Base address without a trailing slash."""
    api_key: Secret | None = None
    organization: str | None = None
    api_version: str | None = None
    weight: float | None = None
    rpm: int | None = None
    tpm: int | None = None
    order: int | None = None
    """LiteLLM's `order`: lower levels are used up before higher ones."""
    tags: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    """`supported_environments` names that requests are tagged with; empty: any."""
    off: str | None = None
    """Why this deployment is never used in this process, or None."""
    timeout: float | None = None
    stream_timeout: float | None = None
    num_retries: int | None = None
    cooldown_time: float | None = None
    allowed_fails: int | None = None
    allowed_fails_policy: FailureCounts = field(default_factory=FailureCounts)
    extra_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    defaults: Mapping[str, Json] = field(default_factory=lambda: NOTHING)
    """Request fields the file adds where the caller gives none (`temperature`, `thinking`)."""
    drop_params: bool = False
    additional_drop_params: tuple[str, ...] = ()
    drop_betas: tuple[str, ...] = ()
    """`anthropic-beta` flags that are not sent to this deployment."""
    default_max_tokens: int | None = None
    breakpoints: Breakpoints | None = None
    """Prompt-cache breakpoints to add where the caller sets none; for Anthropic's dialect."""
    verify: bool | str = True
    """TLS verification (`ssl_verify`): True, False, or a CA file."""
    price: PriceOverride = field(default_factory=PriceOverride)
    priced_as: str | None = None
    """`base_model`: the model id whose list price applies; None: that of `model`."""
    max_budget: NanoUsd | None = None
    budget_duration: str | None = None
    info: Mapping[str, Json] = field(default_factory=lambda: NOTHING)
    """The rest of `model_info`, shown by `/v1/model/info`."""
    source: Position = field(default_factory=lambda: Position("", 0))


class ChainKind(Enum):
    """Which failures a fallback chain is for."""

    GENERAL = "general"
    CONTEXT_WINDOW = "context_window"
    CONTENT_POLICY = "content_policy"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chains:
    """Fallback chains by kind and alias: ordered alias names."""

    general: Mapping[AliasName, tuple[AliasName, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    context_window: Mapping[AliasName, tuple[AliasName, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    content_policy: Mapping[AliasName, tuple[AliasName, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    budget: Mapping[AliasName, tuple[AliasName, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    default: tuple[AliasName, ...] = ()
    """`default_fallbacks`: the general chain of aliases that have none of their own."""

    def of(self, kind: ChainKind, alias: AliasName) -> tuple[AliasName, ...]:
        """Return the chain of an alias; empty when there is none."""
        default = self.default if kind is ChainKind.GENERAL else ()
        return self.written(kind).get(alias, default)

    def written(self, kind: ChainKind) -> Mapping[AliasName, tuple[AliasName, ...]]:
        """Return the chains of a kind by alias, without the default."""
        match kind:
            case ChainKind.GENERAL:
                return self.general
            case ChainKind.CONTEXT_WINDOW:
                return self.context_window
            case ChainKind.CONTENT_POLICY:
                return self.content_policy
            case ChainKind.BUDGET:
                return self.budget


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterPolicy:
    """How attempts are made. Defaults are LiteLLM's, except where SEMANTICS differs."""

    strategy: Strategy = Strategy.SIMPLE_SHUFFLE
    latency_buffer: float = 0.0
    """`lowest_latency_buffer`: how far above the lowest latency still counts as lowest."""
    num_retries: int = 2
    retry_policy: FailureCounts = field(default_factory=FailureCounts)
    alias_retry_policy: Mapping[AliasName, FailureCounts] = field(
        default_factory=lambda: MappingProxyType({})
    )
    retry_after: float = 0.0
    """Least seconds to wait before a retry."""
    allowed_fails: int | None = None
    """None: nobody has set a number; see `cooldown.rule_for`."""
    allowed_fails_policy: FailureCounts = field(default_factory=FailureCounts)
    cooldown_time: float = 5.0
    disable_cooldowns: bool = False
    request_timeout: float = 6000.0
    stream_timeout: float | None = None
    chains: Chains = field(default_factory=Chains)
    max_fallbacks: int = 5
    tag_filtering: bool = False
    tags_match_any: bool = True
    alias_of: Mapping[str, AliasName] = field(default_factory=lambda: MappingProxyType({}))
    """`model_group_alias`: other names for aliases."""
    hidden_aliases: frozenset[str] = frozenset()
    """`model_group_alias` entries with `hidden: true`: usable, not listed."""
    mock_testing: bool = True
    """Whether drills (`mock_testing_fallbacks` and relatives) are allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may come in, and how large a request may be."""

    master_key: Secret | None = None
    max_body_bytes: int = 32 * 1024 * 1024
    max_header_bytes: int = 64 * 1024
    body_read_seconds: float = 60.0
    """A request whose body has not arrived after this time is refused with 408."""
    metrics_auth: bool | None = None
    """`require_auth_for_metrics_endpoint`; None: open on loopback, else admin only."""
    dashboard: bool = True
    """Whether there are pages at `/ui`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the gateway was told."""

    deployments: tuple[Deployment, ...]
    router: RouterPolicy = field(default_factory=RouterPolicy)
    access: Access = field(default_factory=Access)
    budgets: tuple[BudgetRule, ...] = ()
    each_budgets: tuple[EachBudget, ...] = ()
    key_defaults: KeyDefaults = NO_DEFAULTS
    stores: StorePlan = field(default_factory=StorePlan)
    budget_timezone: str = "UTC"
    sinks: SinkPlans = NO_SINKS
    environment_names: frozenset[str] = frozenset()
    """All names that occur in `supported_environments`."""
    drop_params: bool = False
    environment: str | None = None
    """TIERGATE_ENVIRONMENT / LITELLM_ENVIRONMENT of the process."""
    cache: CachePlan | None = None
    """The response cache; None without one."""
    guards: tuple[GuardPlan, ...] = ()
    """The guards, in the order of the file."""
    work: WorkPolicy | None = None
    """What `backlog.config.json` says of phases and escalations; None without that file."""
    life: Life = field(default_factory=Life)
    metrics: MetricsPlan = ALL_METRICS
    traffic_shares: tuple[tuple[AliasName, float], ...] = ()
    """What part of all calls each alias is meant to serve, from 0 to 1; metrics compare."""
    remarks: tuple[Remark, ...] = ()
    """What checking the files has found; the dashboard shows it."""


@dataclass(frozen=True, slots=True)
class Alias:
    """One public name with its deployments, those that are switched off included."""

    name: AliasName
    deployments: tuple[Deployment, ...]


@dataclass(frozen=True, slots=True)
class Catalog:
    """The deployments by alias and id, made once per configuration."""

    aliases: Mapping[AliasName, Alias]
    by_id: Mapping[DeploymentId, Deployment]

    @staticmethod
    def of(settings: Settings) -> Catalog:
        """Group the deployments by alias, in the order of the file."""
        grouped: dict[AliasName, list[Deployment]] = {}
        for deployment in settings.deployments:
            grouped.setdefault(deployment.alias, []).append(deployment)
        return Catalog(
            MappingProxyType({name: Alias(name, tuple(all_)) for name, all_ in grouped.items()}),
            MappingProxyType({d.id: d for d in settings.deployments}),
        )
