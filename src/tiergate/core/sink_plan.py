"""What the configuration says of sinks: who is told about calls, where, and whether of words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from tiergate.core.alarms import AlarmKind
from tiergate.core.cache_plan import BucketPlan

NO_TEXTS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPlace:
    """An HTTP address that takes records (`generic_api`, `webhook`).

    Attributes:
        url: The address.
        headers: Sent with each request; a login may be among them.
        lines: Records are sent one on a line (`ndjson`) instead of as a list.
    """

    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    lines: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OtlpPlace:
    """An OTLP/HTTP address for traces.

    Attributes:
        url: Its whole address, `/v1/traces` included.
        headers: Sent with each request; a login may be among them.
        resource: Attributes of the resource, `service.name` among them.
        langfuse: Its spans carry the attributes of Langfuse instead of the GenAI conventions.
    """

    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    resource: Mapping[str, str] = field(default_factory=lambda: NO_TEXTS)
    langfuse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketPlace:
    """An S3 bucket; each record becomes an object.

    Attributes:
        bucket: Where it is, and its login.
        by_team: The name of the team stands in the key (`s3_use_team_prefix`).
    """

    bucket: BucketPlan
    by_team: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlace:
    """A file with one record on each line.

    Attributes:
        path: Of the file; empty for `calls.jsonl` in the state directory.
        most_bytes: Where a new file is begun.
        keep: How many old ones are kept beside it, as `PATH.1`, `PATH.2`.
    """

    path: str = ""
    most_bytes: int = 100 * 1024 * 1024
    keep: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomPlace:
    """A Python object of the operator's own.

    Attributes:
        name: `module.attribute`.
        folder: Where the module is: that of the file that names it.
    """

    name: str
    folder: str


Place: TypeAlias = WebhookPlace | OtlpPlace | BucketPlace | FilePlace | CustomPlace
"""Where a sink is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkPlan:
    """One sink.

    Attributes:
        name: As the file names it; a label of metrics, and the word by which calls switch it off.
        place: Where it is.
        on_success: Whether it is told about good calls.
        on_failure: Whether it is told about all others.
        words: Whether it gets the words of requests and answers.
        nameless: Records do not say whose key, user and team made the call
            (`redact_user_api_key_info`).
    """

    name: str
    place: Place
    on_success: bool = True
    on_failure: bool = True
    words: bool = False
    nameless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPlan:
    """Who is alerted of what.

    Attributes:
        chats: Addresses of Slack-compatible webhooks by kind of alarm.
        address: An address that gets each alarm as JSON (LiteLLM's `alerting: ["webhook"]`).
        slow_seconds: From here on a call is slow (`alerting_threshold`).
    """

    chats: Mapping[AlarmKind, tuple[str, ...]] = field(
        default_factory=lambda: MappingProxyType(dict[AlarmKind, tuple[str, ...]]()), repr=False
    )
    address: str | None = field(default=None, repr=False)
    slow_seconds: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkPlans:
    """All that the configuration says of sinks.

    Attributes:
        sinks: In the order of the file.
        alerts: None where nobody is alerted.
        may_disable: Whether a call, or a key, may switch sinks off
            (`allow_dynamic_callback_disabling`).
    """

    sinks: tuple[SinkPlan, ...] = ()
    alerts: AlertPlan | None = None
    may_disable: bool = True

    @property
    def words(self) -> bool:
        """Whether any sink gets the words of requests and answers."""
        return any(sink.words for sink in self.sinks)


NO_SINKS = SinkPlans()
