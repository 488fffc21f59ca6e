"""When a deployment is set aside after failures, and when it may be tried again; it calls nobody.

A deployment is *ready*, *cooling*, or past its cooldown and waiting for one *probe*: a real call
that one request may make while the others still see it as cooling. A `Mark` is the stored state;
no mark means ready with a clean record.

The rules (all times are seconds on one clock that all sharers of a mark agree on):

* A counted failure is remembered for a minute, whatever succeeds in between. More counted failures
  than `allowed_fails` within that minute start `cooldown_time`: with 3, the fourth does. Where
  nobody has set a number, the default is 3 and a success clears the failures before it: a
  deployment that fails now and then among thousands of good answers is not set aside unasked.
* Counted: 401, timeouts and 408, 429, 5xx, connection faults. Not counted: 403, 404, 409 and the
  caller's own mistakes, overflow, refusals, the caller's own time limit, a caller who left,
  budgets, and what a dialect cannot say. A class that `allowed_fails_policy` names is counted
  in any case, by itself, against its own number.
* `Retry-After` on a 429 is the provider's own word. Where the call can go elsewhere (a second
  deployment, a general fallback chain) it starts a cooldown of that length at once. Where it
  cannot, such a 429 is counted like any failure: turning callers away would win nothing. When
  the count is used up it takes the place of the router's `cooldown_time`, and never shortens a
  deployment's own.
* A later cooldown never shortens an earlier one. Failures of calls that were still out when the
  cooldown began do not lengthen it, except by a provider's `Retry-After`.
* A probe that fails in a counted way starts the cooldown again at once; one that succeeds clears
  the mark; one that says nothing (the caller left, the request was wrong) leaves the next request
  to probe. A probe holds its place for a lease, so that a lost one blocks nobody for ever.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from tiergate.base.errors import Failure, FailureClass
from tiergate.base.values import DeploymentId
from tiergate.core.catalog import Deployment, FailureCounts, RouterPolicy

FAILURE_WINDOW = 60.0
"""Seconds for which a counted failure is remembered."""
LONGEST_RETRY_AFTER = 86_400.0
"""Seconds after which even a provider's own word is asked again: one day."""
DEFAULT_ALLOWED_FAILS = 3
SHORTEST_LEASE = 60.0
LONGEST_LEASE = 600.0

_COUNTED = frozenset(
    {
        FailureClass.CONNECTION,
        FailureClass.TIMEOUT,
        FailureClass.RATE_LIMIT,
        FailureClass.UPSTREAM,
        FailureClass.CREDENTIALS,
    }
)


class State(Enum):
    """What a mark says at one instant."""

    READY = "ready"
    COOLING = "cooling"
    PROBE_ALLOWED = "probe allowed"
    """The cooldown is over and nobody has tried yet."""
    PROBING = "probing"
    """One request is trying; the others wait for what it finds."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The record of one deployment.

    Attributes:
        fails: Counted failures of the last minute: instant and class, oldest first.
        until: The instant the last cooldown ends; 0 when there was none since the last success.
        probe_until: The instant the lease of the running probe ends; 0 without a probe.
        cause: The class that started the last cooldown.
    """

    fails: tuple[tuple[float, FailureClass], ...] = ()
    until: float = 0.0
    probe_until: float = 0.0
    cause: FailureClass | None = None


CLEAN = Mark()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The settings that hold for one deployment.

    Attributes:
        allowed_fails: Counted failures within a minute that are still tolerated.
        cooldown_time: Seconds; 0 switches cooldowns of this deployment off.
        own_cooldown_time: True when the deployment sets `cooldown_time` itself.
        by_class: Own numbers of single classes (`allowed_fails_policy`).
        elsewhere: Whether a call can go elsewhere: to a second deployment or down a chain.
        disabled: `disable_cooldowns`.
        lease: Seconds a probe keeps its place.
        forgiving: Whether a success clears the failures of the last minute.
    """

    allowed_fails: int = DEFAULT_ALLOWED_FAILS
    cooldown_time: float = 5.0
    own_cooldown_time: bool = False
    by_class: FailureCounts = field(default_factory=FailureCounts)
    elsewhere: bool = False
    disabled: bool = False
    lease: float = SHORTEST_LEASE
    forgiving: bool = False


def rule_for(policy: RouterPolicy, deployment: Deployment, *, elsewhere: bool) -> Rule:
    """Combine the deployment's own settings with the router's; the deployment's come first.

    Its own `allowed_fails` also comes before the router's `allowed_fails_policy`.
    """
    inherited = policy.allowed_fails_policy
    own = deployment.allowed_fails_policy
    if deployment.allowed_fails is not None:
        inherited = FailureCounts()
    limit = deployment.timeout if deployment.timeout is not None else policy.request_timeout
    own_time = deployment.cooldown_time
    allowed = deployment.allowed_fails
    if allowed is None:
        allowed = policy.allowed_fails
    by_class = _merged(own, inherited)
    return Rule(
        allowed_fails=DEFAULT_ALLOWED_FAILS if allowed is None else allowed,
        cooldown_time=policy.cooldown_time if own_time is None else own_time,
        own_cooldown_time=own_time is not None,
        by_class=by_class,
        elsewhere=elsewhere,
        disabled=policy.disable_cooldowns,
        lease=min(max(SHORTEST_LEASE, limit), LONGEST_LEASE),
        forgiving=allowed is None and by_class == FailureCounts(),
    )


def state(mark: Mark | None, now: float) -> State:
    """Say what a mark means at this instant."""
    if mark is None or mark.until == 0:
        return State.READY
    if now < mark.until:
        return State.COOLING
    return State.PROBING if now < mark.probe_until else State.PROBE_ALLOWED


def is_open(mark: Mark | None, now: float) -> bool:
    """Tell whether a request may call the deployment now, as its probe if need be."""
    return mark is None or not (now < mark.until or now < mark.probe_until)


def is_probe(mark: Mark, now: float) -> bool:
    """Tell whether a call now would be the one that finds out whether a cooldown is over."""
    return state(mark, now) is State.PROBE_ALLOWED


def seconds_until_open(mark: Mark | None, now: float) -> float:
    """Return after how many seconds it is worth asking again; 0 when it is open now.

    A running probe may end any moment: one second.
    """
    if mark is None or is_open(mark, now):
        return 0.0
    return mark.until - now if now < mark.until else min(1.0, mark.probe_until - now)


def counts(rule: Rule, failure: Failure) -> bool:
    """Tell whether a failure is counted against its deployment."""
    if rule.disabled or rule.cooldown_time <= 0:
        return False
    if number_of(rule.by_class, failure.kind) is not None:
        return True
    forbidden = failure.kind is FailureClass.CREDENTIALS and failure.status == 403
    return failure.kind in _COUNTED and not forbidden


def failed(mark: Mark | None, rule: Rule, failure: Failure, now: float) -> Mark | None:
    """Return the mark after a failed call; None when the record is clean."""
    if not counts(rule, failure):
        return released(mark)
    old = mark or CLEAN
    told = _told_to_wait(failure)
    if now < old.until:
        return replace(old, until=max(old.until, now + told)) if told else old
    fails = (*(f for f in old.fails if f[0] > now - FAILURE_WINDOW), (now, failure.kind))
    # Past its cooldown and not well yet: this call was the probe, or as good as one.
    again = old.until > 0
    if again or (told and rule.elsewhere) or _used_up(rule, fails, failure.kind):
        return Mark(until=now + _length(rule, told), cause=failure.kind)
    return Mark(fails=fails)


def succeeded(mark: Mark | None, rule: Rule, now: float) -> Mark | None:
    """Return the mark after a success.

    A cooldown that is over is forgotten; one that runs, runs on. Failures are forgotten after a
    minute, or at once if the rule is forgiving.
    """
    if mark is None or now < mark.until:
        return mark
    if mark.until > 0 or rule.forgiving or _is_past(mark, now):
        return None
    return mark


def probed(mark: Mark | None, rule: Rule, now: float) -> Mark | None:
    """Return the mark once a request goes out as the probe; unchanged when none is due."""
    if mark is None or state(mark, now) is not State.PROBE_ALLOWED:
        return mark
    return replace(mark, probe_until=now + rule.lease)


def released(mark: Mark | None) -> Mark | None:
    """Return the mark after a call that says nothing; was it the probe, the next call may be."""
    return replace(mark, probe_until=0.0) if mark is not None and mark.probe_until else mark


def number_of(counts_: FailureCounts, kind: FailureClass) -> int | None:
    """Return the number the file gives for a failure class, by LiteLLM's exception names.

    Connection faults count as `InternalServerError`, where LiteLLM's clients see them too.
    Overflow, 409 and what never reached a provider have no name there.
    """
    match kind:
        case FailureClass.TIMEOUT:
            return counts_.timeout
        case FailureClass.RATE_LIMIT:
            return counts_.rate_limit
        case FailureClass.UPSTREAM | FailureClass.CONNECTION:
            return counts_.internal_server
        case FailureClass.CREDENTIALS:
            return counts_.authentication
        case FailureClass.NOT_FOUND:
            return counts_.not_found
        case FailureClass.CONTENT_POLICY:
            return counts_.content_policy
        case FailureClass.BAD_REQUEST:
            return counts_.bad_request
        case _:
            return None


@dataclass(slots=True)
class Book:
    """The marks of all deployments, as one owner keeps them; each change is one of the functions.

    An empty book is the normal case, and then nothing costs anything.
    """

    marks: dict[DeploymentId, Mark] = field(default_factory=dict[DeploymentId, Mark])

    def failed(
        self, deployment: DeploymentId, rule: Rule, failure: Failure, now: float
    ) -> Mark | None:
        """Note a failed call; returns the new mark, None when the record is clean."""
        return self.put(deployment, failed(self.marks.get(deployment), rule, failure, now))

    def succeeded(self, deployment: DeploymentId, rule: Rule, now: float) -> None:
        """Note a call that brought an answer, or the first content of one."""
        if self.marks:
            self.put(deployment, succeeded(self.marks.get(deployment), rule, now))

    def called(self, deployment: DeploymentId, rule: Rule, now: float) -> None:
        """Note that a call goes out; where a probe is due, it is this call."""
        if self.marks:
            self.put(deployment, probed(self.marks.get(deployment), rule, now))

    def released(self, deployment: DeploymentId) -> None:
        """Note that a call ended without saying anything about the deployment, or was not sent."""
        if self.marks:
            self.put(deployment, released(self.marks.get(deployment)))

    def put(self, deployment: DeploymentId, mark: Mark | None) -> Mark | None:
        """Keep a mark; None is a clean record."""
        if mark is None:
            self.marks.pop(deployment, None)
        else:
            self.marks[deployment] = mark
        return mark


def _is_past(mark: Mark, now: float) -> bool:
    """Tell whether all counted failures are older than a minute."""
    return not mark.fails or mark.fails[-1][0] <= now - FAILURE_WINDOW


def _used_up(
    rule: Rule, fails: tuple[tuple[float, FailureClass], ...], kind: FailureClass
) -> bool:
    own = number_of(rule.by_class, kind)
    if own is not None:
        same = sum(number_of(rule.by_class, k) is not None and _alike(k, kind) for _, k in fails)
        return same > own
    shared = sum(number_of(rule.by_class, k) is None for _, k in fails)
    return shared > rule.allowed_fails


def _alike(one: FailureClass, other: FailureClass) -> bool:
    """Connection faults and 5xx share one number."""
    pair = {FailureClass.CONNECTION, FailureClass.UPSTREAM}
    return one is other or {one, other} == pair


def _told_to_wait(failure: Failure) -> float:
    """Seconds of a 429's Retry-After; 0 when there is none."""
    if failure.kind is not FailureClass.RATE_LIMIT or failure.retry_after is None:
        return 0.0
    return min(max(0.0, failure.retry_after), LONGEST_RETRY_AFTER)


def _length(rule: Rule, told: float) -> float:
    if not told:
        return rule.cooldown_time
    return max(told, rule.cooldown_time) if rule.own_cooldown_time else told


def _merged(first: FailureCounts, then: FailureCounts) -> FailureCounts:
    def one(a: int | None, b: int | None) -> int | None:
        return b if a is None else a

    return FailureCounts(
        bad_request=one(first.bad_request, then.bad_request),
        authentication=one(first.authentication, then.authentication),
        timeout=one(first.timeout, then.timeout),
        rate_limit=one(first.rate_limit, then.rate_limit),
        content_policy=one(first.content_policy, then.content_policy),
        internal_server=one(first.internal_server, then.internal_server),
        not_found=one(first.not_found, then.not_found),
    )
