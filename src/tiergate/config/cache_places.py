"""Reads where a cache outside the process is: the Redis of cached answers, or an S3 bucket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from tiergate.config.addresses import is_address
from tiergate.config.reading import Reader
from tiergate.config.redis_parts import PLAIN, read_environment, read_section
from tiergate.config.redis_place import plan_of
from tiergate.config.section import Section
from tiergate.core.cache_plan import BucketPlan
from tiergate.core.catalog import RedisPlan

_BUCKET: Final = "s3_bucket_name"


def read_cache_redis(
    section: Section,
    environ: Mapping[str, str],
    reader: Reader,
    *,
    shared: RedisPlan | None,
    look_up: bool,
) -> RedisPlan:
    """Return the Redis of cached answers.

    The one that `cache_params` names, completed by the login of the environment; else the one
    that replicas share (which may be that of the environment); else localhost.

    Args:
        section: `cache_params`.
        environ: The environment variables.
        reader: Where findings go.
        shared: The Redis that replicas share.
        look_up: False for `--no-env`: the environment names nothing.
    """
    parts = read_section(section, PLAIN, reader)
    if parts is not None and parts.names_server:
        environment = read_environment(environ, reader) if look_up else None
        return plan_of(parts, environment)
    if shared is not None:
        return shared
    return replace(RedisPlan(), host="localhost", named_by="the default")


def read_bucket(section: Section, reader: Reader, *, wanted: bool) -> BucketPlan | None:
    """Return the bucket of cached answers; None where its name is not given.

    Args:
        section: `cache_params`.
        reader: Where findings and the report go.
        wanted: `type: s3` asks for it.
    """
    spots = {name: section.take(name) for name in (_BUCKET, *_OTHERS)}
    typed = reader.typed
    name = typed.text(spots[_BUCKET])
    endpoint_spot = spots["s3_endpoint_url"]
    endpoint = typed.text(endpoint_spot)
    if endpoint is not None and endpoint_spot is not None and not is_address(endpoint):
        reader.findings.error(
            "bad-address",
            endpoint_spot.at,
            "is no address of an S3 store",
            "Write https://HOST or http://HOST:PORT.",
        )
    plan = BucketPlan(
        name=name or "",
        path=(typed.text(spots["s3_path"]) or "").strip("/"),
        region=typed.text(spots["s3_region_name"]),
        endpoint=endpoint,
        key_id=typed.text(spots["s3_aws_access_key_id"]),
        secret=typed.secret(spots["s3_aws_secret_access_key"]),
        token=typed.secret(spots["s3_aws_session_token"]),
    )
    if not wanted:
        return None
    if name is None:
        given = spots[_BUCKET]
        if given is None or not given.unresolved:
            reader.findings.error(
                "missing-key",
                section.at,
                "asks for S3, and names no bucket",
                "Write s3_bucket_name.",
            )
        return None
    reader.show("litellm_settings.cache_params.s3_bucket_name", name, spots[_BUCKET])
    return plan


_OTHERS: Final = (
    "s3_region_name",
    "s3_endpoint_url",
    "s3_aws_access_key_id",
    "s3_aws_secret_access_key",
    "s3_aws_session_token",
    "s3_path",
)
