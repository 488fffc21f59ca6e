"""Who gets an escalation, what the others are told, and what a store that is away means."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

import pytest

from support.attempts import deployment
from tiergate.base.errors import Refused
from tiergate.base.values import AliasName, Dialect, Operation
from tiergate.core.caller import Caller
from tiergate.core.catalog import ChainKind
from tiergate.core.escalation import EMPTY, Continued, LimitReached, Opened, Opening
from tiergate.core.phases import EscalationPolicy
from tiergate.core.plan import Wish
from tiergate.core.purpose import Purpose
from tiergate.pipeline.escalations import PREFIX, EscalationBook, Escalations
from tiergate.ports import Inbound, StoreDownError
from tiergate.stores.documents_memory import MemoryDocuments
from tiergate.wire.members import Members

FRONTIER = AliasName("frontier")
ONE = EscalationPolicy(alias=FRONTIER, limit=1)
NOW = 1_790_000_000.0


class Counted(MemoryDocuments):
    """Counts its round trips, and can go away."""

    def __init__(self) -> None:
        super().__init__()
        self.trips = 0
        self.away = False

    async def update(self, keys, change):
        self._trip()
        return await super().update(keys, change)

    async def read(self, keys: Sequence[str]):
        self._trip()
        return await super().read(keys)

    def _trip(self) -> None:
        self.trips += 1
        if self.away:
            raise StoreDownError("no answer within 1 s")


def book(documents: MemoryDocuments | None = None) -> EscalationBook:
    ids = itertools.count(1)
    return EscalationBook(documents or MemoryDocuments(), lambda: NOW, lambda: f"id{next(ids)}")


CALLS = itertools.count(1)


def inbound(ticket: str = "T-1", session: str = "", reason: str = "why") -> Inbound:
    made = Inbound(
        call_id=f"call-{next(CALLS)}",
        received=0.0,
        wall=NOW,
        dialect=Dialect.OPENAI,
        operation=Operation.CHAT,
        asked="frontier",
        alias=FRONTIER,
        stream=False,
        include_usage=False,
        members=Members.read(b"{}"),
        caller=Caller(name="build"),
    )
    made.purpose = Purpose(ticket=ticket, session=session, reason=reason)
    return made


def guard(policy: EscalationPolicy = ONE, made: EscalationBook | None = None) -> Escalations:
    return Escalations(policy, made or book(), lambda: NOW)


async def refusal(guarded: Escalations, request: Inbound) -> Refused:
    with pytest.raises(Refused) as caught:
        await guarded.admit(request)
    return caught.value


# ------------------------------------------------------------------ admission


async def test_one_is_admitted_and_the_next_hears_ticket_count_and_reasons():
    guarded = guard()
    await guarded.admit(inbound(reason="the plan failed"))
    refused = await refusal(guarded, inbound())
    assert (refused.status, refused.code) == (403, "escalation_limit_reached")
    assert (refused.type, refused.anthropic_type) == ("escalation_limit_reached",) * 2
    assert dict(refused.details) == {
        "ticket": "T-1",
        "count": 1,
        "limit": 1,
        "reasons": "the plan failed",
    }
    assert "`T-1` has used 1 of 1" in refused.message
    assert ("x-should-retry", "false") in refused.headers
    await guarded.admit(inbound("T-2"))


async def test_long_reasons_are_cut_and_missing_ones_are_named():
    policy = EscalationPolicy(alias=FRONTIER, limit=3)
    guarded = guard(policy)
    for reason in ("", "x" * 250, "y" * 250):
        await guarded.admit(inbound(reason=reason))
    refused = await refusal(guarded, inbound())
    reasons = str(dict(refused.details)["reasons"])
    assert reasons.startswith("no reason given; xxx")
    assert len(reasons) == 400
    assert reasons.endswith("...")


async def test_a_session_goes_on_without_another_round_trip():
    documents = Counted()
    guarded = guard(made=book(documents))
    for _ in range(5):
        await guarded.admit(inbound(session="s"))
    assert documents.trips == 1
    documents.away = True
    await guarded.admit(inbound(session="s", reason=""))


async def test_another_worker_finds_the_session_in_the_store():
    documents = Counted()
    await guard(made=book(documents)).admit(inbound(session="s"))
    other = guard(made=book(documents))
    await other.admit(inbound(session="s"))
    assert (await refusal(other, inbound(session="t"))).status == 403


async def test_a_call_without_a_ticket_is_not_counted():
    documents = Counted()
    guarded = guard(made=book(documents))
    for _ in range(3):
        await guarded.admit(inbound(ticket=""))
    assert documents.trips == 0


async def test_without_a_limit_nothing_is_counted():
    documents = Counted()
    guarded = guard(EscalationPolicy(alias=FRONTIER), book(documents))
    for _ in range(3):
        await guarded.admit(inbound())
    assert documents.trips == 0
    assert await book(documents).open("T-1", opening(), guarded.policy) == Continued()


@pytest.mark.parametrize("ticket", ["T-1", ""])
@pytest.mark.parametrize("limit", [1, None])
async def test_a_required_reason_is_asked_for(ticket, limit):
    policy = EscalationPolicy(alias=FRONTIER, limit=limit, reason_required=True)
    refused = await refusal(guard(policy), inbound(ticket, reason=""))
    assert (refused.status, refused.code) == (400, "escalation_reason_required")
    assert refused.param == "metadata.escalation_reason"
    await guard(policy).admit(inbound(ticket))


async def test_a_store_that_is_away_admits_nobody_new():
    documents = Counted()
    documents.away = True
    refused = await refusal(guard(made=book(documents)), inbound())
    assert (refused.status, refused.code) == (503, "escalation_store_unavailable")
    assert ("retry-after", "1") in refused.headers


async def test_a_log_that_cannot_be_read_admits_nobody_new():
    documents = MemoryDocuments()
    await documents.update([PREFIX + "T-1"], lambda seen: ({PREFIX + "T-1": b"{"}, None))
    refused = await refusal(guard(made=book(documents)), inbound())
    assert refused.status == 503
    assert "T-1 cannot be read" in refused.message


async def test_of_many_at_once_as_many_are_admitted_as_may():
    guarded = guard(EscalationPolicy(alias=FRONTIER, limit=3))
    found = await asyncio.gather(
        *(guarded.admit(inbound()) for _ in range(50)), return_exceptions=True
    )
    assert sum(each is None for each in found) == 3


# ------------------------------------------------------------------ what is guarded


@pytest.mark.parametrize(
    ("served", "wish", "guarded"),
    [
        ("frontier", Wish(alias=FRONTIER), True),
        ("cheap", Wish(alias=AliasName("cheap")), False),
        ("frontier", Wish(alias=AliasName("cheap")), False),
        ("cheap", Wish(alias=FRONTIER), False),
        ("frontier", Wish(alias=AliasName("cheap"), drill=ChainKind.GENERAL), True),
    ],
)
def test_the_alias_asked_counts_and_a_fallback_does_not_unless_it_is_forced(served, wish, guarded):
    assert guard().guards(deployment(served, "a"), wish) == guarded
    assert guard().alias == "frontier"


# ------------------------------------------------------------------ the book


def opening(call: str = "c", session: str = "") -> Opening:
    return Opening(call_id=call, session=session, reason="why", wall=NOW)


async def test_a_grant_and_a_reset_say_who_when_and_why():
    made = book()
    assert await made.open("T-1", opening(), ONE) == Opened()
    log = await made.grant("T-1", 2, "an outage", "master")
    (given,) = log.grants
    assert (given.count, given.reason, given.key, given.wall) == (2, "an outage", "master", NOW)
    log = await made.reset("T-1", "reopened", "master")
    (made_reset,) = log.resets
    assert (made_reset.used, made_reset.granted, made_reset.reason) == (1, 2, "reopened")
    assert await made.log("T-1") == log


async def test_two_grants_are_two():
    made = book()
    for _ in range(2):
        log = await made.grant("T-1", 1, "again", "master")
    assert log.granted == 2


async def test_logs_are_those_of_tickets_that_escalated_by_name():
    documents = MemoryDocuments()
    await documents.update(["other"], lambda seen: ({"other": b"1"}, None))
    made = book(documents)
    for ticket in ("T-2", "T-1"):
        await made.open(ticket, opening(ticket), ONE)
    assert [name for name, _ in await made.logs()] == ["T-1", "T-2"]
    assert await made.log("T-3") == EMPTY


async def test_a_refused_call_writes_nothing_and_its_session_is_not_known():
    documents = MemoryDocuments()
    made = book(documents)
    await made.open("T-1", opening("a"), ONE)
    before = await documents.scan(PREFIX)
    assert isinstance(await made.open("T-1", opening("b", "s"), ONE), LimitReached)
    assert await documents.scan(PREFIX) == before
    assert not made.knows("T-1", "s")


async def test_a_session_is_known_for_its_own_ticket_only():
    made = book()
    await made.open("T-1", opening(session="s"), ONE)
    assert made.knows("T-1", "s")
    assert not made.knows("T-2", "s")
    assert not made.knows("T-1", "")


async def test_the_sessions_that_were_seen_longest_ago_are_forgotten(monkeypatch):
    monkeypatch.setattr("tiergate.pipeline.escalations._MOST_REMEMBERED", 2)
    made = book()
    for ticket in ("T-1", "T-2"):
        await made.open(ticket, opening(session="s"), ONE)
    assert made.knows("T-1", "s")
    await made.open("T-3", opening(session="s"), ONE)
    assert [made.knows(t, "s") for t in ("T-1", "T-2", "T-3")] == [True, False, True]
