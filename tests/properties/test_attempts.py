"""Whatever the configuration and whatever happens: what the attempt machine promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from hypothesis import given, settings
from hypothesis import strategies as st

from support.attempts import START, deployment, failure, routes
from support.attempts import settings as configured
from tiergate.base.errors import Failure, FailureClass, Refused
from tiergate.base.values import AliasName, DeploymentId
from tiergate.core import routing
from tiergate.core.catalog import (
    Catalog,
    ChainKind,
    Chains,
    Deployment,
    FailureCounts,
    RouterPolicy,
    ScopeKind,
)
from tiergate.core.cooldown import Book
from tiergate.core.explain import explain
from tiergate.core.plan import Call, GiveUp, Machine, Wait, Wish
from tiergate.core.routing import Routes, View
from tiergate.core.tags import RequestTags
from tiergate.core.trail import Left, Skipped, Tried, compact

ALIASES = tuple(AliasName(name) for name in ("cheap", "balanced", "frontier", "local"))
ENVIRONMENTS = ("interactive", "critical")
OUTCOMES = (
    "ok",
    "cut",
    "timeout",
    "timeout",
    "429",
    "429 after 2",
    "429 after 50",
    "500",
    "500",
    "409",
    "401",
    "404",
    "400",
    "overflow",
    "refusal",
    "untranslatable",
    "over budget",
    "caller left",
    "refused deployment",
    "refused alias",
    "refused gateway",
)
SCOPES = {
    "refused deployment": ScopeKind.DEPLOYMENT,
    "refused alias": ScopeKind.ALIAS,
    "refused gateway": ScopeKind.GATEWAY,
}


@dataclass(frozen=True)
class Case:
    """A configuration, a request, and everything that will happen to it."""

    deployments: tuple[Deployment, ...]
    policy: RouterPolicy
    wish: Wish
    outcomes: tuple[tuple[str, float], ...]
    dice: tuple[float, ...]
    over: frozenset[str]
    cooling: frozenset[str]


numbers = st.integers(0, 3)
chains = st.dictionaries(
    st.sampled_from(ALIASES),
    st.lists(st.sampled_from((*ALIASES, AliasName("gone"))), max_size=3).map(tuple),
    max_size=4,
).map(MappingProxyType)
tags = st.builds(
    RequestTags,
    tags=st.sampled_from(((), ("fast",))),
    environments=st.sampled_from(((), ("interactive",), ("critical",))),
)


@st.composite
def policies(draw: st.DrawFn) -> RouterPolicy:
    return RouterPolicy(
        num_retries=draw(numbers),
        retry_policy=draw(
            st.builds(
                FailureCounts, rate_limit=st.none() | numbers, bad_request=st.none() | numbers
            )
        ),
        allowed_fails=draw(numbers),
        cooldown_time=draw(st.sampled_from((0.0, 1.0, 60.0))),
        disable_cooldowns=draw(st.booleans()),
        request_timeout=draw(st.sampled_from((0.05, 1.0, 30.0, 6000.0))),
        max_fallbacks=draw(numbers),
        tag_filtering=draw(st.booleans()),
        retry_after=draw(st.sampled_from((0.0, 0.0, 2.0))),
        chains=Chains(
            general=draw(chains),
            context_window=draw(chains),
            content_policy=draw(chains),
            budget=draw(chains),
            default=draw(st.sampled_from(((), (AliasName("local"),)))),
        ),
    )


@st.composite
def cases(draw: st.DrawFn, *, own_timeouts: bool = False) -> Case:
    made: list[Deployment] = []
    for alias in ALIASES:
        for number in range(draw(st.integers(1, 2))):
            made.append(
                deployment(
                    alias,
                    f"{alias}-{number}",
                    tags=draw(st.sampled_from(((), (), ("fast",), ("default",)))),
                    environments=draw(st.sampled_from(((), (), ("critical",), ENVIRONMENTS))),
                    off=draw(st.sampled_from((None, None, None, "off here"))),
                    timeout=draw(st.none() | st.just(5.0)) if own_timeouts else None,
                    num_retries=draw(st.none() | numbers),
                )
            )
    wish = Wish(
        alias=draw(st.sampled_from(ALIASES)),
        tags=draw(tags),
        stream=draw(st.booleans()),
        fallbacks=draw(st.none() | st.lists(st.sampled_from(ALIASES), max_size=3).map(tuple)),
        disable_fallbacks=draw(st.booleans()),
        num_retries=draw(st.none() | numbers),
        timeout=draw(st.none() | st.sampled_from((0.5, 10.0))),
        drill=draw(st.sampled_from((None, None, None, *ChainKind))),
    )
    ids = [d.id for d in made]
    return Case(
        deployments=tuple(made),
        policy=draw(policies()),
        wish=wish,
        outcomes=tuple(
            draw(
                st.lists(
                    st.tuples(st.sampled_from(OUTCOMES), st.floats(0, 1)), min_size=4, max_size=20
                )
            )
        ),
        dice=tuple(draw(st.lists(st.floats(0, 0.999), min_size=1, max_size=5))),
        over=frozenset(draw(st.lists(st.sampled_from(ids), max_size=2))),
        cooling=frozenset(draw(st.lists(st.sampled_from(ids), max_size=2))),
    )


class Run:
    """One request played to its end; the outcomes are used over and over."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.routes: Routes = routes(case.deployments, case.policy)
        self.book = Book()
        for name in case.cooling:
            rule = self.routes.rule(next(d for d in case.deployments if d.id == name))
            for _ in range(5):
                self.book.failed(DeploymentId(name), rule, failure("500"), START - 1)
        self.view = View(
            marks=self.book.marks,
            over=lambda d: "spent" if d.id in case.over else None,
            price=lambda d: len(d.id),
        )
        self.now = START
        self.calls: list[Call] = []
        self.sent: list[Call] = []
        self.waits: list[tuple[float, float]] = []
        self.machine = Machine(self.routes, case.wish, self.now)
        self.end: GiveUp | None = None

    def left(self) -> float:
        limit = self.case.policy.request_timeout
        own = self.case.wish.timeout
        return START + (limit if own is None else min(limit, own)) - self.now

    def play(self) -> Run:
        rolls = 0

        def dice() -> float:
            nonlocal rolls
            rolls += 1
            return self.case.dice[rolls % len(self.case.dice)]

        for _ in range(300):
            step = self.machine.next(self.view, self.now, dice)
            match step:
                case GiveUp():
                    self.end = step
                    return self
                case Wait():
                    self.waits.append((step.seconds, self.left()))
                    self.now += step.seconds
                case Call():
                    outcome = self.case.outcomes[len(self.calls) % len(self.case.outcomes)]
                    self.calls.append(step)
                    if self._happen(step, *outcome):
                        return self
        raise AssertionError("the machine does not end")

    def _happen(self, call: Call, outcome: str, part: float) -> bool:
        name = call.deployment.id
        rule = self.routes.rule(call.deployment)
        self.book.called(name, rule, self.now)
        if outcome in SCOPES:
            self.book.released(name)
            refusal = Refused(429, "spent", code="budget_exceeded")
            self.machine.refused(SCOPES[outcome], refusal, self.now)
            return False
        word, _, hint = outcome.partition(" after ")
        if word not in ("untranslatable", "over budget"):
            self.sent.append(call)
            spent = 1.0 if word == "timeout" else part
            self.now += (call.limits.total_until - self.now) * spent
        if word == "ok":
            self.book.succeeded(name, rule, self.now)
            self.machine.answered(self.now)
            return True
        failed = failure(word, float(hint) if hint else None)
        if word == "timeout" and call.limits.callers_own:
            failed = Failure(FailureClass.CALLER_TIMEOUT, 408, "the caller's limit passed")
        self.book.failed(name, rule, failed, self.now)
        self.machine.failed(failed, self.now)
        return False


def most_retries(case: Case) -> int:
    if case.wish.num_retries is not None:
        return case.wish.num_retries
    policy = case.policy
    named = (policy.retry_policy.rate_limit or 0, policy.retry_policy.bad_request or 0)
    return max(policy.num_retries, *named, *(d.num_retries or 0 for d in case.deployments))


@settings(max_examples=60, deadline=None)
@given(cases())
def test_a_plain_request_ends_within_its_time(case: Case) -> None:
    run = Run(case).play()

    assert run.now - START <= case.policy.request_timeout + 1e-6
    if case.wish.timeout is not None:
        assert run.now - START <= case.wish.timeout + 1e-6
    assert all(call.limits.total_until > START for call in run.calls)


@settings(max_examples=60, deadline=None)
@given(cases(own_timeouts=True))
def test_own_timeouts_add_only_their_own_time(case: Case) -> None:
    run = Run(case).play()
    own = sum(call.deployment.timeout or 0 for call in run.sent)

    assert run.now - START <= case.policy.request_timeout + own + 1e-6


@settings(max_examples=60, deadline=None)
@given(cases())
def test_calls_add_up_and_never_multiply(case: Case) -> None:
    run = Run(case).play()
    most = most_retries(case) + 1
    per_hop: dict[AliasName, int] = {}
    for call in run.sent:
        alias = call.deployment.alias
        per_hop[alias] = per_hop.get(alias, 0) + 1
        assert call.number == per_hop[alias]

    assert all(count <= most for count in per_hop.values())
    assert len([alias for alias in per_hop if alias != case.wish.alias]) <= (
        case.policy.max_fallbacks
    )


@settings(max_examples=60, deadline=None)
@given(cases())
def test_no_alias_is_entered_twice(case: Case) -> None:
    run = Run(case).play()
    visits: list[AliasName] = []
    for call in run.calls:
        if not visits or visits[-1] != call.deployment.alias:
            visits.append(call.deployment.alias)

    assert len(visits) == len(set(visits))


@settings(max_examples=60, deadline=None)
@given(cases())
def test_no_wait_is_longer_than_the_time_left_and_none_is_the_last_step(case: Case) -> None:
    run = Run(case).play()

    for seconds, left in run.waits:
        assert 0 < seconds < left
    assert len(run.waits) <= len(run.sent)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_whoever_is_called_was_eligible(case: Case) -> None:
    run = Run(case)
    real: Callable[..., object] = run._happen

    def checked(call: Call, outcome: str, part: float) -> bool:
        route = run.routes.of(call.deployment.alias)
        assert route is not None
        chosen = routing.select(route, case.wish.tags, run.view, run.now)
        assert call.deployment in chosen.candidates
        return bool(real(call, outcome, part))

    run._happen = checked  # type: ignore[method-assign]
    run.play()


@settings(max_examples=60, deadline=None)
@given(cases())
def test_the_trail_accounts_for_every_call_and_fits_a_header(case: Case) -> None:
    run = Run(case).play()
    tried = [d for d in run.machine.trail if isinstance(d, Tried)]

    assert [t.deployment for t in tried] == [c.deployment.id for c in run.calls]
    text = compact(run.machine.trail)
    assert text.isascii()
    assert text.isprintable()
    if run.end is not None:
        assert run.end.tried == tuple(tried)
        assert run.end.fallbacks == len(
            {c.deployment.alias for c in run.sent if c.deployment.alias != case.wish.alias}
        )


@settings(max_examples=60, deadline=None)
@given(cases())
def test_the_first_error_is_told(case: Case) -> None:
    """Unless the caller ended it, the error is one of the alias asked."""
    run = Run(case).play()
    if run.end is None or not isinstance(run.end.error, Failure) or case.wish.drill is not None:
        return
    kind = run.end.error.kind
    if kind in (FailureClass.CANCELLED, FailureClass.CALLER_TIMEOUT):
        return
    own = [t.failure for t in run.end.tried if t.alias == case.wish.alias]

    assert kind in own


@settings(max_examples=60, deadline=None)
@given(cases())
def test_explain_says_what_happens(case: Case) -> None:
    """The first pick has a chance in the explanation, and a chain is walked as explained."""
    run = Run(case)
    wish = case.wish
    made = configured(case.deployments, case.policy)
    told = explain(made, Catalog.of(made), wish, run.view, run.now)
    run.play()
    if run.calls:
        assert told.first is not None
        first = run.calls[0]
        assert first.deployment.alias == told.first.alias
        assert first.limits.total_until - START == told.first.seconds
        assert first.limits.callers_own == told.first.callers_own
        if first.hop == 0:
            chances = {e.deployment: e.chance for e in told.eligible}
            assert chances[first.deployment.id] > 0
    else:
        assert told.first is None
    left = next((d for d in run.machine.trail if isinstance(d, Left)), None)
    if left is None or left.chain is None:
        return
    members = dict(told.chains)[left.chain]
    walked: dict[AliasName, bool] = {}
    for decision in run.machine.trail:
        if isinstance(decision, Tried | Skipped) and decision.alias != wish.alias:
            walked.setdefault(decision.alias, isinstance(decision, Tried))
    assert list(walked) == [m.alias for m in members][: len(walked)]
    if case.policy.disable_cooldowns and not case.over:
        for member in members[: len(walked)]:
            assert walked[member.alias] is bool(member.eligible)
