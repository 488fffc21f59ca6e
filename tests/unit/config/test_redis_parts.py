from __future__ import annotations

from pathlib import Path

import pytest
from redis.asyncio.connection import parse_url

from support.config_world import load_rest, said
from tiergate.base.values import Secret
from tiergate.config.findings import Findings
from tiergate.config.reading import Reader
from tiergate.config.redis_parts import Parts, read_environment
from tiergate.config.typed import Typed


def environment(environ: dict[str, str]) -> tuple[Parts | None, list[str]]:
    findings = Findings()
    parts = read_environment(environ, Reader(findings, Typed(findings)))
    return parts, [finding.code for finding in findings.result()]


def test_an_environment_that_says_nothing_of_redis() -> None:
    assert environment({"PATH": "/bin", "REDIS_PORT": "6379", "REDIS_HOST": " "}) == (None, [])


def test_the_parts_of_a_server() -> None:
    parts, codes = environment(
        {
            "REDIS_HOST": "r",
            "REDIS_PORT": "7",
            "REDIS_DB": "2",
            "REDIS_USERNAME": "u",
            "REDIS_PASSWORD": "pw",
            "REDIS_SSL": "true",
            "REDIS_SSL_CERT_REQS": "none",
            "REDIS_SSL_CA_CERTS": "/ca.pem",
        }
    )

    assert codes == []
    assert parts is not None
    assert (parts.host, parts.port, parts.db, parts.username) == ("r", 7, 2, "u")
    assert (parts.password, parts.ssl, parts.verify, parts.ca_file) == (
        Secret("pw"),
        True,
        False,
        "/ca.pem",
    )
    assert (parts.label, parts.names_server) == ("REDIS_HOST", True)


@pytest.mark.parametrize(
    ("without", "label"),
    [
        ("", "REDIS_URL"),
        ("REDIS_URL", "REDIS_CLUSTER_NODES"),
        ("REDIS_URL REDIS_CLUSTER_NODES", "REDIS_SENTINEL_NODES"),
        ("REDIS_URL REDIS_CLUSTER_NODES REDIS_SENTINEL_NODES", "REDIS_HOST"),
    ],
)
def test_one_of_several_addresses_counts(without: str, label: str) -> None:
    environ = {
        "REDIS_URL": "redis://u",
        "REDIS_CLUSTER_NODES": '[{"host": "c", "port": 1}]',
        "REDIS_SENTINEL_NODES": '[["s", 2]]',
        "REDIS_SERVICE_NAME": "main",
        "REDIS_HOST": "h",
    }
    parts, codes = environment({k: v for k, v in environ.items() if k not in without.split()})

    assert codes == []
    assert parts is not None
    assert parts.label == label
    assert [bool(x) for x in (parts.url, parts.nodes, parts.sentinels, parts.host)] == [
        label == name
        for name in ("REDIS_URL", "REDIS_CLUSTER_NODES", "REDIS_SENTINEL_NODES", "REDIS_HOST")
    ]


def test_what_kubernetes_writes_for_a_service_named_redis_is_a_port() -> None:
    parts, codes = environment({"REDIS_HOST": "redis", "REDIS_PORT": "tcp://10.0.0.7:6380"})

    assert codes == []
    assert parts is not None
    assert parts.port == 6380


@pytest.mark.parametrize(
    "environ",
    [
        {"REDIS_HOST": "r", "REDIS_PORT": "many"},
        {"REDIS_HOST": "r", "REDIS_PORT": "70000"},
        {"REDIS_HOST": "r", "REDIS_DB": "-1"},
        {"REDIS_URL": "http://r"},
        {"REDIS_URL": "redis://"},
        {"REDIS_URL": "redis://r:0"},
        {"REDIS_URL": "redis://a:1,b:2"},
        {"REDIS_URL": "redis://u:12/pw@r"},
        {"REDIS_URL": "unix://"},
        {"REDIS_CLUSTER_NODES": "a:7001"},
        {"REDIS_CLUSTER_NODES": "[]"},
        {"REDIS_CLUSTER_NODES": '[{"host": "a"}]'},
        {"REDIS_SENTINEL_NODES": '[["a", true]]'},
        {"REDIS_SENTINEL_NODES": '["a:99999"]'},
    ],
)
def test_a_variable_that_is_not_understood_is_one_error(environ: dict[str, str]) -> None:
    _, codes = environment(environ)

    assert codes in (["bad-address"], ["wrong-type"])


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        ("redis_host: [r]", "wrong-type"),
        ("redis_host: r, redis_port: 70000", "wrong-type"),
        ("redis_url: 'r:6379'", "bad-address"),
        ("redis_host: r, cache_kwargs: {startup_nodes: [a]}", "bad-address"),
        ("redis_hots: r", "unknown-key"),
    ],
)
def test_a_section_that_is_not_understood_stops_the_start(
    tmp_path: Path, inner: str, code: str
) -> None:
    loaded = load_rest(tmp_path, f"router_settings: {{{inner}}}\n")

    assert loaded.settings is None
    assert len(said(loaded, code)) == 1


@pytest.mark.parametrize(
    "url",
    ["redis://r", "redis://:pw@r:7/2", "rediss://u:p%2Fw@[::1]:7", "unix:///run/r.sock?db=1"],
)
def test_an_address_that_is_taken_is_understood_by_the_client(url: str) -> None:
    parts, codes = environment({"REDIS_URL": url})

    assert codes == []
    assert parts is not None
    assert parts.url is not None
    assert set(parse_url(parts.url.value)) & {"host", "path"}


def test_a_password_in_an_address_is_never_shown(tmp_path: Path) -> None:
    loaded = load_rest(tmp_path, "router_settings: {redis_url: 'http://u:s3cr3t-pw@r'}\n")

    assert "s3cr3t-pw" not in f"{loaded.findings} {loaded.report} {loaded.draft}"
