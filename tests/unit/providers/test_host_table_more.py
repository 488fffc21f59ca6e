"""The short rows."""

from __future__ import annotations

from tiergate.base.values import Dialect
from tiergate.providers.host_table_more import MORE_HOSTS
from tiergate.providers.quirks import Quirk


def test_these_hosts_are_plain() -> None:
    for host in MORE_HOSTS:
        assert (host.dialect, host.auth) == (Dialect.OPENAI, "bearer")
        assert host.quirks == {Quirk.NO_DEVELOPER_ROLE}


def test_their_rows_are_sorted_by_name() -> None:
    names = [host.name for host in MORE_HOSTS]
    assert names == sorted(names)
