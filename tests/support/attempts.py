"""Plays of the attempt machine: outcomes go in as words, the steps come out as words.

A play has a hand-moved clock, a real book of cooldown marks and loaded dice. One outcome of the
script is used up by each call; it takes 0.1 s unless it says otherwise (`500 in 3`), and a timeout
takes the time the machine allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from tiergate.base.errors import Failure, FailureClass, Refused
from tiergate.base.values import AliasName, DeploymentId, Dialect
from tiergate.core.catalog import (
    Catalog,
    Chains,
    Deployment,
    RouterPolicy,
    ScopeKind,
    Settings,
)
from tiergate.core.cooldown import Book
from tiergate.core.plan import Call, GiveUp, Machine, Wait, Wish
from tiergate.core.routing import Routes, View
from tiergate.core.trail import compact

START = 1000.0

FAILURES: Mapping[str, tuple[FailureClass, int]] = {
    "cut": (FailureClass.CONNECTION, 502),
    "timeout": (FailureClass.TIMEOUT, 408),
    "429": (FailureClass.RATE_LIMIT, 429),
    "500": (FailureClass.UPSTREAM, 500),
    "503": (FailureClass.UPSTREAM, 503),
    "409": (FailureClass.CONFLICT, 409),
    "401": (FailureClass.CREDENTIALS, 401),
    "403": (FailureClass.CREDENTIALS, 403),
    "404": (FailureClass.NOT_FOUND, 404),
    "400": (FailureClass.BAD_REQUEST, 400),
    "overflow": (FailureClass.CONTEXT_WINDOW, 400),
    "refusal": (FailureClass.CONTENT_POLICY, 400),
    "untranslatable": (FailureClass.UNTRANSLATABLE, 400),
    "over budget": (FailureClass.BUDGET, 429),
    "caller left": (FailureClass.CANCELLED, 499),
}

REFUSALS: Mapping[str, ScopeKind] = {
    "alias over budget": ScopeKind.ALIAS,
    "gateway over budget": ScopeKind.GATEWAY,
    "provider over budget": ScopeKind.PROVIDER,
}


def deployment(alias: str, name: str, **values: object) -> Deployment:
    """A deployment of an alias; further fields by name."""
    plain = Deployment(
        id=DeploymentId(name),
        alias=AliasName(alias),
        provider="anthropic",
        dialect=Dialect.ANTHROPIC,
        model=f"m-{name}",
        api_base="http://upstream.invalid",
    )
    for key, value in values.items():
        object.__setattr__(plain, key, value)
    return plain


def deployments(**aliases: str) -> tuple[Deployment, ...]:
    """Deployments from words: `cheap="a b"` is an alias with two of them."""
    return tuple(
        deployment(alias, name) for alias, names in aliases.items() for name in names.split()
    )


def chain(**aliases: str) -> Mapping[AliasName, tuple[AliasName, ...]]:
    """Chains of one kind from words: `cheap="balanced frontier"`."""
    return MappingProxyType(
        {
            AliasName(alias): tuple(AliasName(m) for m in members.split())
            for alias, members in aliases.items()
        }
    )


def general(**aliases: str) -> Chains:
    """General chains only."""
    return Chains(general=chain(**aliases))


def settings(
    all_: Sequence[Deployment], policy: RouterPolicy | None = None, **values: object
) -> Settings:
    """Settings of these deployments and this policy."""
    made = Settings(deployments=tuple(all_), router=policy or RouterPolicy())
    for key, value in values.items():
        object.__setattr__(made, key, value)
    return made


def routes(all_: Sequence[Deployment], policy: RouterPolicy | None = None) -> Routes:
    """Routes of these deployments under this policy."""
    made = settings(all_, policy)
    return Routes(made.router, Catalog.of(made))


def failure(word: str, retry_after: float | None = None) -> Failure:
    """A failure by its word in `FAILURES`."""
    kind, status = FAILURES[word]
    return Failure(kind, status, f"{word} happened", retry_after=retry_after)


class Play:
    """Several requests to one gateway, on one clock."""

    def __init__(
        self,
        all_: Sequence[Deployment],
        policy: RouterPolicy | None = None,
        *,
        over: Callable[[Deployment], str | None] | None = None,
        price: Callable[[Deployment], int | None] | None = None,
        dice: Callable[[], float] = lambda: 0.5,
    ) -> None:
        self.routes = routes(all_, policy)
        self.book = Book()
        self.view = View(marks=self.book.marks)
        if over is not None:
            object.__setattr__(self.view, "over", over)
        if price is not None:
            object.__setattr__(self.view, "price", price)
        self.now = START
        self.dice = dice
        self.end: GiveUp | None = None
        self.machine: Machine

    def ask(self, wish: Wish | str, *script: str) -> list[str]:
        """Play one request; every outcome of the script must be used up.

        Returns:
            The steps: `call a`, `wait 0.25`, `answered`, `gave up 503`.
        """
        wish = Wish(alias=AliasName(wish)) if isinstance(wish, str) else wish
        self.machine = Machine(self.routes, wish, self.now)
        self.end = None
        outcomes = list(script)
        steps: list[str] = []
        while True:
            step = self.machine.next(self.view, self.now, self.dice)
            match step:
                case GiveUp():
                    self.end = step
                    steps.append(f"gave up {step.error.status}")
                    assert outcomes == [], f"left over after {steps}"
                    return steps
                case Wait():
                    assert step.seconds > 0
                    self.now += step.seconds
                    steps.append(f"wait {step.seconds:.3g}")
                case Call():
                    steps.append(f"call {step.deployment.id}")
                    assert outcomes, f"nothing in the script for {steps}"
                    if self._outcome(step, outcomes.pop(0)):
                        steps.append("answered")
                        assert outcomes == [], f"left over after {steps}"
                        return steps

    @property
    def why(self) -> str:
        """The compact trail of the last request."""
        return compact(self.machine.trail)

    def _outcome(self, call: Call, outcome: str) -> bool:
        name = call.deployment.id
        rule = self.routes.rule(call.deployment)
        self.book.called(name, rule, self.now)
        word, _, taken = outcome.partition(" in ")
        if word in REFUSALS:
            self.machine.refused(
                REFUSALS[word],
                Refused(429, word, code="budget_exceeded", type="budget_exceeded"),
                self.now,
            )
            return False
        if word == "ok":
            self.now += float(taken or 0.1)
            self.book.succeeded(name, rule, self.now)
            self.machine.answered(self.now)
            return True
        word, _, hint = word.partition(" after ")
        failed = failure(word, float(hint) if hint else None)
        if word == "timeout":
            self.now = call.limits.total_until
            if call.limits.callers_own:
                failed = Failure(FailureClass.CALLER_TIMEOUT, 408, "the caller's limit passed")
        elif word not in ("over budget", "untranslatable"):
            self.now += float(taken or 0.1)
        self.book.failed(name, rule, failed, self.now)
        self.machine.failed(failed, self.now)
        return False
