"""What the configuration says of the response cache: its policy, and where answers are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from tiergate.base.values import Secret
from tiergate.core.caching import CachePolicy
from tiergate.core.meaning_plan import MeaningPlan
from tiergate.core.rules import RedisPlan


class CacheKind(Enum):
    """Where answers are kept. The value is the word in the file."""

    LOCAL = "local"
    DISK = "disk"
    REDIS = "redis"
    S3 = "s3"
    QDRANT = "qdrant"
    CHROMA = "chromadb"


LOCAL_BYTES = 64 * 1024 * 1024
"""What answers in memory may take in each worker, where nobody says how much."""

WAITS: Mapping[CacheKind, float] = MappingProxyType(
    {CacheKind.LOCAL: 0.1, CacheKind.DISK: 0.5, CacheKind.REDIS: 0.1, CacheKind.S3: 1.0}
    | {CacheKind.QDRANT: 0.5, CacheKind.CHROMA: 0.5}
)
"""Seconds that a request waits for a store at most, where nobody says how long."""

DISK_BYTES = 1024 * 1024 * 1024
"""What answers on disk may take, where nobody says how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketPlan:
    """Where an S3 bucket is.

    Attributes:
        name: Of the bucket.
        path: Before every key, without slashes at its ends; may be empty.
        region: Where nobody says, the login's own or `us-east-1`.
        endpoint: Of a store that speaks S3 and is not Amazon's.
        key_id: Of the login; None takes what the environment or the machine gives.
        secret: Of the login.
        token: Of a login for a time.
    """

    name: str
    path: str = ""
    region: str | None = None
    endpoint: str | None = None
    key_id: str | None = None
    secret: Secret | None = None
    token: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePlan:
    """The response cache.

    Attributes:
        policy: What is cached, for whom and for how long.
        kind: Where answers are kept.
        most_bytes: What they may take; for kinds that are bounded here.
        redis: With `redis`.
        bucket: With `s3`.
        directory: With `disk`; None takes the state directory.
        wait: Seconds for which a request waits for the store at most.
        encryption_key: Makes answers unreadable in a store outside the process.
        meaning: The semantic cache; None where there is none.
    """

    policy: CachePolicy = field(default_factory=CachePolicy)
    kind: CacheKind = CacheKind.LOCAL
    most_bytes: int = LOCAL_BYTES
    redis: RedisPlan | None = None
    bucket: BucketPlan | None = None
    directory: str | None = None
    wait: float = 0.1
    encryption_key: Secret | None = None
    meaning: MeaningPlan | None = None
