from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from support.config_world import KEY, MODELS, Bench, Loaded, load_rest, said, small_world
from tiergate.base.values import Secret
from tiergate.config.load import load
from tiergate.config.stores import EXTRAS, describe_stores
from tiergate.core.catalog import (
    OnStoreFailure,
    RedisPlan,
    StoreKind,
    StorePlan,
)

SECRET = "s3cr3t-pw"
DATABASE = f"postgresql://tiergate:{SECRET}@db.example:5433/money"


def plan(loaded: Loaded) -> StorePlan:
    assert loaded.settings is not None, [str(finding) for finding in loaded.findings]
    return loaded.settings.stores


def stores_row(loaded: Loaded) -> tuple[str, str]:
    (row,) = (row for row in loaded.report if row.path == "stores")
    return row.value, row.origin.rpartition("/")[2]


def test_a_file_keeps_everything_where_nothing_is_named(tmp_path: Path) -> None:
    loaded = load_rest(tmp_path, "litellm_settings: {drop_params: true}\n")

    assert plan(loaded) == StorePlan()
    assert stores_row(loaded) == (
        "budgets, keys, escalations and ledger in SQLite in the state directory",
        "default",
    )


@pytest.mark.parametrize(
    ("rest", "environ", "origin"),
    [
        (f"general_settings: {{database_url: '{DATABASE}'}}\n", {}, "b.yaml:1"),
        ("{}\n", {"DATABASE_URL": DATABASE}, "environment DATABASE_URL"),
        (
            "general_settings: {database_url: os.environ/PG}\n",
            {"PG": DATABASE, "DATABASE_URL": "mysql://elsewhere"},
            "b.yaml:1",
        ),
    ],
)
def test_postgresql_is_named_by_the_file_or_else_by_the_environment(
    tmp_path: Path, rest: str, environ: dict[str, str], origin: str
) -> None:
    keys = {"ANTHROPIC_API_KEY": "k-anthropic", "OPENAI_API_KEY": "k-openai"}
    loaded = load_rest(tmp_path, rest, keys | environ)

    found = plan(loaded)
    assert (found.kind, found.database_url) == (StoreKind.POSTGRES, Secret(DATABASE))
    assert stores_row(loaded) == (
        "budgets, keys, escalations and ledger in PostgreSQL at db.example:5433/money",
        origin,
    )


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://u:s3cr3t-pw@h/db", "only PostgreSQL"),
        ("sqlite:///x.db", "state_dir"),
        ("postgresql+psycopg://u:s3cr3t-pw@h/db", "driver of another program"),
        ("u:s3cr3t-pw@h/db", "does not begin with SCHEME://"),
        ("http://u:s3cr3t-pw@h/db", "does not begin with postgresql://"),
        ("postgresql://u:s3cr3t-pw@h:port/db", "is not an address"),
        ("postgresql://u:s3cr3t-pw@h:0/db", "port 0"),
        ("postgresql://u:12/s3cr3t-pw@h/db", "must be written as %"),
        ("postgresql://u:s3cr3t-pw@h/db?schema=mine", "Prisma"),
    ],
)
def test_another_database_stops_the_start_and_no_password_is_shown(
    tmp_path: Path, url: str, says: str
) -> None:
    loaded = load_rest(tmp_path, f"general_settings: {{database_url: '{url}'}}\n")

    assert loaded.settings is None
    (line,) = said(loaded, "bad-address")
    assert says in line
    everything = f"{loaded.findings} {loaded.report} {loaded.draft}"
    assert SECRET not in everything


def test_a_variable_of_another_program_is_told_how_to_get_rid_of(tmp_path: Path) -> None:
    environ = {
        "ANTHROPIC_API_KEY": "k",
        "OPENAI_API_KEY": "k",
        "DATABASE_URL": "mysql://u:s3cr3t-pw@h/db",
    }
    loaded = load_rest(tmp_path, "{}\n", environ)

    (finding,) = (f for f in loaded.findings if f.code == "bad-address")
    assert "unset it" in finding.advice
    assert finding.path == "DATABASE_URL"


def test_options_of_prisma_are_left_out_and_others_kept_as_they_are(tmp_path: Path) -> None:
    query = "connection_limit=5&sslmode=require&options=-c%20search_path%3Dx&schema=public"
    loaded = load_rest(tmp_path, f"general_settings: {{database_url: '{DATABASE}?{query}'}}\n")

    url = plan(loaded).database_url
    assert url == Secret(f"{DATABASE}?sslmode=require&options=-c%20search_path%3Dx")
    (line,) = said(loaded, "read-as")
    assert "connection_limit, schema" in line


@pytest.mark.parametrize(
    "url",
    [
        DATABASE,
        f"{DATABASE}?sslmode=require&connection_limit=5&options=-c%20search_path%3Dx&pool_timeout=0",
        "postgres://u@a:5432,b:5433/db?target_session_attrs=read-write&pgbouncer=true",
        "postgresql:///db?host=/run/postgresql&schema=public",
        "postgresql://u:p%40w@[::1]:5432/db?statement_cache_size=0",
    ],
)
def test_what_is_taken_is_understood_by_libpq(tmp_path: Path, url: str) -> None:
    loaded = load_rest(tmp_path, f"general_settings: {{database_url: '{url}'}}\n")

    kept = plan(loaded).database_url
    assert kept is not None
    assert conninfo_to_dict(kept.value)["dbname"] in ("money", "db")


def test_with_both_postgresql_keeps_the_money_and_it_is_said(tmp_path: Path) -> None:
    loaded = load_rest(
        tmp_path,
        f"general_settings: {{database_url: '{DATABASE}'}}\nrouter_settings: {{redis_host: r}}\n",
    )

    found = plan(loaded)
    assert found.kind is StoreKind.POSTGRES
    assert found.redis is not None
    assert found.redis.host == "r"
    (line,) = said(loaded, "two-stores")
    assert "PostgreSQL keeps budgets, keys and the ledger" in line
    assert "router_settings.redis_host shares rate limits" in line


@pytest.mark.parametrize(
    ("rest", "extra"),
    [
        (f"general_settings: {{database_url: '{DATABASE}'}}\n", "postgres"),
        ("router_settings: {redis_host: r}\n", "redis"),
    ],
)
def test_a_store_whose_client_is_not_installed_stops_the_start(
    tmp_path: Path, rest: str, extra: str
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(MODELS + KEY + rest)
    environ = {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"}
    known = replace(small_world(), extras=EXTRAS - {extra})

    loaded = load([path], environ, known=known)

    assert loaded.settings is None
    (finding,) = (f for f in loaded.findings if f.code == "missing-extra")
    assert finding.advice == f"Run: pip install 'tiergate[{extra}]'."


@pytest.mark.parametrize(
    ("rest", "environ", "directory"),
    [
        ("general_settings: {state_dir: /var/lib/tiergate}\n", {}, "/var/lib/tiergate"),
        ("{}\n", {"TIERGATE_STATE_DIR": "/srv/t"}, "/srv/t"),
        ("general_settings: {state_dir: /a}\n", {"TIERGATE_STATE_DIR": "/b"}, "/a"),
    ],
)
def test_the_state_directory_is_named_by_the_file_or_else_by_the_environment(
    tmp_path: Path, rest: str, environ: dict[str, str], directory: str
) -> None:
    keys = {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"}
    loaded = load_rest(tmp_path, rest, keys | environ)

    assert plan(loaded) == StorePlan(directory=directory)
    assert stores_row(loaded)[0].endswith(f"in SQLite in {directory}")


def test_memory_keeps_nothing(tmp_path: Path) -> None:
    loaded = load_rest(tmp_path, "general_settings: {state_dir: ':memory:'}\n")

    assert plan(loaded) == StorePlan(kind=StoreKind.MEMORY, directory=":memory:")
    assert "a restart forgets them" in stores_row(loaded)[0]


def test_the_general_choice_for_a_store_that_is_down(tmp_path: Path) -> None:
    for each in OnStoreFailure:
        loaded = load_rest(tmp_path, f"general_settings: {{on_store_failure: {each.value}}}\n")

        assert plan(loaded).on_failure is each


def test_without_the_environment_nothing_of_it_is_used(tmp_path: Path) -> None:
    environ = {"DATABASE_URL": DATABASE, "REDIS_HOST": "r", "TIERGATE_STATE_DIR": "/x"}

    loaded = Bench(tmp_path).load(MODELS + KEY, environ=environ, env=False)

    assert plan(loaded) == StorePlan()


def test_a_reference_that_is_not_looked_up_still_names_its_store(tmp_path: Path) -> None:
    text = "general_settings: {database_url: os.environ/PG}\n"

    loaded = Bench(tmp_path).load(MODELS + KEY, text, environ={}, env=False)

    assert plan(loaded).kind is StoreKind.POSTGRES
    assert "an address that could not be read" in stores_row(loaded)[0]


def test_stores_are_described_without_logins() -> None:
    redis = RedisPlan(url=Secret(f"rediss://u:{SECRET}@r.example:6380/2"))
    money = StorePlan(kind=StoreKind.POSTGRES, database_url=Secret(DATABASE), redis=redis)
    shared = StorePlan(kind=StoreKind.REDIS, redis=redis, directory="/srv/t")

    assert describe_stores(money) == (
        "budgets, keys, escalations and ledger in PostgreSQL at db.example:5433/money; "
        "rate limits in Redis at r.example:6380/2"
    )
    assert describe_stores(shared) == (
        "budgets, keys and escalations in Redis at r.example:6380/2; "
        "ledger of this machine in SQLite in /srv/t"
    )
