"""Rate limits: what a request holds of them, what it gives back, and what it is told."""

from __future__ import annotations

import pytest

from support.money import Accounts, decided, drive
from tiergate.core.caller import RateLimits
from tiergate.core.catalog import OnStoreFailure, ScopeKind
from tiergate.core.lease import LEASE_SECONDS
from tiergate.pipeline.rates import Kind, Taken
from tiergate.ports import BudgetStop, Pending, StoreDownError
from tiergate.stores.documents_memory import MemoryDocuments

KEY = "ab" * 32
BOTH = RateLimits(rpm=10, tpm=1000)


class World:
    """Workers with one clock and one store."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0
        self.documents = MemoryDocuments()
        self.rates = self.worker("w")

    def worker(self, name: str, documents=None):
        accounts = Accounts(
            lambda _inbound, _at: 1,
            lambda: self.now,
            documents=documents or self.documents,
            worker=name,
        )
        self.pace = accounts.pace
        return accounts.rates


@pytest.fixture
def world():
    return World()


def take(rates, claims, tokens: int = 0):
    return decided(rates.try_take(claims, tokens))


def test_each_limit_that_is_set_is_a_claim(world):
    found = world.rates.claims(ScopeKind.KEY, KEY, RateLimits(rpm=1, tpm=2, parallel=3))
    assert [(claim.kind, claim.limit) for claim in found] == [
        (Kind.REQUESTS, 1),
        (Kind.TOKENS, 2),
        (Kind.PARALLEL, 3),
    ]
    assert found[0].id == f"key:{KEY}#rpm"
    assert world.rates.claims(ScopeKind.KEY, KEY, RateLimits()) == ()


def test_requests_are_let_through_up_to_the_limit_and_the_next_is_told_when(world):
    claims = world.rates.claims(ScopeKind.KEY, KEY, RateLimits(rpm=3))
    for _ in range(3):
        world.rates.end(take(world.rates, claims), 0)
    world.now += 20
    stop = take(world.rates, claims)
    assert isinstance(stop, BudgetStop)
    assert (stop.scope, stop.refusal.status) == (ScopeKind.KEY, 429)
    assert stop.refusal.code == "rate_limit_exceeded"
    assert "This key may make 3 requests per minute" in str(stop.refusal)
    assert ("retry-after", "40") in stop.refusal.headers
    assert KEY not in str(stop.refusal)
    assert KEY not in str(stop.refusal.details)
    world.now += 40
    assert isinstance(take(world.rates, claims), Taken)


def test_tokens_are_held_at_their_most_and_settled_at_what_they_were(world):
    claims = world.rates.claims(ScopeKind.TEAM, "red", RateLimits(tpm=1000))
    taken = take(world.rates, claims, 900)
    stop = take(world.rates, claims, 200)
    assert isinstance(stop, BudgetStop)
    assert "The team red may use 1000 tokens per minute; 900 are used or held" in str(stop.refusal)
    world.rates.end(taken, 100)
    assert isinstance(take(world.rates, claims, 900), Taken)


def test_requests_at_the_same_time_are_given_back_when_they_end(world):
    claims = world.rates.claims(ScopeKind.USER, "anna", RateLimits(parallel=2))
    one, _ = take(world.rates, claims), take(world.rates, claims)
    stop = take(world.rates, claims)
    assert isinstance(stop, BudgetStop)
    assert "has as many under way" in str(stop.refusal)
    assert ("retry-after", "1") in stop.refusal.headers
    world.rates.end(one, 50)
    assert isinstance(take(world.rates, claims), Taken)


def test_a_request_takes_all_its_limits_or_none(world):
    wide = world.rates.claims(ScopeKind.TEAM, "red", RateLimits(rpm=5))
    tight = world.rates.claims(ScopeKind.KEY, KEY, RateLimits(rpm=1))
    assert isinstance(take(world.rates, wide + tight), Taken)
    for _ in range(10):
        assert isinstance(take(world.rates, wide + tight), BudgetStop)
    for _ in range(4):
        assert isinstance(take(world.rates, wide), Taken)
    assert isinstance(take(world.rates, wide), BudgetStop)


def test_a_request_that_was_never_made_costs_nothing(world):
    claims = world.rates.claims(ScopeKind.DEPLOYMENT, "dep", RateLimits(rpm=1, tpm=10))
    world.rates.cancel(take(world.rates, claims, 10))
    taken = take(world.rates, claims, 10)
    assert isinstance(taken, Taken)
    stop = take(world.rates, claims, 10)
    assert isinstance(stop, BudgetStop)
    assert "The deployment dep" in str(stop.refusal)


def test_a_limit_of_nothing_lets_nothing_through(world):
    claims = world.rates.claims(ScopeKind.KEY, KEY, RateLimits(rpm=0))
    assert isinstance(take(world.rates, claims), BudgetStop)


def test_workers_share_a_limit(world):
    other = world.worker("v")
    for rates in (world.rates, other, world.rates):
        claims = rates.claims(ScopeKind.KEY, KEY, RateLimits(rpm=3))
        assert isinstance(take(rates, claims), Taken)
    for rates in (world.rates, other):
        claims = rates.claims(ScopeKind.KEY, KEY, RateLimits(rpm=3))
        assert isinstance(take(rates, claims), BudgetStop)


def test_a_limit_that_the_worker_has_forgotten_is_taken_up_again(world):
    claims = world.rates.claims(ScopeKind.KEY, KEY, RateLimits(rpm=2))
    world.rates.end(take(world.rates, claims), 0)
    drive(world.pace.exchange())
    world.now += 4000
    world.pace.slices.sweep(world.now)
    assert not world.pace.slices.knows(claims[0].id)
    assert isinstance(take(world.rates, claims), Taken)


# ------------------------------------------------------------------ headers


def test_headers_tell_the_tightest_limit_of_each_kind(world):
    claims = (
        *world.rates.claims(ScopeKind.KEY, KEY, RateLimits(rpm=5, tpm=1000, parallel=1)),
        *world.rates.claims(ScopeKind.TEAM, "red", RateLimits(rpm=100, tpm=300)),
    )
    taken = take(world.rates, claims, 100)
    world.now += 10
    assert dict(world.rates.headers(taken)) == {
        "x-ratelimit-limit-requests": "5",
        "x-ratelimit-remaining-requests": "4",
        "x-ratelimit-reset-requests": "50s",
        "x-ratelimit-limit-tokens": "300",
        "x-ratelimit-remaining-tokens": "200",
        "x-ratelimit-reset-tokens": "50s",
    }


def test_without_limits_by_the_minute_there_are_no_headers(world):
    claims = world.rates.claims(ScopeKind.KEY, KEY, RateLimits(parallel=4))
    assert world.rates.headers(take(world.rates, claims)) == []
    assert world.rates.headers(take(world.rates, ())) == []


# ------------------------------------------------------------------ the store is away


class Away(MemoryDocuments):
    """Documents that never answer."""

    async def update(self, keys, change):
        raise StoreDownError("no route to it")


def test_haste_is_forgiven_while_the_store_is_away(world):
    """A rate limit protects from haste, not from a bill."""
    rates = world.worker("x", Away())
    claims = rates.claims(ScopeKind.KEY, KEY, RateLimits(rpm=1))
    assert all(isinstance(take(rates, claims), Taken) for _ in range(5))
    budget = world.pace.slices._budgets[claims[0].id]
    assert budget.rule.on_store_failure is OnStoreFailure.ALLOW


async def test_who_is_cancelled_while_it_waits_holds_nothing(world):
    claims = (
        *world.rates.claims(ScopeKind.TEAM, "red", RateLimits(rpm=5)),
        *world.rates.claims(ScopeKind.KEY, KEY, RateLimits(rpm=5)),
    )
    pending = world.rates.try_take(claims, 0)
    assert isinstance(pending, Pending)
    waiting = pending.wait()
    hold = world.pace.hold
    asked = []

    async def cancelled(budgets, *rest):
        asked.append(budgets)
        if len(asked) > 1:
            raise TimeoutError
        return await hold(budgets, *rest)

    world.pace.hold = cancelled
    with pytest.raises(TimeoutError):
        await waiting
    assert len(asked) == 2
    assert world.pace.slices.open_holds == 0


def test_calls_of_a_worker_that_died_are_under_way_no_longer(world):
    claims = world.rates.claims(ScopeKind.KEY, KEY, RateLimits(parallel=1))
    assert isinstance(take(world.rates, claims), Taken)
    drive(world.pace.exchange())
    other = world.worker("other")
    assert isinstance(take(other, claims), BudgetStop)
    world.now += LEASE_SECONDS
    assert isinstance(take(other, claims), Taken)
