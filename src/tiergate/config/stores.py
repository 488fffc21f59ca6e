"""Reads where budgets, keys and the ledger are kept, and what holds while that place is down.

A file is enough for all workers of one machine; PostgreSQL or Redis share between machines. Which
Redis is meant is decided in `redis_place`. Nothing is opened here and no server is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from tiergate.base.values import Position, Secret
from tiergate.config.addresses import shown_hosts, split_address
from tiergate.config.findings import At
from tiergate.config.keycheck import KeyCheck
from tiergate.config.reading import DEFAULT, Reader, Resolved, Sections
from tiergate.config.redis_place import Found, address_of, read_redis
from tiergate.config.section import Spot
from tiergate.core.catalog import OnStoreFailure, StoreKind, StorePlan

EXTRAS: Final = frozenset(
    {"chroma", "encryption", "minilm", "postgres", "qdrant", "redis", "s3", "semantic"}
)
"""The optional parts of an installation that stores need."""

IN_MEMORY: Final = ":memory:"
"""As `state_dir`: nothing outlives the process."""

STATE_VARIABLE: Final = "TIERGATE_STATE_DIR"
DATABASE_VARIABLE: Final = "DATABASE_URL"

_PATH: Final = "general_settings.database_url"
_FORM: Final = "Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE."
_OF_PRISMA: Final = frozenset(
    {
        "connection_limit",
        "pgbouncer",
        "pool_timeout",
        "schema",
        "socket_timeout",
        "statement_cache_size",
        "sslaccept",
        "sslidentity",
    }
)
"""Options in the address that only LiteLLM's database layer knows; libpq refuses them
(prisma.io, "PostgreSQL connection URLs").
"""


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores with the place that names them.

    Attributes:
        plan: Where everything is kept.
        at: The place of `state_dir` where it says `:memory:`, for the warning about budgets.
    """

    plan: StorePlan
    at: At


def on_failure_of(spot: Spot | None, reader: Reader) -> OnStoreFailure | None:
    """Return what a budget does while its store is down; None where nothing is written."""
    word = reader.typed.choice(spot, tuple(each.value for each in OnStoreFailure))
    return None if word is None else OnStoreFailure(word)


def read_stores(
    sections: Sections,
    environ: Mapping[str, str],
    extras: AbstractSet[str],
    reader: Reader,
    check: KeyCheck,
    *,
    look_up: bool,
) -> Stores:
    """Return where things are kept.

    Args:
        sections: The sections of the file.
        environ: The environment variables.
        extras: The optional parts that are installed; see `EXTRAS`.
        reader: Where findings and the report go.
        check: Reports keys that nobody reads.
        look_up: False for `--no-env`: the environment names nothing.
    """
    spot = sections.general.take("on_store_failure")
    on_failure = on_failure_of(spot, reader) or OnStoreFailure.ALLOW_LEASED
    reader.show("general_settings.on_store_failure", on_failure.value, spot)
    url, url_at = _database(sections, environ, reader, look_up=look_up)
    redis = read_redis(sections, environ, reader, check, look_up=look_up)
    directory, directory_at = _directory(sections, environ, reader, look_up=look_up)
    if url_at is not None and "postgres" not in extras:
        _say_missing("postgres", "psycopg", "PostgreSQL", url_at, reader)
    if redis is not None and "redis" not in extras:
        _say_missing("redis", "redis", "Redis", redis.at, reader)
    if url_at is not None and redis is not None:
        reader.findings.notice(
            "two-stores",
            redis.at,
            f"PostgreSQL keeps budgets, keys and the ledger ({url_at.path}); the Redis of "
            f"{redis.plan.named_by} shares rate limits",
        )
    plan = StorePlan(
        kind=_kind(url_at, redis, directory),
        database_url=url,
        redis=redis.plan if redis else None,
        directory=directory,
        on_failure=on_failure,
    )
    origin = url_at or (redis.at if redis else directory_at)
    reader.rows.append(Resolved("stores", describe_stores(plan), _origin(origin)))
    return Stores(plan, directory_at or At("general_settings", sections.general.position))


def describe_stores(plan: StorePlan) -> str:
    """Return in one line where budgets, keys and the ledger are, without any login."""
    place = f"in {plan.directory}" if plan.directory else "in the state directory"
    file = "the memory of this process" if plan.directory == IN_MEMORY else f"SQLite {place}"
    match plan.kind:
        case StoreKind.MEMORY:
            return f"budgets, keys, escalations and ledger in {file}: a restart forgets them"
        case StoreKind.SQLITE:
            return f"budgets, keys, escalations and ledger in {file}"
        case StoreKind.REDIS:
            where = address_of(plan.redis) if plan.redis else ""
            also = f"ledger of this machine in {file}"
            return f"budgets, keys and escalations in Redis at {where}; {also}"
        case StoreKind.POSTGRES:
            url = plan.database_url
            where = _database_address(url) if url else "an address that could not be read"
            also = f"; rate limits in Redis at {address_of(plan.redis)}" if plan.redis else ""
            return f"budgets, keys, escalations and ledger in PostgreSQL at {where}{also}"


def _kind(database: At | None, redis: Found | None, directory: str | None) -> StoreKind:
    if database is not None:
        return StoreKind.POSTGRES
    if redis is not None:
        return StoreKind.REDIS
    return StoreKind.MEMORY if directory == IN_MEMORY else StoreKind.SQLITE


def _origin(at: At | None) -> str:
    if at is None:
        return DEFAULT
    return str(at.position) if at.position.line else f"environment {at.path}"


def _say_missing(extra: str, module: str, what: str, at: At, reader: Reader) -> None:
    reader.findings.error(
        "missing-extra",
        at,
        f"{what} is named, and the Python package {module} that speaks with it is not installed",
        f"Run: pip install 'tiergate[{extra}]'.",
    )


def _database(
    sections: Sections, environ: Mapping[str, str], reader: Reader, *, look_up: bool
) -> tuple[Secret | None, At | None]:
    """Return the address of PostgreSQL and the place that names it.

    LiteLLM takes DATABASE_URL where the file gives no `database_url`; so it is here.
    """
    spot = sections.general.take("database_url")
    if spot is not None:
        url, at = reader.typed.secret(spot), spot.at
        reader.show(_PATH, None, spot, text="set")
    else:
        text = environ.get(DATABASE_VARIABLE, "").strip() if look_up else ""
        if not text:
            return None, None
        url, at = Secret(text), At(DATABASE_VARIABLE, Position("environment", 0))
        reader.rows.append(Resolved(_PATH, "set", f"environment {DATABASE_VARIABLE}"))
    return (_usable(url, at, reader) if url is not None else None), at


def _usable(url: Secret, at: At, reader: Reader) -> Secret | None:
    """Return an address that libpq understands; the text is never quoted."""
    parts = split_address(url.value)
    if isinstance(parts, str):
        reader.findings.error("bad-address", at, parts, _FORM)
        return None
    fault = _other_database(parts.scheme)
    if fault:
        if at.path == DATABASE_VARIABLE:
            advice = f"{_FORM} If the variable is for another program, unset it here."
        else:
            advice = _FORM
        reader.findings.error("bad-address", at, fault, advice)
        return None
    # Not put together anew from its parts: `postgresql:///db` would lose two of its slashes.
    head, _, _ = url.value.strip().partition("?")
    query = _for_libpq(parts.query, at, reader)
    return Secret(f"{head}?{query}" if query else head)


def _other_database(scheme: str) -> str:
    """Return what is wrong with the scheme of an address; empty for PostgreSQL's."""
    if scheme in ("postgresql", "postgres"):
        return ""
    if scheme.partition("+")[0] in ("postgresql", "postgres"):
        return f"begins with {scheme}://, which names a driver of another program"
    if scheme in ("sqlite", "file"):
        return "names a SQLite file, which needs no address: see general_settings.state_dir"
    if scheme in ("mysql", "mariadb", "mongodb", "mssql", "sqlserver", "oracle"):
        return f"begins with {scheme}://, and only PostgreSQL is served"
    return "does not begin with postgresql://"


def _for_libpq(query: str, at: At, reader: Reader) -> str:
    """Return the options without those of Prisma, which libpq refuses."""
    given = parse_qsl(query, keep_blank_values=True)
    for name, value in given:
        if name == "schema" and value != "public":
            reader.findings.error(
                "bad-address",
                at,
                "has the option schema, which is one of Prisma",
                "Write options=-csearch_path%3DNAME in its place.",
            )
    dropped = sorted({name for name, _ in given if name in _OF_PRISMA})
    if not dropped:
        return query
    reader.findings.notice(
        "read-as", at, f"is read without {', '.join(dropped)}: options of Prisma only"
    )
    # libpq takes a plus for what it is, and only %20 for a blank.
    return urlencode([pair for pair in given if pair[0] not in _OF_PRISMA], quote_via=quote)


def _database_address(url: Secret) -> str:
    parts = split_address(url.value)
    if isinstance(parts, str):
        return "an address that could not be read"
    return f"{shown_hosts(parts) or 'the local socket'}{parts.path}"


def _directory(
    sections: Sections, environ: Mapping[str, str], reader: Reader, *, look_up: bool
) -> tuple[str | None, At | None]:
    spot = sections.general.take("state_dir")
    path = reader.typed.text(spot)
    if spot is not None:
        reader.show("general_settings.state_dir", path, spot)
        return path, spot.at
    text = environ.get(STATE_VARIABLE, "").strip() if look_up else ""
    if not text:
        reader.show("general_settings.state_dir", None, None, text="~/.local/state/tiergate/...")
        return None, None
    at = At(STATE_VARIABLE, Position("environment", 0))
    reader.rows.append(
        Resolved("general_settings.state_dir", text, f"environment {STATE_VARIABLE}")
    )
    return text, at
