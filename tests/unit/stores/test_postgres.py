"""How a PostgreSQL address is read, and what is said when nobody is there."""

from __future__ import annotations

import socket

import pytest
from psycopg.conninfo import conninfo_to_dict

from tiergate.base.values import Secret
from tiergate.ports import StoreDownError
from tiergate.stores.postgres import (
    PostgresDocuments,
    PostgresLedger,
    PostgresUrlError,
    _lock_number,
    _Target,
)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://u:hidden@h:7/name", "PostgreSQL at h:7/name"),
        ("postgres://u:hidden@h/name", "PostgreSQL at h:5432/name"),
        ("postgresql+psycopg://u:hidden@h/name", "PostgreSQL at h:5432/name"),
        ("host=h user=u password=hidden dbname=name", "PostgreSQL at h:5432/name"),
        ("postgresql://u:hidden@h", "PostgreSQL at h:5432"),
    ],
)
def test_an_address_is_named_without_its_password(url, place):
    target = _Target(Secret(url))

    assert target.place == place
    assert conninfo_to_dict(target._info)["password"] == "hidden"


def test_what_an_address_written_for_litellm_has_more_is_left_out():
    target = _Target(
        Secret(
            "postgresql://u:p%40w@h/name?connection_limit=10&pool_timeout=60&pgbouncer=true"
            "&schema=gate%20way&sslmode=require"
        )
    )

    info = conninfo_to_dict(target._info)
    assert info["options"] == '-csearch_path="gate\\ way"'
    assert info["sslmode"] == "require"
    assert info["password"] == "p@w"
    assert "connection_limit" not in info


def test_the_usual_schema_needs_no_option():
    info = conninfo_to_dict(_Target(Secret("postgresql://h/n?schema=public"))._info)

    assert "options" not in info


def test_ones_own_options_stay():
    info = conninfo_to_dict(_Target(Secret("postgresql://h/n?options=-cx%3D1&schema=s"))._info)

    assert info["options"] == '-cx=1 -csearch_path="s"'


def test_ones_own_time_limit_and_name_stay():
    info = conninfo_to_dict(
        _Target(Secret("postgresql://h/n?connect_timeout=9&application_name=mine"))._info
    )

    assert info["connect_timeout"] in (9, "9")
    assert info["application_name"] == "mine"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hidden@h/n?nonsense=1",
        "hidden",
        "postgresql://u:hidden@[h/n",
        "mysql://hidden@h/n",
    ],
)
@pytest.mark.parametrize("kind", [PostgresDocuments, PostgresLedger])
def test_an_address_that_cannot_be_read_is_not_repeated(url, kind):
    with pytest.raises(PostgresUrlError, match="database_url") as caught:
        kind.open(Secret(url))

    assert "hidden" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert isinstance(caught.value, StoreDownError)


@pytest.mark.parametrize("kind", [PostgresDocuments, PostgresLedger])
def test_nobody_there_is_said_without_the_password(kind):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # taken, and nobody listens
        port = taken.getsockname()[1]

        with pytest.raises(StoreDownError, match="refused") as caught:
            kind.open(Secret(f"postgresql://u:hidden@127.0.0.1:{port}/n"))

    assert str(caught.value).startswith(f"PostgreSQL at 127.0.0.1:{port}/n: ")
    assert "hidden" not in str(caught.value)


def test_locks_are_numbers_that_postgres_can_hold():
    numbers = {_lock_number(b"%d" % n) for n in range(1000)}

    assert len(numbers) == 1000
    assert all(-(1 << 63) <= number < 1 << 63 for number in numbers)
