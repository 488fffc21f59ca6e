"""The routes of escalations: who has them, one more, start again."""

from __future__ import annotations

import asyncio
import itertools
import logging

import pytest

from support.asking import answer, told
from tiergate.base.errors import Refused
from tiergate.core.caller import Caller
from tiergate.core.escalation import Opening
from tiergate.core.phases import EscalationPolicy
from tiergate.pipeline.escalations import EscalationBook
from tiergate.ports import StoreDownError
from tiergate.stores.documents_memory import MemoryDocuments
from tiergate.web.escalations import EscalationRoutes

NOW = 1_790_000_000.0
POLICY = EscalationPolicy(alias="frontier", limit=1)
ADMIN = Caller(name="master", admin=True)


class House:
    """The routes over a book of their own."""

    def __init__(self, policy: EscalationPolicy | None = POLICY, documents=None) -> None:
        ids = itertools.count(1)
        self.book = EscalationBook(
            documents or MemoryDocuments(), lambda: NOW, lambda: f"id{next(ids)}"
        )
        self.routes = EscalationRoutes(self.book, lambda: policy).routes()

    def opened(self, ticket: str, call: str = "c1", wall: float = NOW, session: str = "") -> None:
        ask = Opening(call_id=call, reason="stuck", wall=wall, key="build", session=session)
        asyncio.run(self.book.open(ticket, ask, EscalationPolicy(alias="frontier", limit=9)))

    def get(self, query: str = ""):
        return answer(told(self.routes, "/escalations", query))

    def post(self, verb: str, **body):
        path = f"/escalations/{verb}"
        return answer(told(self.routes, path, method="POST", body=body, caller=ADMIN))

    def refused(self, verb: str, **body) -> Refused:
        with pytest.raises(Refused) as caught:
            self.post(verb, **body)
        return caught.value


def test_a_ticket_is_shown_with_everything_that_became_of_it():
    house = House()
    house.opened("T-1", session="s-1")
    house.post("grant", ticket="T-1", reason="an outage", count=2)
    shown = house.get("ticket=T-1")
    assert (shown["alias"], shown["limit"], shown["ticket"]) == ("frontier", 1, "T-1")
    assert (shown["count"], shown["granted"], shown["allowed"], shown["left"]) == (1, 2, 3, 2)
    (row,) = shown["openings"]
    assert row["at"].startswith("2026-09-21T")
    assert (row["session_id"], row["call_id"], row["key"]) == ("s-1", "c1", "build")
    assert (row["reason"], row["counts"]) == ("stuck", True)
    assert shown["grants"][0]["reason"] == "an outage"
    house.post("reset", ticket="T-1", reason="reopened")
    shown = house.get("ticket=T-1")
    assert (shown["count"], shown["granted"], shown["left"]) == (0, 0, 1)
    assert shown["openings"][0]["counts"] is False
    assert (shown["resets"][0]["count"], shown["resets"][0]["granted"]) == (1, 2)


def test_a_ticket_that_never_escalated_has_an_empty_form():
    shown = House().get("ticket=T-9")
    assert (shown["count"], shown["left"], shown["openings"]) == (0, 1, [])


def test_tickets_are_listed_the_latest_first():
    house = House()
    for number in range(5):
        house.opened(f"T-{number}", wall=NOW + number)
    listed = house.get("limit=2")
    assert [row["ticket"] for row in listed["tickets"]] == ["T-4", "T-3"]
    assert listed["total"] == 5


class Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def test_a_change_is_logged_with_who_and_why():
    logger, kept = logging.getLogger("tiergate.escalations"), Kept()
    logger.addHandler(kept)
    logger.setLevel(logging.INFO)
    try:
        house = House()
        house.post("grant", ticket="T-1", reason="an outage", count=2)
        house.post("reset", ticket="T-1", reason="reopened")
    finally:
        logger.removeHandler(kept)
        logger.setLevel(logging.NOTSET)
    assert [r.getMessage() for r in kept.records] == ["escalations granted", "escalations reset"]
    granted = vars(kept.records[0])
    assert [granted[k] for k in ("ticket", "count", "reason", "by")] == [
        "T-1",
        2,
        "an outage",
        "master",
    ]


@pytest.mark.parametrize("count", [0, -1, 1001, True, 1.5, "2", None])
def test_a_count_is_a_whole_number(count):
    refused = House().refused("grant", ticket="T-1", reason="r", count=count)
    assert (refused.status, refused.param) == (400, "count")


@pytest.mark.parametrize("verb", ["grant", "reset"])
@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"reason": "r"}, "ticket"),
        ({"ticket": "T-1"}, "reason"),
        ({"ticket": "T-1", "reason": "  "}, "reason"),
        ({"ticket": "T-1", "reason": 5}, "reason"),
        ({"ticket": "x" * 257, "reason": "r"}, "ticket"),
        ({"ticket": "a\nb", "reason": "r"}, "ticket"),
        ({"ticket": True, "reason": "r"}, "ticket"),
        ({"ticket": "T-1", "reason": "r", "tickt": "T"}, "tickt"),
    ],
)
def test_what_is_missing_or_not_known_is_refused_by_name(verb, body, param):
    house = House()
    refused = house.refused(verb, **body)
    assert (refused.status, refused.param) == (400, param)
    assert house.get()["total"] == 0


def test_a_ticket_may_be_a_number():
    house = House()
    house.post("grant", ticket=17, reason="r")
    assert house.get("ticket=17")["granted"] == 1


@pytest.mark.parametrize("policy", [None, EscalationPolicy(alias="frontier")])
def test_without_a_limit_there_is_nothing_to_change_and_still_to_see(policy):
    house = House(policy)
    for verb in ("grant", "reset"):
        assert house.refused(verb, ticket="T", reason="r").code == "escalations_not_limited"
    house.opened("T-1")
    shown = house.get("ticket=T-1")
    assert (shown["count"], shown["allowed"], shown["left"]) == (1, None, None)


class Away(MemoryDocuments):
    """A store that does not answer."""

    async def update(self, keys, change):
        raise StoreDownError("no answer")

    async def read(self, keys):
        raise StoreDownError("no answer")

    async def scan(self, prefix):
        raise StoreDownError("no answer")


def test_a_store_that_is_away_is_told_by_each_route():
    house = House(documents=Away())
    for ask in (
        house.get,
        lambda: house.get("ticket=T-1"),
        lambda: house.post("grant", ticket="T", reason="r"),
        lambda: house.post("reset", ticket="T", reason="r"),
    ):
        with pytest.raises(Refused) as caught:
            ask()
        assert (caught.value.status, caught.value.code) == (503, "escalation_store_unavailable")


def test_the_routes_are_for_administrators():
    assert not any(route.keys for route in House().routes)
