"""What a request says to the cache, in its body and in its headers."""

from __future__ import annotations

import json

import pytest

from support.engine import CHAT
from tiergate.base.errors import Refused
from tiergate.base.values import AliasName, Dialect, Operation
from tiergate.core.caching import NO_CONTROLS, Controls
from tiergate.ports import Inbound
from tiergate.web.caching import controls_of
from tiergate.wire.members import Members


def asked(**members: object) -> Inbound:
    return Inbound(
        call_id="c",
        received=0.0,
        wall=0.0,
        dialect=Dialect.OPENAI,
        operation=Operation.CHAT,
        asked="cheap",
        alias=AliasName("cheap"),
        stream=False,
        include_usage=False,
        members=Members.read(json.dumps({**CHAT, **members}).encode()),
    )


def test_most_requests_say_nothing():
    assert controls_of(asked(), {}) is NO_CONTROLS
    assert controls_of(asked(cache=None), {}) is NO_CONTROLS


def test_body_and_header_are_read_together():
    found = controls_of(asked(cache={"ttl": 5}), {"cache-control": "no-cache"})
    assert found == Controls(ttl=5.0, no_cache=True)
    assert controls_of(asked(), {"cache-control": "no-store"}) == Controls(no_store=True)


def test_what_is_wrong_is_refused():
    with pytest.raises(Refused) as caught:
        controls_of(asked(cache="no"), {})
    assert caught.value.code == "invalid_cache_control"
