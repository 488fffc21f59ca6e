"""Where a gateway keeps its files."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from tiergate.base.values import Secret
from tiergate.core.rules import RedisPlan
from tiergate.wiring.places import redis_place, state_directory


def test_the_configuration_wins_over_the_environment():
    environ = {"TIERGATE_STATE_DIR": "/from/environment", "XDG_STATE_HOME": "/state"}
    assert state_directory("/from/file", [], environ) == Path("/from/file")
    assert state_directory(None, [], environ) == Path("/from/environment")


def test_a_home_directory_may_be_written_short():
    assert state_directory("~/books", [], {}) == Path.home() / "books"


def test_otherwise_it_is_made_from_the_files_absolute_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environ = {"XDG_STATE_HOME": "/state"}
    one = state_directory(None, [Path("a.yaml")], environ)
    assert one.parent == Path("/state/tiergate")
    assert state_directory(None, [tmp_path / "a.yaml"], environ) == one
    assert state_directory(None, [Path("b.yaml")], environ) != one
    assert state_directory(None, [Path("a.yaml"), Path("b.yaml")], environ) != one


def test_without_a_state_home_it_is_in_the_users_home():
    found = state_directory(None, [Path("a.yaml")], {})
    assert found.parent == Path.home() / ".local" / "state" / "tiergate"


PLAN = RedisPlan(
    url=Secret("rediss://r.internal"),
    host="h",
    port=1,
    db=2,
    username="u",
    password=Secret("p"),
    ssl=True,
    nodes=(("n", 3),),
    sentinels=(("s", 4),),
    sentinel_password=Secret("q"),
    service="main",
    verify=False,
    ca_file="/etc/ca.pem",
    namespace="ours",
    named_by="redis_url",
)
OTHER_NAMES = {
    "nodes": "startup_nodes",
    "sentinels": "sentinel_nodes",
    "service": "service_name",
}


def test_everything_that_is_configured_of_a_redis_reaches_its_client():
    """Also the authorities of its certificate, and that it is not to be checked."""
    place = redis_place(PLAN)
    for field in fields(RedisPlan):
        if field.name != "named_by":
            name = OTHER_NAMES.get(field.name, field.name)
            assert getattr(place, name) == getattr(PLAN, field.name), name
