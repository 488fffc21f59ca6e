from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import KEY, MODELS, Bench, Loaded, load_rest, said
from tiergate.base.values import Secret
from tiergate.config.redis_place import address_of
from tiergate.core.catalog import RedisPlan, StoreKind

KEYS = {"ANTHROPIC_API_KEY": "k-anthropic", "OPENAI_API_KEY": "k-openai"}
CACHE = "litellm_settings: {cache: true, cache_params: {type: redis%s}}\n"


def found(folder: Path, rest: str, **environ: str) -> tuple[RedisPlan | None, Loaded]:
    loaded = load_rest(folder, rest, KEYS | environ)
    assert loaded.settings is not None, [str(finding) for finding in loaded.findings]
    return loaded.settings.stores.redis, loaded


@pytest.mark.parametrize(
    ("rest", "environ", "named_by"),
    [
        ("router_settings: {redis_host: r, redis_port: 7}\n", {}, "router_settings.redis_host"),
        (
            "general_settings: {coordination_redis: {host: r, port: 7}}\n",
            {},
            "general_settings.coordination_redis.host",
        ),
        (CACHE % ", host: r, port: 7", {}, "litellm_settings.cache_params.host"),
        (
            "router_settings: {cache_kwargs: {host: r, port: 7}}\n",
            {},
            "router_settings.cache_kwargs.host",
        ),
        (CACHE % "", {"REDIS_HOST": "r", "REDIS_PORT": "7"}, "REDIS_HOST"),
        ("{}\n", {"REDIS_HOST": "r", "REDIS_PORT": "7"}, "REDIS_HOST"),
    ],
)
def test_a_redis_that_is_named_once_anywhere_keeps_the_budgets(
    tmp_path: Path, rest: str, environ: dict[str, str], named_by: str
) -> None:
    plan, loaded = found(tmp_path, rest, **environ)

    assert plan == RedisPlan(host="r", port=7, named_by=named_by)
    assert loaded.settings is not None
    assert loaded.settings.stores.kind is StoreKind.REDIS


def test_a_whole_address_stands_alone(tmp_path: Path) -> None:
    url = "rediss://user:pw@r.example:6380/1"
    plan, _ = found(tmp_path, f"router_settings: {{redis_url: '{url}'}}\n", REDIS_PASSWORD="x")

    assert plan == RedisPlan(url=Secret(url), named_by="router_settings.redis_url")


def test_a_cluster_and_sentinels_can_be_named(tmp_path: Path) -> None:
    cluster, _ = found(
        tmp_path, CACHE % ", redis_startup_nodes: [{host: a, port: '7001'}], password: p"
    )
    sentinels, _ = found(
        tmp_path,
        "general_settings: {coordination_redis: {sentinel_nodes: [[a, 26379], 'b:26380'], "
        "service_name: main, sentinel_password: sp, ssl: true, ssl_cert_reqs: none}}\n",
    )

    assert cluster is not None
    assert (cluster.nodes, cluster.password) == ((("a", 7001),), Secret("p"))
    assert sentinels is not None
    assert sentinels.sentinels == (("a", 26379), ("b", 26380))
    assert (sentinels.service, sentinels.sentinel_password) == ("main", Secret("sp"))
    assert (sentinels.ssl, sentinels.verify) == (True, False)


def test_sentinels_without_a_service_stop_the_start(tmp_path: Path) -> None:
    text = "general_settings: {coordination_redis: {sentinel_nodes: [[a, 26379]]}}\n"

    assert len(said(load_rest(tmp_path, text), "missing-key")) == 1
    plan, _ = found(tmp_path, text, REDIS_SERVICE_NAME="main")
    assert plan is not None
    assert plan.service == "main"


def test_two_places_that_name_two_servers_are_an_error(tmp_path: Path) -> None:
    text = "general_settings: {coordination_redis: {%s}}\nrouter_settings: {redis_host: a}\n"

    for other in ("host: b", "host: a, port: 7", "host: a, db: 1", "url: 'redis://b'"):
        loaded = load_rest(tmp_path, text % other, KEYS)
        assert len(said(loaded, "conflicting-values")) == 1, other
    for same in ("host: A", "host: a, port: 6379", "url: 'redis://a:6379/0'"):
        found(tmp_path, text % same)


def test_the_cache_may_have_a_server_of_its_own(tmp_path: Path) -> None:
    plan, loaded = found(
        tmp_path, CACHE % ", host: cache" + "router_settings: {redis_host: shared}\n"
    )

    assert plan is not None
    assert plan.host == "shared"
    (line,) = said(loaded, "cache-redis-apart")
    assert "litellm_settings.cache_params.host" in line


def test_a_cache_without_a_server_leaves_the_budgets_in_the_file_and_says_so(
    tmp_path: Path,
) -> None:
    plan, loaded = found(tmp_path, CACHE % "")

    assert plan is None
    (line,) = said(loaded, "redis-not-named")
    assert "kept in a file and not in Redis" in line


@pytest.mark.parametrize(
    "rest",
    [
        "litellm_settings: {cache: false, cache_params: {type: redis, host: r}}\n",
        "litellm_settings: {cache: true, cache_params: {type: local, host: r}}\n",
    ],
)
def test_a_cache_that_is_off_or_elsewhere_names_no_redis(tmp_path: Path, rest: str) -> None:
    plan, _ = found(tmp_path, rest)

    assert plan is None


def test_the_environment_completes_the_login_of_the_server_it_may_be_for(tmp_path: Path) -> None:
    host = "router_settings: {redis_host: r}\n"
    login = {"REDIS_PASSWORD": "pw", "REDIS_USERNAME": "u", "REDIS_SSL": "True"}

    for more in ({}, {"REDIS_HOST": "r"}):
        plan, _ = found(tmp_path, host, **login, **more)
        assert plan is not None
        assert (plan.username, plan.password, plan.ssl) == ("u", Secret("pw"), True)
    for other in ({"REDIS_HOST": "elsewhere"}, {"REDIS_URL": "redis://elsewhere"}):
        plan, _ = found(tmp_path, host, **login, **other)
        assert plan is not None
        assert (plan.username, plan.password, plan.ssl) == (None, None, False)


def test_the_login_of_the_file_completes_the_server_of_the_environment(tmp_path: Path) -> None:
    plan, _ = found(
        tmp_path, "router_settings: {redis_password: pw, redis_db: 2}\n", REDIS_HOST="r"
    )

    assert plan == RedisPlan(host="r", db=2, password=Secret("pw"), named_by="REDIS_HOST")


def test_a_login_without_a_server_is_said(tmp_path: Path) -> None:
    plan, loaded = found(tmp_path, "router_settings: {redis_password: pw}\n")

    assert plan is None
    assert len(said(loaded, "redis-not-named")) == 1


def test_what_stands_beside_a_whole_address_is_an_error(tmp_path: Path) -> None:
    loaded = load_rest(
        tmp_path, "router_settings: {redis_url: 'redis://a', redis_host: b, redis_db: 1}\n"
    )

    assert len(said(loaded, "conflicting-values")) == 2
    assert loaded.settings is None


def test_the_namespace_keeps_gateways_apart(tmp_path: Path) -> None:
    plan, _ = found(
        tmp_path, "general_settings: {redis_namespace: team-a}\nrouter_settings: {redis_host: r}\n"
    )

    assert plan is not None
    assert plan.namespace == "team-a"
    for bad in ("'a{b}'", "'a b'", "''"):
        text = f"general_settings: {{redis_namespace: {bad}}}\n"
        assert load_rest(tmp_path, text).settings is None


def test_the_namespace_of_the_cache_is_the_caches(tmp_path: Path) -> None:
    plan, _ = found(tmp_path, CACHE % ", host: r, namespace: backlog")

    assert plan is not None
    assert plan.namespace == "tiergate"


def test_a_reference_that_is_not_looked_up_still_names_a_redis(tmp_path: Path) -> None:
    text = "router_settings: {redis_host: os.environ/R, redis_password: os.environ/P}\n"

    loaded = Bench(tmp_path).load(MODELS + KEY, text, environ={}, env=False)

    assert loaded.settings is not None
    assert loaded.settings.stores.kind is StoreKind.REDIS
    assert said(loaded, "redis-not-named") == []


@pytest.mark.parametrize(
    ("plan", "shown"),
    [
        (RedisPlan(host="r"), "r:6379"),
        (RedisPlan(host="r", port=7, db=3, password=Secret("pw")), "r:7/3"),
        (RedisPlan(url=Secret("redis://u:pw@r/0")), "r:6379"),
        (RedisPlan(url=Secret("unix:///run/redis.sock?db=1")), "/run/redis.sock"),
        (RedisPlan(nodes=(("a", 1), ("b", 2))), "the cluster of a:1, b:2"),
        (RedisPlan(sentinels=(("a", 1),), service="main"), "main of the sentinels a:1"),
        (RedisPlan(), "an address that could not be read"),
    ],
)
def test_an_address_is_shown_without_its_login(plan: RedisPlan, shown: str) -> None:
    assert address_of(plan) == shown
