"""The attempt machine: told what happened, it says what to do next; it calls nobody itself.

One machine serves one request, plain or streamed, of any endpoint. Its shell asks `next`, carries
the step out, and reports `failed`, `refused` or `answered`. `moves` holds the tables it obeys:
what may follow what, and what each class of failure leads to.

Order of things: a deployment is picked among the eligible ones; after a failure that can get
better the alias tries again, other deployments first, `num_retries` times at most; then the chain
of the failure's class is followed, each alias once, `max_fallbacks` aliases at most. A member of a
chain has the same number of retries as the alias asked. Calls add up and never multiply: at most
`(num_retries + 1) x (1 + max_fallbacks)`, all within the time of the request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tiergate.base.errors import Failure, FailureClass, Refused
from tiergate.base.values import AliasName
from tiergate.core import cooldown, retries, routing, strategies, timing, told
from tiergate.core.affinity import Homing
from tiergate.core.catalog import ChainKind, Deployment, ScopeKind
from tiergate.core.chain import members, withheld
from tiergate.core.moves import CONSEQUENCES, Again, Event, Misstep, Phase, follow
from tiergate.core.routing import Exclusion, Route, Routes, Selection, View
from tiergate.core.stay import Stay
from tiergate.core.steps import Call, GiveUp, Step, Wait, Wish
from tiergate.core.strategies import Sight
from tiergate.core.trail import Decision, Drilled, Ended, Left, Skipped, Tried, Withheld

__all__ = ["Call", "GiveUp", "Machine", "Misstep", "Step", "Wait", "Wish", "members"]


class Machine:
    """The course of one request. All instants are seconds on one clock."""

    __slots__ = (
        "_attempt", "_began", "_callers", "_deadline", "_dearest", "_error", "_excluded",
        "_fallbacks", "_give_up", "_home", "_hop", "_kind", "_phase", "_queue", "_retries",
        "_route", "_routes", "_stay", "_timed_out", "_trail", "_wish",
    )  # fmt: skip

    def __init__(
        self, routes: Routes, wish: Wish, started: float, home: Homing | None = None
    ) -> None:
        self._routes = routes
        self._home = home
        self._wish = wish
        self._deadline = started + routes.policy.request_timeout
        self._callers = float("inf") if wish.timeout is None else started + wish.timeout
        self._phase = Phase.CHOOSING
        self._trail: list[Decision] = [*wish.notes]
        # Where the request is: the alias, what happened in it, the attempt that is out.
        self._route: Route | None = routes.of(wish.alias)
        self._stay = Stay()
        self._attempt: Call | None = None
        self._began = started
        self._excluded: tuple[Exclusion, ...] = ()
        # Where it has been.
        self._hop = 0
        self._fallbacks = 0
        self._retries = 0
        self._timed_out = False
        # How the alias asked failed, and what follows from it.
        self._error: Failure | Refused | None = None
        self._kind: ChainKind | None = None
        self._queue: list[AliasName] | None = None
        self._dearest: int | None = None
        self._give_up: GiveUp | None = None
        if wish.drill is not None:
            self._drill(wish.drill)

    @property
    def trail(self) -> tuple[Decision, ...]:
        """What was decided so far, in order."""
        return tuple(self._trail)

    @property
    def retries(self) -> int:
        """Retries in the last alias that was called."""
        return self._retries

    @property
    def fallbacks(self) -> int:
        """Fallback aliases that were called."""
        return self._fallbacks

    def next(self, view: View, now: float, dice: Callable[[], float]) -> Step:
        """Say what to do now.

        Args:
            view: The present state of cooldowns, budgets and load.
            now: The instant.
            dice: Gives a number from 0 (included) to 1 (excluded).

        Raises:
            Misstep: While an attempt is out, or after an answer.
        """
        while True:
            step: Step | None = None
            match self._phase:
                case Phase.CHOOSING | Phase.WAITING:
                    step = self._choose(view, now, dice)
                case Phase.LEAVING:
                    self._move_on(view, now)
                case Phase.GAVE_UP:
                    step = self._final(now)
                case Phase.CALLING | Phase.ANSWERED:
                    raise Misstep(self._phase, "next")
            if step is not None:
                return step

    def answered(self, now: float) -> None:
        """Note that the answer, or the first content of the stream, is there.

        Raises:
            Misstep: When no attempt is out.
        """
        attempt = self._out("answered")
        self._fire(Event.SUCCEEDED)
        self._retries, self._fallbacks = attempt.number - 1, attempt.hop
        self._note(attempt, None, 200, now)
        if self._home is not None and (attempt.hop or attempt.number > 1 or self._excluded):
            self._trail += self._home.lost(attempt.deployment)

    def failed(self, failure: Failure, now: float) -> None:
        """Note that the attempt failed before anything was sent to the caller.

        A failure of class BUDGET is one of the deployment or its provider; for other budgets
        there is `refused`.

        Raises:
            Misstep: When no attempt is out.
        """
        attempt = self._out("failed")
        deployment, stay = attempt.deployment, self._stay
        then = CONSEQUENCES[failure.kind]
        self._note(attempt, failure.kind, failure.status, now)
        if self._hop == 0 and (then.sent or stay.calls == 0):
            self._error, self._kind = failure, then.chain
        if not then.sent:
            stay.bar(deployment)
            self._fire(Event.NOT_SENT)
            return
        stay.calls += 1
        stay.timed_out = timing.ran_out(failure, attempt.limits, now)
        self._retries, self._fallbacks = attempt.number - 1, attempt.hop
        if deployment.timeout is None:
            self._timed_out = self._timed_out or stay.timed_out
        else:
            self._deadline += now - self._began
        if then.final:
            self._error = failure
            self._fire(Event.STOPPED)
        elif stay.calls <= self._allowed(deployment, failure.kind):
            if then.again is Again.ELSEWHERE and not self._is_named(failure.kind, deployment):
                stay.bar(deployment)
            else:
                stay.keep(deployment, failure, now)
            self._fire(Event.MAY_RETRY)
        elif self._hop > 0 and then.ends_chain and self._kind is not then.chain:
            self._fire(Event.STOPPED)
        else:
            self._fire(Event.FAILED)

    def refused(self, scope: ScopeKind, refusal: Refused, now: float) -> None:
        """Note that a budget refused the attempt and nothing was sent.

        A deployment's or provider's budget bars that deployment, as a cooldown would. An alias's
        budget ends the alias; in the alias asked only its budget chain may follow. Any other (the
        gateway's; a key's, a user's or a team's are told as the gateway's) ends the request.

        Raises:
            Misstep: When no attempt is out.
        """
        attempt = self._out("refused")
        self._note(attempt, FailureClass.BUDGET, refusal.status, now)
        own = scope in (ScopeKind.DEPLOYMENT, ScopeKind.PROVIDER)
        if self._hop == 0 and self._stay.calls == 0:
            self._error = refusal
            self._kind = ChainKind.GENERAL if own else ChainKind.BUDGET
        if own:
            self._stay.bar(attempt.deployment)
            self._fire(Event.NOT_SENT)
        elif scope is ScopeKind.ALIAS:
            self._fire(Event.FAILED)
        else:
            self._fire(Event.STOPPED)

    def forestalled(self) -> None:
        """Note that another call tries the deployment out after its cooldown; nothing was sent.

        The marks say so by now, so that `next` does not choose it again.

        Raises:
            Misstep: When no attempt is out.
        """
        self._out("forestalled")
        self._fire(Event.NOT_SENT)

    def _choose(self, view: View, now: float, dice: Callable[[], float]) -> Step | None:
        resumed = self._phase is Phase.WAITING
        if resumed:
            self._fire(Event.RESUMED)
        route, stay = self._route, self._stay
        if route is None:
            self._stop(told.unknown_alias(self._wish.alias))
            return None
        if self._is_over(now):
            self._fire(Event.TIME_UP)
            return None
        selection = self._select(route, view, now)
        self._excluded = selection.exclusions
        candidates = selection.candidates
        if stay.fallen or stay.barred:
            candidates = stay.untried(selection.candidates)
            if not candidates and stay.fallen:
                if not resumed:
                    pause = stay.pause(
                        view, now, self._left(now), self._routes.policy.retry_after, dice
                    )
                    if pause is not None and pause.seconds > 0:
                        self._trail.append(pause)
                        self._fire(Event.PAUSED)
                        return Wait(pause.seconds)
                candidates = stay.again(selection.candidates, now)
        if candidates:
            return self._call(candidates, view, now, dice)
        self._nobody(route, selection, view)
        return None

    def _call(
        self, candidates: Sequence[Deployment], view: View, now: float, dice: Callable[[], float]
    ) -> Call:
        policy = self._routes.policy
        deployment = candidates[0]
        if len(candidates) > 1:
            sight = Sight(view.load, view.price, now, self._wish.stream)
            chances = strategies.odds(policy, candidates, sight)
            warm = self._home.prefer(candidates) if self._home is not None else None
            deployment = warm or candidates[strategies.pick(chances, dice)]
        following = self._following(deployment, view, now)
        part = timing.share(self._deadline - now, following, timed_out=self._timed_out)
        limits = timing.limits(
            policy, deployment, now, now + part, self._callers, stream=self._wish.stream
        )
        mark = view.marks.get(deployment.id)
        probe = mark is not None and cooldown.is_probe(mark, now)
        call = Call(deployment, limits, self._stay.calls + 1, self._hop, probe)
        self._attempt = call
        self._began = now
        self._fire(Event.FOUND)
        return call

    def _nobody(self, route: Route, selection: Selection, view: View) -> None:
        """Leave an alias in which nobody can serve (any more)."""
        stay = self._stay
        if stay.calls == 0:
            if not stay.barred:
                self._trail.append(Skipped(route.alias, selection.exclusions))
            if self._hop == 0:
                self._blame(route, selection, view)
        self._fire(Event.NOBODY)

    def _blame(self, route: Route, selection: Selection, view: View) -> None:
        """Settle why the alias asked could not serve, where nothing was sent in it.

        One that is only cooling, or over its provider's budget, is like one that failed: its chain
        follows. One that the request's tags rule out is the caller's matter: no chain.
        """
        refusal = routing.refusal(route, self._wish.tags, selection)
        later = refusal.status == 429 and not told.is_budget(refusal)
        if self._error is None or later:
            self._error = refusal
            self._kind = ChainKind.GENERAL if refusal.status == 429 else None
        if self._kind is ChainKind.GENERAL and told.is_budget(self._error):
            if route.chains[ChainKind.BUDGET]:
                self._kind = ChainKind.BUDGET
            else:
                prices = [view.price(d) for d in route.deployments]
                self._dearest = max((p for p in prices if p is not None), default=None)

    def _move_on(self, view: View, now: float) -> None:
        if self._queue is None:
            self._queue = list(self._members(self._kind))
            self._trail.append(Left(self._wish.alias, self._kind if self._queue else None))
            self._trail += [Withheld(name) for name in self._withheld()]
        elif self._stay.calls == 0:
            self._hop -= 1  # nothing was sent in that member: it does not count
        if self._is_over(now):
            self._fire(Event.TIME_UP)
            return
        while self._queue and self._hop < self._routes.policy.max_fallbacks:
            name = self._queue.pop(0)
            route = self._routes.of(name)
            selection = None if route is None else self._select(route, view, now)
            if selection is None or not selection.candidates:
                exclusions = () if selection is None else selection.exclusions
                self._trail.append(Skipped(name, exclusions))
                continue
            self._route = route
            self._stay = Stay()
            self._hop += 1
            self._fire(Event.MEMBER)
            return
        self._fire(Event.EXHAUSTED)

    def _members(self, kind: ChainKind | None) -> tuple[AliasName, ...]:
        if kind is None or self._route is None:
            return ()
        return members(self._routes, self._route, self._wish, kind)

    def _withheld(self) -> tuple[AliasName, ...]:
        if self._kind is None or self._route is None:
            return ()
        return withheld(self._routes, self._route, self._wish, self._kind)

    def _select(self, route: Route, view: View, now: float) -> Selection:
        selection = routing.select(route, self._wish.tags, view, now)
        if self._dearest is None:
            return selection
        return routing.not_dearer(selection, view, self._dearest)

    def _following(self, deployment: Deployment, view: View, now: float) -> int:
        """Count the attempts that could follow one that starts now, should it time out.

        Once time has been lost to a timeout, a member of a chain does not share its part with its
        own retries.
        """
        own = 0
        if self._hop == 0 or not self._timed_out:
            own = max(0, self._after_timeout(deployment) - self._stay.calls)
            if own and not self._timed_out:
                return own  # before a timeout it only matters whether anything could follow
        names = self._members(ChainKind.GENERAL) if self._queue is None else self._queue
        routes = (self._routes.of(name) for name in names)
        reachable = sum(
            bool(self._select(route, view, now).candidates)
            for route in routes
            if route is not None
        )
        return own + min(reachable, max(0, self._routes.policy.max_fallbacks - self._hop))

    def _allowed(self, deployment: Deployment, kind: FailureClass) -> int:
        return retries.allowed(self._routes.policy, deployment, kind, self._wish.num_retries)

    def _after_timeout(self, deployment: Deployment) -> int:
        """Return the retries after a timeout; looked up, as every request asks."""
        if self._wish.num_retries is None and self._route is not None:
            return self._route.timeout_retries[deployment.id]
        return self._allowed(deployment, FailureClass.TIMEOUT)

    def _is_named(self, kind: FailureClass, deployment: Deployment) -> bool:
        return retries.named(self._routes.policy, deployment.alias, kind) is not None

    def _drill(self, kind: ChainKind) -> None:
        if self._route is None:
            return
        if not self._routes.policy.mock_testing:
            self._stop(told.drills_are_off())
            return
        self._trail.append(Drilled(self._route.alias, kind))
        self._error, self._kind = told.drilled(kind), kind
        self._fire(Event.DRILLED)

    def _stop(self, error: Refused) -> None:
        self._error = error
        self._fire(Event.STOPPED)

    def _left(self, now: float) -> float:
        return min(self._deadline, self._callers) - now

    def _is_over(self, now: float) -> bool:
        """Tell whether there is no time for a call; the very first one is not refused a moment."""
        left = self._left(now)
        return left <= 0 or (self._attempt is not None and left < timing.LEAST_ATTEMPT)

    def _final(self, now: float) -> GiveUp:
        if self._give_up is None:
            error = self._error or told.no_time(callers_own=self._callers <= now)
            tried = tuple(d for d in self._trail if isinstance(d, Tried))
            self._trail.append(Ended("gave up"))
            wait = told.seconds_to_wait(error)
            self._give_up = GiveUp(error, wait, tried, self._retries, self._fallbacks)
        return self._give_up

    def _out(self, what: str) -> Call:
        if self._attempt is None or self._phase is not Phase.CALLING:
            raise Misstep(self._phase, what)
        return self._attempt

    def _note(self, attempt: Call, kind: FailureClass | None, status: int, now: float) -> None:
        one, began = attempt.deployment, self._began
        tried = (one.alias, one.id, attempt.number, attempt.hop, kind, status, now - began)
        self._trail.append(Tried(*tried, self._excluded, began))

    def _fire(self, event: Event) -> None:
        self._phase = follow(self._phase, event)
