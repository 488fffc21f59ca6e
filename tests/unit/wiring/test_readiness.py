"""What a load balancer and an operator are told, from parts in every state."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.attempts import deployment, settings
from tiergate import __version__
from tiergate.base.errors import FailureClass
from tiergate.core.catalog import Settings
from tiergate.core.cooldown import Mark
from tiergate.core.life import LEAVING, NO_PROVIDER, Life, Need
from tiergate.transport import Transport
from tiergate.wiring.money import Means, Money
from tiergate.wiring.readiness import Readiness
from tiergate.wiring.state import State

NOW = 1000.0
COOLING = Mark(until=NOW + 7.25, cause=FailureClass.TIMEOUT)
DEPLOYMENTS = (
    deployment("cheap", "a"),
    deployment("cheap", "b"),
    deployment("cheap", "z", off="another environment"),
    deployment("frontier", "f"),
    deployment("elsewhere", "e", off="another environment"),
)


class House:
    """A readiness, and the parts that it looks at."""

    def __init__(self, **life: object) -> None:
        self.settings: Settings = replace(settings(DEPLOYMENTS), life=Life(**life))
        self.marks = {}
        self.leaving = False
        self.keys_down = False
        self.cache: str | None = None
        means = Means(lambda inbound, deployment: 0, lambda deployment: None, None)
        self.money = Money(State.in_memory(), means, lambda alert: None)
        self.readiness = Readiness(
            settings=lambda: self.settings,
            marks=self.marks,
            money=self.money,
            transport=Transport(environ={}, clock=lambda: NOW),
            clock=lambda: NOW,
            leaving=lambda: self.leaving,
            keys_down=lambda: self.keys_down,
            cache_fault=lambda: self.cache,
        )

    def cool(self, *names: str) -> None:
        for name in names:
            self.marks[name] = COOLING

    @property
    def told(self) -> tuple[bool, str, list[str], list[str]]:
        ready, parts = self.readiness.readiness()
        return ready, parts["status"], parts["unready"], parts["faults"]


def test_a_gateway_whose_parts_are_well_is_ready_and_says_who_it_is():
    house = House()
    assert house.told == (True, "healthy", [], [])
    _, parts = house.readiness.readiness()
    assert parts["version"] == __version__
    assert (parts["db"], parts["cache"], parts["draining"]) == ("Not connected", None, False)
    assert "workers" not in parts


def test_one_that_leaves_is_not_ready_whatever_it_was_told():
    house = House()
    house.leaving = True
    assert house.told == (False, "unhealthy", [LEAVING], [])


@pytest.mark.parametrize("needs", [(), (Need.STORES,)])
def test_a_store_that_is_down_is_a_fault_and_makes_it_unready_if_it_is_needed(needs):
    house = House(unready_when=frozenset(needs))
    house.keys_down = True
    fault = "the key store does not answer"
    status = "unhealthy" if needs else "degraded"
    assert house.told == (not needs, status, [fault] if needs else [], [fault])


def test_a_cache_that_is_down_is_a_fault_and_never_makes_it_unready():
    house = House(unready_when=frozenset(Need))
    house.cache = "no route"
    assert house.told == (True, "degraded", [], ["the cache does not answer: no route"])


def test_an_alias_all_of_whose_deployments_cool_is_a_fault():
    house = House(unready_when=frozenset({Need.PROVIDERS}))
    house.cool("a")
    assert house.told == (True, "healthy", [], [])
    house.cool("b")
    fault = "no deployment of alias cheap can be called now"
    assert house.told == (True, "degraded", [], [fault])
    house.cool("f")
    ready, status, unready, faults = house.told
    assert (ready, status, unready) == (False, "unhealthy", [NO_PROVIDER])
    assert len(faults) == 2, "aliases that are switched off are nobody's fault"


def test_a_cooldown_that_is_over_lets_a_probe_through_so_it_counts_as_callable():
    house = House(unready_when=frozenset({Need.PROVIDERS}))
    for name in ("a", "b", "f"):
        house.marks[name] = Mark(until=NOW - 1)
    assert house.told[0] is True
    assert house.readiness.aliases()["frontier"] == {"probe allowed": 1}


def test_without_live_deployments_nothing_is_missed():
    house = House(unready_when=frozenset({Need.PROVIDERS}))
    house.settings = replace(house.settings, deployments=DEPLOYMENTS[-1:])
    assert house.told == (True, "healthy", [], [])


def test_the_deployments_of_each_alias_are_counted_by_state():
    house = House()
    house.cool("b")
    assert house.readiness.aliases() == {
        "cheap": {"ready": 1, "cooling": 1, "off": 1},
        "frontier": {"ready": 1},
        "elsewhere": {"off": 1},
    }


def test_why_a_deployment_is_set_aside_is_said_in_words():
    house = House()
    house.cool("a")
    words = house.readiness.why_cooling(DEPLOYMENTS[0])
    assert words == "cooling down for 7.2 s more after failures of the kind `timeout`"
    assert house.readiness.why_cooling(DEPLOYMENTS[1]) == ""
