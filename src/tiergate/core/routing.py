"""Who may serve a request: the eligible deployments of an alias, and why each other one is not.

It excludes, in this order, deployments that are switched off, those that the request's
environment or tags rule out, those over a budget, those cooling or being probed, and those at
their `rpm`/`tpm` under the strategies that mind them. Which candidate is picked is decided by
`strategies`; what follows when nobody is left, by `plan`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType

from tiergate.base.errors import FailureClass, Refused
from tiergate.base.remembering import remember
from tiergate.base.values import AliasName, DeploymentId
from tiergate.core import cooldown, retries, strategies, tags
from tiergate.core.catalog import Alias, Catalog, ChainKind, Chains, Deployment, RouterPolicy
from tiergate.core.cooldown import Mark, Rule
from tiergate.core.load import Load
from tiergate.core.tags import RequestTags

_MOST_REMEMBERED = 100
"""Sets of tags whose deployments each alias remembers; of more, all are worked out again."""


def _within(_deployment: Deployment) -> str | None:
    return None


def _unpriced(_deployment: Deployment) -> int | None:
    return None


@dataclass(frozen=True, slots=True)
class Over:
    """A budget that is used up: why in a few words, and what it tells a caller."""

    text: str
    refusal: Refused


@dataclass(frozen=True, slots=True)
class View:
    """What routing looks at and does not own; made once, it always shows the present.

    Attributes:
        marks: The cooldown marks (`Book.marks`).
        load: What this process has seen of each deployment.
        over: Says why a budget of the deployment or its provider is used up, or None. An `Over`
            has what a caller is told beside the reason.
        price: nano-USD per million input and output tokens together, or None where unknown.
    """

    marks: Mapping[DeploymentId, Mark] = field(
        default_factory=lambda: MappingProxyType[DeploymentId, Mark]({})
    )
    load: Load = field(default_factory=Load)
    over: Callable[[Deployment], str | Over | None] = _within
    price: Callable[[Deployment], int | None] = _unpriced


class Why(Enum):
    """Why a deployment may not serve a request now."""

    OFF = "off"
    ENVIRONMENT = "environment"
    TAGS = "tags"
    BUDGET = "budget"
    DEARER = "dearer"
    """It costs more than the alias whose provider or deployment budget is used up."""
    COOLING = "cooling"
    PROBING = "probing"
    LIMIT = "limit"
    """At its `rpm` or `tpm` in this minute."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One deployment that may not serve, and why.

    `wait` is seconds until it may, if known; `refusal` is what its budget tells a caller.
    """

    deployment: DeploymentId
    why: Why
    text: str
    wait: float | None = None
    refusal: Refused | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Selection:
    """Who may serve an alias now."""

    candidates: tuple[Deployment, ...]
    exclusions: tuple[Exclusion, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """One alias with everything that can be known before a request comes.

    Attributes:
        alias: Its name.
        deployments: Those that are switched on.
        off: The others, as exclusions.
        carried: The tags of each deployment that is on; empty when tags do not select here.
        constrained: True when a deployment lists environments.
        match_any: Whether one common tag is enough.
        limited: Whether `rpm` and `tpm` are limits here, not only weights.
        everybody: The selection in which nobody but `off` is excluded.
        chains: For each kind the aliases to try in turn, members' own chains included.
        rules: The cooldown rule of each deployment.
        timeout_retries: Retries after a timeout of each deployment, where the caller asks none.
        permitted: What the tags of earlier requests have led to.
    """

    alias: AliasName
    deployments: tuple[Deployment, ...]
    off: tuple[Exclusion, ...]
    carried: tuple[frozenset[str], ...]
    constrained: bool
    match_any: bool
    limited: bool
    everybody: Selection
    chains: Mapping[ChainKind, tuple[AliasName, ...]]
    rules: Mapping[DeploymentId, Rule]
    timeout_retries: Mapping[DeploymentId, int]
    permitted: dict[RequestTags, Selection] = field(
        default_factory=dict[RequestTags, Selection], compare=False, repr=False
    )


class Routes:
    """All aliases of one configuration, made ready; replaced whole on reload.

    The chains alone can change under it (`follow`): a request that began keeps those that it has.
    """

    __slots__ = ("_routes", "catalog", "policy")

    def __init__(self, policy: RouterPolicy, catalog: Catalog) -> None:
        self.policy: RouterPolicy = policy
        self.catalog = catalog
        self._routes = {name: _route(policy, alias) for name, alias in catalog.aliases.items()}

    def of(self, alias: str) -> Route | None:
        """Return the route of an alias, or of another name for one (`model_group_alias`)."""
        found = self._routes.get(AliasName(alias))
        if found is not None:
            return found
        other = self.policy.alias_of.get(alias)
        return None if other is None else self._routes.get(other)

    def follow(self, chains: Chains) -> None:
        """Let requests that begin from now on follow other chains."""
        if chains == self.policy.chains:
            return
        self.policy = replace(self.policy, chains=chains)
        self._routes = {
            name: _route(self.policy, alias) for name, alias in self.catalog.aliases.items()
        }

    def rule(self, deployment: Deployment) -> Rule:
        """Return the cooldown rule of a deployment."""
        return self._routes[deployment.alias].rules[deployment.id]


def chain_order(policy: RouterPolicy, kind: ChainKind, alias: AliasName) -> tuple[AliasName, ...]:
    """Return the aliases a chain visits, in order, the alias asked excluded.

    First the alias's own chain, then the chains of its members, for aliases not yet named. Each
    alias comes once, so a chain that returns to itself ends.
    """
    order: dict[AliasName, None] = {alias: None}
    waiting = [alias]
    while waiting:
        for member in policy.chains.of(kind, waiting.pop(0)):
            name = policy.alias_of.get(member, member)
            if name not in order:
                order[name] = None
                waiting.append(name)
    return tuple(order)[1:]


def select(route: Route, asked: RequestTags, view: View, now: float) -> Selection:
    """Say which deployments of an alias may serve a request with these tags now."""
    chosen = _permitted(route, asked)
    if not view.marks and view.over is _within and not route.limited:
        return chosen
    barred: list[Exclusion] = []
    left: list[Deployment] = []
    for deployment in chosen.candidates:
        exclusion = _unavailable(deployment, view, now, limited=route.limited)
        if exclusion is None:
            left.append(deployment)
        else:
            barred.append(exclusion)
    if not barred:
        return chosen
    return Selection(tuple(left), (*chosen.exclusions, *barred))


def not_dearer(selection: Selection, view: View, most: int | None) -> Selection:
    """Take out what costs more than `most` (nano-USD per million tokens, in and out together).

    Used where a used-up budget of a provider or deployment is why the call moves on: that must
    not raise the bill. Unknown prices pass; None as `most` lets everybody pass.
    """
    if most is None:
        return selection
    dearer = {d.id for d in selection.candidates if (view.price(d) or 0) > most}
    if not dearer:
        return selection
    return Selection(
        tuple(d for d in selection.candidates if d.id not in dearer),
        (
            *selection.exclusions,
            *(
                Exclusion(d.id, Why.DEARER, "costs more than the alias that is over budget")
                for d in selection.candidates
                if d.id in dearer
            ),
        ),
    )


def refusal(route: Route, asked: RequestTags, selection: Selection) -> Refused:
    """Return what a caller is told when nobody in the alias may serve.

    429 with `Retry-After` when somebody is only cooling, being probed or at a limit; 429
    `budget_exceeded` when somebody is over a budget; else 400 that says what each deployment asks
    for. A cooldown is always told as 429, as LiteLLM does, whatever its cause: clients know it as
    "come back later". No address and no key is named, only deployment ids.
    """
    by_why = {why: [e for e in selection.exclusions if e.why is why] for why in Why}
    later = [*by_why[Why.COOLING], *by_why[Why.PROBING], *by_why[Why.LIMIT]]
    if later:
        return _come_back(route, later)
    over = by_why[Why.BUDGET]
    if over:
        reasons = "; ".join(dict.fromkeys(e.text for e in over))
        told = next((e.refusal for e in over if e.refusal is not None), None)
        return Refused(
            429,
            f"Every deployment of `{route.alias}` that may serve this request is over a budget: "
            f"{reasons}.",
            code="budget_exceeded",
            type="budget_exceeded",
            anthropic_type="budget_exceeded",
            headers=told.headers if told is not None else (("x-should-retry", "false"),),
            details=told.details if told is not None else (),
        )
    wants = "; ".join(f"{e.deployment}: {e.text}" for e in selection.exclusions)
    return Refused(
        400,
        f"No deployment of `{route.alias}` may serve a request with these tags: {asked}. {wants}. "
        "Send other tags or ask for another alias.",
        code="no_eligible_deployment",
        param="tags",
    )


def retry_after(seconds: float) -> int:
    """Return seconds for a `Retry-After` header: rounded up, at least 1."""
    return max(1, math.ceil(seconds))


def _come_back(route: Route, later: list[Exclusion]) -> Refused:
    seconds = retry_after(min(e.wait or 0.0 for e in later))
    if all(e.why is Why.LIMIT for e in later):
        what, code = "at its rate limit", "rate_limit_exceeded"
    else:
        what, code = "cooling down after failures", "all_deployments_in_cooldown"
    return Refused(
        429,
        f"Every deployment of `{route.alias}` that may serve this request is {what}. "
        f"Try again in {seconds} s.",
        code=code,
        type="rate_limit_error",
        headers=(("retry-after", str(seconds)),),
    )


def _permitted(route: Route, asked: RequestTags) -> Selection:
    """Apply what the request says of itself: environments and tags."""
    if not route.carried and not (route.constrained and (asked.environments or asked.excluded)):
        return route.everybody
    known = route.permitted.get(asked)
    if known is None:
        known = _choose(route, asked)
        remember(route.permitted, asked, known, _MOST_REMEMBERED)
    return known


def _choose(route: Route, asked: RequestTags) -> Selection:
    selected = (
        tags.choose_by_tags(route.carried, asked, match_any=route.match_any)
        if route.carried
        else (True,) * len(route.deployments)
    )
    left: list[Deployment] = []
    barred: list[Exclusion] = []
    for deployment, fits in zip(route.deployments, selected, strict=True):
        if not tags.allows_environments(deployment.environments, asked):
            names = ", ".join(deployment.environments)
            barred.append(Exclusion(deployment.id, Why.ENVIRONMENT, f"serves only {names}"))
        elif not fits:
            names = ", ".join(deployment.tags)
            text = f"asks for the tags {names}" if names else "serves untagged requests"
            barred.append(Exclusion(deployment.id, Why.TAGS, text))
        else:
            left.append(deployment)
    if not barred:
        return route.everybody
    return Selection(tuple(left), (*route.off, *barred))


def _unavailable(
    deployment: Deployment, view: View, now: float, *, limited: bool
) -> Exclusion | None:
    over = view.over(deployment)
    if over is not None:
        if isinstance(over, str):
            return Exclusion(deployment.id, Why.BUDGET, over)
        return Exclusion(deployment.id, Why.BUDGET, over.text, refusal=over.refusal)
    mark = view.marks.get(deployment.id)
    if mark is not None and not cooldown.is_open(mark, now):
        wait = cooldown.seconds_until_open(mark, now)
        if cooldown.state(mark, now) is cooldown.State.PROBING:
            text = "cooling; another request is trying it"
            return Exclusion(deployment.id, Why.PROBING, text, wait)
        cause = f" after {mark.cause.value}" if mark.cause else ""
        text = f"cooling for {retry_after(wait)} s{cause}"
        return Exclusion(deployment.id, Why.COOLING, text, wait)
    return _at_limit(deployment, view.load, now) if limited else None


def _at_limit(deployment: Deployment, load: Load, now: float) -> Exclusion | None:
    use = load.minute(deployment.id, now)
    rest = 60 - now % 60
    if deployment.rpm is not None and use.requests >= deployment.rpm:
        text = f"at its limit of {deployment.rpm} requests a minute"
        return Exclusion(deployment.id, Why.LIMIT, text, rest)
    if deployment.tpm is not None and use.tokens >= deployment.tpm:
        text = f"at its limit of {deployment.tpm} tokens a minute"
        return Exclusion(deployment.id, Why.LIMIT, text, rest)
    return None


def _route(policy: RouterPolicy, alias: Alias) -> Route:
    on = tuple(d for d in alias.deployments if d.off is None)
    off = tuple(Exclusion(d.id, Why.OFF, d.off) for d in alias.deployments if d.off is not None)
    selects = policy.tag_filtering and any(d.tags for d in on)
    chains = {kind: chain_order(policy, kind, alias.name) for kind in ChainKind}
    elsewhere = len(on) > 1 or bool(chains[ChainKind.GENERAL])
    return Route(
        alias=alias.name,
        deployments=on,
        off=off,
        carried=tuple(frozenset(d.tags) for d in on) if selects else (),
        constrained=any(d.environments for d in on),
        match_any=policy.tags_match_any,
        limited=strategies.minds_limits(policy.strategy),
        everybody=Selection(on, off),
        chains=MappingProxyType(chains),
        rules=MappingProxyType(
            {d.id: cooldown.rule_for(policy, d, elsewhere=elsewhere) for d in alias.deployments}
        ),
        timeout_retries=MappingProxyType(
            {d.id: retries.allowed(policy, d, FailureClass.TIMEOUT, None) for d in on}
        ),
    )
