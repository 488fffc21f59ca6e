"""Workers see different things; what all of them say together."""

from __future__ import annotations

from tiergate.core.sighting import Seen, Sighting, Standing, UnderWay, standings, under_way


def call(name: str, wall: float) -> UnderWay:
    return UnderWay(name, wall, "cheap", "chat", stream=False, key_name="k", ticket="", phase="")


def test_a_deployment_is_as_bad_as_the_worst_worker_says():
    one = Sighting(1, deployments=(Seen("a", "ready", fails=1, in_flight=2),))
    two = Sighting(2, deployments=(Seen("a", "cooling", 1060.0, "upstream", 4, 1),))
    assert standings([one, two]) == {
        "a": Standing("cooling", 1060.0, "upstream", 4, 3, away=1, workers=2)
    }
    assert standings([two, one]) == standings([one, two])


def test_the_latest_end_of_a_cooldown_counts():
    one = Sighting(1, deployments=(Seen("a", "cooling", 1060.0, "upstream"),))
    two = Sighting(2, deployments=(Seen("a", "cooling", 1090.0, "timeout"),))
    found = standings([two, one])["a"]
    assert (found.until, found.cause, found.away) == (1090.0, "timeout", 2)


def test_a_state_of_another_version_counts_as_ready():
    assert standings([Sighting(1, deployments=(Seen("a", "dreaming"),))])["a"].state == "ready"


def test_calls_of_all_workers_come_in_the_order_of_their_arrival():
    one = Sighting(1, (call("late", 30.0),), calls=1)
    two = Sighting(2, (call("first", 10.0), call("second", 20.0)), calls=70)
    calls, number = under_way([one, two])
    assert [each.call_id for each in calls] == ["first", "second", "late"]
    assert number == 71
