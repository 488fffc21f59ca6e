"""What would happen to a request, without calling anyone: the answer to `tiergate explain`.

It uses the routing, odds, chains and retries of the attempt machine, and runs the machine itself
for the time limits, so that what it says and what happens cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tiergate.base.errors import Failure, FailureClass, Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import AliasName, DeploymentId
from tiergate.core import retries, routing, strategies, told
from tiergate.core.catalog import Catalog, ChainKind, Settings, Strategy
from tiergate.core.moves import CONSEQUENCES, Again
from tiergate.core.plan import Call, Machine, Wish, members
from tiergate.core.routing import Exclusion, Route, Routes, Selection, View
from tiergate.core.strategies import Sight
from tiergate.core.tags import RequestTags


@dataclass(frozen=True, slots=True)
class Eligible:
    """A deployment that may serve, and its chance (0 to 1) of being picked first."""

    deployment: DeploymentId
    provider: str
    model: str
    chance: float


@dataclass(frozen=True, slots=True)
class Member:
    """One alias of a chain.

    Attributes:
        alias: Its name.
        eligible: Who could serve there now.
        excluded: Who could not, and why; empty as well when there is no such alias.
        within: False when `max_fallbacks` other members come before it.
    """

    alias: AliasName
    eligible: tuple[DeploymentId, ...]
    excluded: tuple[Exclusion, ...]
    within: bool


@dataclass(frozen=True, slots=True)
class Allowance:
    """The time of one attempt.

    Attributes:
        alias: Where it would be made.
        seconds: For the plain answer, or the first content of a stream.
        silence: Seconds between later events of a stream; None for plain calls.
        callers_own: Whether the caller's own limit is the tightest.
    """

    alias: AliasName
    seconds: float
    silence: float | None
    callers_own: bool


@dataclass(frozen=True, slots=True)
class Cooling:
    """The cooldown rule of one deployment.

    `cooldown_time` 0 means that cooldowns are off; `forgiving` that a success clears what was
    counted before it.
    """

    deployment: DeploymentId
    allowed_fails: int
    cooldown_time: float
    forgiving: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """What would happen.

    Attributes:
        alias: The alias asked, other names for it resolved.
        tags: The request's tags and environments.
        strategy: How one of the eligible is picked.
        eligible: Who may serve now, in the order of the file.
        excluded: Who may not, and why.
        refusal: What stands in the way when nobody is eligible; the caller is told this when
            no chain helps.
        chains: For each kind of chain its members in order.
        retries: Classes of failure after which the alias tries again, and how often.
        first: The first attempt; None when nobody can be called at all.
        second: The attempt after it, should the first one time out; None when there is none.
        cooldowns: The rule of each deployment that is switched on.
    """

    alias: AliasName
    tags: RequestTags
    strategy: Strategy
    eligible: tuple[Eligible, ...]
    excluded: tuple[Exclusion, ...]
    refusal: Refused | None
    chains: tuple[tuple[ChainKind, tuple[Member, ...]], ...]
    retries: tuple[tuple[FailureClass, int], ...]
    first: Allowance | None
    second: Allowance | None
    cooldowns: tuple[Cooling, ...]


def explain(
    settings: Settings, catalog: Catalog, wish: Wish, view: View, now: float
) -> Explanation:
    """Say what would happen to a request that came now.

    Raises:
        Refused: 400, when there is no such alias.
    """
    routes = Routes(settings.router, catalog)
    route = routes.of(wish.alias)
    if route is None:
        raise told.unknown_alias(wish.alias)
    selection = routing.select(route, wish.tags, view, now)
    first, second = _allowances(routes, wish, view, now)
    return Explanation(
        alias=route.alias,
        tags=wish.tags,
        strategy=settings.router.strategy,
        eligible=_eligible(routes, wish, selection, view, now),
        excluded=selection.exclusions,
        refusal=None if selection.candidates else routing.refusal(route, wish.tags, selection),
        chains=tuple(
            (kind, _chain(routes, members(routes, route, wish, kind), wish, view, now))
            for kind in ChainKind
        ),
        retries=_retries(routes, route, wish),
        first=first,
        second=second,
        cooldowns=_cooldowns(route),
    )


def render_text(explanation: Explanation) -> str:
    """Return the explanation as lines of text for a terminal."""
    e = explanation
    lines = [f"alias     {e.alias}", f"tags      {e.tags}", f"strategy  {e.strategy.value}"]
    lines.append("eligible" if e.eligible else "eligible  nobody")
    lines.extend(
        f"  {one.deployment}  {one.provider}/{one.model}  {one.chance:.0%}" for one in e.eligible
    )
    if e.excluded:
        lines.append("excluded")
        lines.extend(f"  {one.deployment}  {one.why.value}: {one.text}" for one in e.excluded)
    if e.refusal is not None:
        lines.append(f"without a fallback the answer is {e.refusal.status}: {e.refusal.message}")
    lines.append("chains")
    for kind, chain in e.chains:
        lines.append(f"  {kind.value}: {' > '.join(map(_member, chain)) or 'none'}")
    again = ", ".join(f"{kind.value} {count}" for kind, count in e.retries)
    lines.append(f"retries   {again or 'none'}")
    lines.append(f"time      first attempt: {_time(e.first)}")
    lines.append(f"          next, if that times out: {_time(e.second)}")
    lines.append("cooldown")
    lines.extend(f"  {one.deployment}  {_rule(one)}" for one in e.cooldowns)
    return "\n".join(lines)


def to_json(explanation: Explanation) -> JsonObject:
    """Return the explanation as a JSON object."""
    e = explanation
    refusal = e.refusal
    return {
        "alias": e.alias,
        "tags": [*e.tags.tags],
        "environments": [*e.tags.environments],
        "required_tags": [*e.tags.required],
        "excluded_tags": [*e.tags.excluded],
        "strategy": e.strategy.value,
        "eligible": [
            {
                "deployment": one.deployment,
                "provider": one.provider,
                "model": one.model,
                "chance": round(one.chance, 4),
            }
            for one in e.eligible
        ],
        "excluded": _exclusions(e.excluded),
        "refusal": None
        if refusal is None
        else {"status": refusal.status, "code": refusal.code, "message": refusal.message},
        "chains": {kind.value: [_member_json(one) for one in chain] for kind, chain in e.chains},
        "retries": {kind.value: count for kind, count in e.retries},
        "first_attempt": _allowance_json(e.first),
        "second_attempt": _allowance_json(e.second),
        "cooldown": {
            one.deployment: {
                "allowed_fails": one.allowed_fails,
                "cooldown_time": one.cooldown_time,
                "success_clears": one.forgiving,
            }
            for one in e.cooldowns
        },
    }


def _eligible(
    routes: Routes, wish: Wish, selection: Selection, view: View, now: float
) -> tuple[Eligible, ...]:
    candidates = selection.candidates
    if not candidates:
        return ()
    sight = Sight(view.load, view.price, now, wish.stream)
    chances = strategies.odds(routes.policy, candidates, sight)
    return tuple(
        Eligible(d.id, d.provider, d.model, chance)
        for d, chance in zip(candidates, chances, strict=True)
    )


def _chain(
    routes: Routes, names: Iterable[AliasName], wish: Wish, view: View, now: float
) -> tuple[Member, ...]:
    chain: list[Member] = []
    before = 0
    for name in names:
        route = routes.of(name)
        selection = Selection(())
        if route is not None:
            selection = routing.select(route, wish.tags, view, now)
        eligible = tuple(d.id for d in selection.candidates)
        within = before < routes.policy.max_fallbacks
        before += bool(eligible)
        chain.append(Member(name, eligible, selection.exclusions, within))
    return tuple(chain)


def _allowances(
    routes: Routes, wish: Wish, view: View, now: float
) -> tuple[Allowance | None, Allowance | None]:
    machine = Machine(routes, wish, now)
    step = machine.next(view, now, _no_chance)
    if not isinstance(step, Call):
        return None, None
    first = _allowance(step, now)
    if first.callers_own:
        return first, None
    then = now + first.seconds
    machine.failed(Failure(FailureClass.TIMEOUT, 408, "timed out"), then)
    step = machine.next(view, then, _no_chance)
    return first, _allowance(step, then) if isinstance(step, Call) else None


def _allowance(call: Call, now: float) -> Allowance:
    limits = call.limits
    return Allowance(
        call.deployment.alias, limits.total_until - now, limits.silence, limits.callers_own
    )


def _no_chance() -> float:
    return 0.0


def _retries(routes: Routes, route: Route, wish: Wish) -> tuple[tuple[FailureClass, int], ...]:
    """Return the largest number among the alias's deployments, for each class that is sent.

    What is only tried elsewhere is tried at most once at each other deployment.
    """
    policy, all_ = routes.policy, route.deployments
    found: list[tuple[FailureClass, int]] = []
    for kind, then in CONSEQUENCES.items():
        count = max((retries.allowed(policy, d, kind, wish.num_retries) for d in all_), default=0)
        if then.again is Again.ELSEWHERE and retries.named(policy, route.alias, kind) is None:
            count = min(count, len(all_) - 1)
        if then.sent and count > 0:
            found.append((kind, count))
    return tuple(found)


def _cooldowns(route: Route) -> tuple[Cooling, ...]:
    rules = ((d.id, route.rules[d.id]) for d in route.deployments)
    return tuple(
        Cooling(
            name,
            rule.allowed_fails,
            0.0 if rule.disabled else rule.cooldown_time,
            rule.forgiving,
        )
        for name, rule in rules
    )


def _member(member: Member) -> str:
    if not member.within:
        return f"{member.alias} (beyond max_fallbacks)"
    if member.eligible:
        return f"{member.alias} ({', '.join(member.eligible)})"
    reasons = "; ".join(f"{e.deployment} {e.text}" for e in member.excluded)
    return f"{member.alias} (skipped: {reasons or 'no such alias'})"


def _time(allowance: Allowance | None) -> str:
    if allowance is None:
        return "none"
    whose = ", the caller's own limit" if allowance.callers_own else ""
    text = f"{allowance.seconds:g} s at {allowance.alias}{whose}"
    if allowance.silence is None:
        return text
    return f"{text}, then {allowance.silence:g} s between events"


def _rule(rule: Cooling) -> str:
    if rule.cooldown_time <= 0:
        return "never cools down"
    times = rule.allowed_fails + 1
    between = ", with no success between them" if rule.forgiving else ""
    return f"{rule.cooldown_time:g} s after {times} counted failures within a minute{between}"


def _exclusions(exclusions: tuple[Exclusion, ...]) -> list[Json]:
    return [{"deployment": e.deployment, "why": e.why.value, "text": e.text} for e in exclusions]


def _member_json(member: Member) -> JsonObject:
    return {
        "alias": member.alias,
        "eligible": [*member.eligible],
        "excluded": _exclusions(member.excluded),
        "within_max_fallbacks": member.within,
    }


def _allowance_json(allowance: Allowance | None) -> Json:
    if allowance is None:
        return None
    return {
        "alias": allowance.alias,
        "seconds": round(allowance.seconds, 3),
        "silence_seconds": allowance.silence,
        "callers_own_limit": allowance.callers_own,
    }
