"""Where a cache outside the process is: which Redis, which bucket."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import Bench
from tiergate.base.values import Secret
from tiergate.config.findings import Severity
from tiergate.core.cache_plan import CacheKind

MODELS = "model_list: [{model_name: cheap, litellm_params: {model: openai/m, api_key: sk-key}}]\n"


def load(folder: Path, params: str, rest: str = "", **more: object):
    text = f"{MODELS}litellm_settings: {{cache: true, cache_params: {{{params}}}}}\n{rest}"
    return Bench(folder).load(text, **more)


def plan(folder: Path, params: str, rest: str = "", **more: object):
    loaded = load(folder, params, rest, **more)
    assert loaded.settings is not None, [str(f) for f in loaded.findings]
    assert loaded.settings.cache is not None
    return loaded.settings.cache


def test_the_redis_of_the_section_is_the_cache_s(tmp_path):
    redis = plan(tmp_path, "type: redis, host: r1, port: 7000, password: pw, db: 2").redis
    assert (redis.host, redis.port, redis.db, redis.password) == ("r1", 7000, 2, Secret("pw"))


def test_the_environment_completes_the_login(tmp_path):
    redis = plan(tmp_path, "type: redis, host: r1", environ={"REDIS_PASSWORD": "pw"}).redis
    assert redis.password == Secret("pw")
    other = {"REDIS_HOST": "r2", "REDIS_PASSWORD": "pw"}
    assert plan(tmp_path, "type: redis, host: r1", environ=other).redis.password is None


def test_without_a_server_the_environment_s_counts_then_localhost(tmp_path):
    named = plan(tmp_path, "type: redis", environ={"REDIS_URL": "redis://r3:1/0"}).redis
    assert named.url == Secret("redis://r3:1/0")
    assert plan(tmp_path, "type: redis").redis.host == "localhost"


def test_without_a_server_the_shared_one_counts(tmp_path):
    rest = "router_settings: {redis_host: r4, redis_port: 1}\n"
    assert plan(tmp_path, "type: redis", rest).redis.host == "r4"


def test_a_cluster_is_taken_over(tmp_path):
    nodes = "redis_startup_nodes: [{host: n1, port: 7001}, {host: n2, port: 7002}]"
    redis = plan(tmp_path, f"type: redis, {nodes}").redis
    assert redis.nodes == (("n1", 7001), ("n2", 7002))


def test_a_bucket_is_read_whole(tmp_path):
    bucket = plan(
        tmp_path,
        "type: s3, s3_bucket_name: b, s3_path: /a/b/, s3_region_name: eu-west-1, "
        "s3_endpoint_url: 'http://s3:9000', s3_aws_access_key_id: id, "
        "s3_aws_secret_access_key: secret, s3_aws_session_token: token",
    ).bucket
    assert (bucket.name, bucket.path, bucket.region) == ("b", "a/b", "eu-west-1")
    assert (bucket.endpoint, bucket.key_id) == ("http://s3:9000", "id")
    assert (bucket.secret, bucket.token) == (Secret("secret"), Secret("token"))


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ("type: s3", "missing-key"),
        ("type: s3, s3_bucket_name: b, s3_endpoint_url: nowhere", "bad-address"),
        ("type: s3, s3_bucket_name: b, s3_endpoint_url: 'http://[x'", "bad-address"),
    ],
)
def test_a_bucket_that_cannot_be_reached_stops_the_start(tmp_path, params, code):
    loaded = load(tmp_path, params)
    errors = [f.code for f in loaded.findings if f.severity is Severity.ERROR]
    assert errors == [code]


def test_what_is_for_another_kind_is_no_part_of_the_plan(tmp_path):
    found = plan(tmp_path, "type: local, host: r1, s3_bucket_name: b")
    assert (found.kind, found.redis, found.bucket) == (CacheKind.LOCAL, None, None)
