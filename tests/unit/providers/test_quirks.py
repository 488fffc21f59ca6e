"""Quirks of hosts."""

from __future__ import annotations

from tiergate.providers.hosts import ALL_HOSTS
from tiergate.providers.quirks import Quirk


def test_every_quirk_is_that_of_some_host() -> None:
    assert {quirk for host in ALL_HOSTS for quirk in host.quirks} == set(Quirk)
