"""A place is named without its secrets."""

from __future__ import annotations

import pytest

from tiergate.base.values import Secret
from tiergate.stores.redis_place import RedisPlace

NODES = (("10.0.0.1", 7000), ("10.0.0.2", 7001))


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (RedisPlace(), "Redis at localhost:6379"),
        (RedisPlace(host="h", port=1, password=Secret("pw")), "Redis at h:1"),
        (RedisPlace(url=Secret("redis://u:pw@h/3")), "Redis at h:6379"),
        (RedisPlace(url=Secret("rediss://:pw@h:7/0")), "Redis at h:7"),
        (RedisPlace(url=Secret("unix:///run/redis.sock")), "Redis at /run/redis.sock"),
        (RedisPlace(url=Secret("redis://u:pw@h:port/0")), "Redis"),
        (RedisPlace(startup_nodes=NODES), "Redis cluster at 10.0.0.1:7000, 10.0.0.2:7001"),
        (
            RedisPlace(sentinel_nodes=NODES[:1], service_name="main"),
            "Redis main behind sentinels at 10.0.0.1:7000",
        ),
    ],
)
def test_its_name_tells_where_it_is_and_no_password(place, name):
    assert str(place) == name
    assert "pw" not in repr(place)


def test_sentinels_are_asked_for_a_name():
    with pytest.raises(ValueError, match="service_name"):
        RedisPlace(sentinel_nodes=NODES)
