"""Turn a request body into an `Inbound` call and a `Wish`: what is asked, and how.

Checks the shape of the fields everybody knows; fields of the caller's own dialect that nobody
knows here pass untouched. Fields meant for the gateway are taken out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import AliasName, Dialect, Operation
from tiergate.core.catalog import Catalog, ChainKind, RouterPolicy
from tiergate.core.plan import Wish
from tiergate.core.tags import parse_tag_header, parse_tags, sort_tags
from tiergate.ports import Inbound
from tiergate.web.fields import read_fields
from tiergate.wire.members import BodyError, Members, encode

CONTROL = frozenset(
    {
        "fallbacks",
        "context_window_fallbacks",
        "content_policy_fallbacks",
        "disable_fallbacks",
        "num_retries",
        "max_retries",
        "timeout",
        "request_timeout",
        "stream_timeout",
        "tags",
        "cache",
        "guardrails",
        "mock_testing_fallbacks",
        "mock_testing_context_fallbacks",
        "mock_testing_content_policy_fallbacks",
        "litellm_metadata",
        "litellm_call_id",
        "litellm_trace_id",
        "litellm_session_id",
        "session_id",
    }
)
"""Body members that speak to the gateway (LiteLLM's names); none is ever sent to a provider."""

FORBIDDEN = frozenset({"api_base", "base_url", "api_key", "api_version", "extra_headers"})
"""Members by which a caller could send prompts elsewhere or choose a provider's key."""

GATEWAY_METADATA = frozenset(
    {
        "tags",
        "ticket_id",
        "phase",
        "workflow",
        "escalation_reason",
        "session_id",
        "guardrails",
        "trace_id",
        "generation_name",
    }
)
"""Entries of `metadata` that the gateway reads; they are taken out before a call goes on."""

_DRILLS = (
    ("mock_testing_fallbacks", ChainKind.GENERAL),
    ("mock_testing_context_fallbacks", ChainKind.CONTEXT_WINDOW),
    ("mock_testing_content_policy_fallbacks", ChainKind.CONTENT_POLICY),
)
HEADERS = frozenset({"x-litellm-tags", "x-litellm-num-retries", "x-litellm-timeout"})
"""Request headers that ask something of the attempt machine."""

_API_HEADERS = ("anthropic-beta", "anthropic-version")
_STREAMED = frozenset({Operation.CHAT, Operation.COMPLETION})
_MAX_RETRIES = 20


@dataclass(frozen=True, slots=True)
class RequestRules:
    """What reading a request depends on; made once per configuration."""

    catalog: Catalog
    router: RouterPolicy
    environment_names: frozenset[str]
    names: Mapping[str, AliasName]
    """Every name a caller may use, mapped to its alias."""

    @staticmethod
    def of(
        catalog: Catalog, router: RouterPolicy, environment_names: frozenset[str]
    ) -> RequestRules:
        """Collect the rules of a configuration."""
        names: dict[str, AliasName] = {str(name): name for name in catalog.aliases}
        names.update(router.alias_of)
        return RequestRules(catalog, router, environment_names, names)


# Not frozen: some are made for every request, and a frozen one costs twice as much to make.
@dataclass(slots=True)
class Arrival:
    """What is known of a request besides its body."""

    dialect: Dialect
    operation: Operation
    headers: Mapping[str, str]
    query: str
    call_id: str
    received: float
    wall: float


def read_request(body: bytes, arrival: Arrival, rules: RequestRules) -> tuple[Inbound, Wish]:
    """Read a request.

    Raises:
        Refused: 400 with a sentence that names the field; 404 is never given for a model that
            OpenAI callers ask for (400 `model_not_found`, as LiteLLM).
    """
    try:
        members = Members.read(body)
        _check_forbidden(members)
        fields = read_fields(members, arrival.dialect, arrival.operation)
        alias, asked = _alias(fields.model, arrival, rules)
        stream = bool(fields.stream) and arrival.operation in _STREAMED
        control: tuple[str, ...] = ()
        if not members.has_none(CONTROL):
            control = tuple(name for name in members.names() if name in CONTROL)
        metadata = fields.metadata or {}
        inbound = Inbound(
            call_id=arrival.call_id,
            received=arrival.received,
            wall=arrival.wall,
            dialect=arrival.dialect,
            operation=arrival.operation,
            asked=asked,
            alias=alias,
            stream=stream,
            include_usage=stream and fields.includes_usage,
            members=members,
            control=control,
            metadata=_kept(metadata) if metadata else None,
            forward=_forward(arrival.headers) if arrival.dialect is Dialect.ANTHROPIC else (),
            query=arrival.query,
            user=fields.end_user,
        )
        return inbound, _wish(inbound, metadata, arrival, rules)
    except BodyError as exc:
        raise Refused(400, str(exc), code="invalid_json") from None


def _check_forbidden(members: Members) -> None:
    """Refuse members that a caller may not set."""
    if members.has_none(FORBIDDEN):
        return
    name = next(name for name in members.names() if name in FORBIDDEN)
    raise Refused(
        400,
        f"`{name}` cannot be set by a request: where a call goes, and with which key, "
        "is the gateway's configuration.",
        param=name,
        code="forbidden_parameter",
    )


def _alias(asked: str | None, arrival: Arrival, rules: RequestRules) -> tuple[AliasName, str]:
    if not asked:
        raise Refused(400, "`model` is required: the name of an alias.", param="model")
    alias = rules.names.get(asked)
    if alias is None:
        raise unknown_model(asked, rules, arrival)
    return alias, asked


def unknown_model(asked: str, rules: RequestRules, arrival: Arrival) -> Refused:
    """Make the refusal of a name that is no alias; it lists the names that are."""
    shown = asked if len(asked) <= 100 else f"{asked[:100]}..."
    known = ", ".join(visible_names(rules))
    counting = arrival.operation is Operation.COUNT_TOKENS
    return Refused(
        404 if counting else 400,
        f"There is no model alias `{shown}`. Callers name aliases, not provider models. "
        f"Known aliases: {known}.",
        code="model_not_found",
        anthropic_type="not_found_error",
        param="model",
    )


def visible_names(rules: RequestRules) -> list[str]:
    """Return the names that `/v1/models` lists: aliases first, then their other names."""
    return [name for name in rules.names if name not in rules.router.hidden_aliases]


def _kept(metadata: JsonObject) -> bytes | None:
    """Return what is left of the metadata for the provider (see `Inbound.metadata`)."""
    if GATEWAY_METADATA.isdisjoint(metadata):
        return None
    left = {name: value for name, value in metadata.items() if name not in GATEWAY_METADATA}
    return encode(left) if left else b""


def _forward(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, headers[name]) for name in _API_HEADERS if name in headers)


def _wish(inbound: Inbound, metadata: JsonObject, arrival: Arrival, rules: RequestRules) -> Wish:
    """Collect what the request asks of the attempt machine; most requests ask nothing."""
    headers = arrival.headers
    plain = not inbound.control and HEADERS.isdisjoint(headers)
    if plain and not metadata:
        return Wish(alias=inbound.alias, stream=inbound.stream)
    members = inbound.members
    _refuse_guardrails(members, metadata)
    if members.get("stream_timeout") is not None:
        raise Refused(
            400,
            "`stream_timeout` cannot be set by a request; it is a setting of the deployment or of "
            "litellm_settings. `timeout` shortens the wait for the first content.",
            param="stream_timeout",
            code="unsupported_parameter",
        )
    raw_tags = _tags(members, metadata, headers)
    retries = _integer(members.get("num_retries"), "num_retries")
    if retries is None:
        retries = _integer(members.get("max_retries"), "max_retries")
    if (text := headers.get("x-litellm-num-retries")) is not None:
        retries = _integer(_number_of(text), "x-litellm-num-retries")
    return Wish(
        alias=inbound.alias,
        tags=sort_tags(raw_tags, rules.environment_names),
        stream=inbound.stream,
        fallbacks=_chain(members, "fallbacks", rules),
        context_window_fallbacks=_chain(members, "context_window_fallbacks", rules),
        content_policy_fallbacks=_chain(members, "content_policy_fallbacks", rules),
        disable_fallbacks=_flag(members, "disable_fallbacks"),
        num_retries=retries,
        timeout=_timeout(members, headers),
        drill=_drill(members, rules),
    )


def _tags(members: Members, metadata: JsonObject, headers: Mapping[str, str]) -> tuple[str, ...]:
    """Collect tags: the body's win over the header's, as in LiteLLM."""
    found: tuple[str, ...] = ()
    if "tags" in metadata:
        found += parse_tags(metadata["tags"], "metadata.tags")
    if "tags" in members:
        found += parse_tags(members.get("tags"), "tags")
    side = members.get("litellm_metadata") if "litellm_metadata" in members else None
    if isinstance(side, dict) and "tags" in side:
        found += parse_tags(side["tags"], "litellm_metadata.tags")
    if not found and (text := headers.get("x-litellm-tags")) is not None:
        found = parse_tag_header(text)
    return tuple(dict.fromkeys(found))


def _chain(members: Members, name: str, rules: RequestRules) -> tuple[AliasName, ...] | None:
    """Return the request's own list for a chain; None when it gives none.

    LiteLLM takes a list of names, of `{"model": name}`, or of `{alias: [names]}`; the last form
    is the configuration's and is refused here, since a request asks for one alias.
    """
    value = members.get(name) if name in members else None
    if value is None:
        return None
    found: list[AliasName] = []
    for entry in value if isinstance(value, list) else [None]:
        asked = entry.get("model") if isinstance(entry, dict) else entry
        alias = rules.names.get(asked) if isinstance(asked, str) else None
        if alias is None:
            raise Refused(
                400,
                f'`{name}` must be a list of aliases, such as ["balanced"]; known are '
                f"{', '.join(visible_names(rules))}.",
                param=name,
            )
        found.append(alias)
    return tuple(found)


def _flag(members: Members, name: str) -> bool:
    """Return a switch of the request; absent and null are off."""
    value = members.get(name) if name in members else None
    if value is not None and not isinstance(value, bool):
        raise Refused(400, f"`{name}` must be true or false.", param=name, code="invalid_type")
    return value is True


def _refuse_guardrails(members: Members, metadata: JsonObject) -> None:
    """A request that asks for a check must not be served without it."""
    in_body = "guardrails" in members and members.get("guardrails")
    if in_body or metadata.get("guardrails"):
        raise Refused(
            400,
            "No guardrail of that name is configured; the request was not sent.",
            param="guardrails",
            code="unknown_guardrail",
        )


def _number_of(text: str) -> Json:
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text[:40]


def _integer(value: Json, name: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_RETRIES:
        raise Refused(
            400, f"`{name}` must be a whole number from 0 to {_MAX_RETRIES}.", param=name
        )
    return value


def _timeout(members: Members, headers: Mapping[str, str]) -> float | None:
    """Return the caller's own limit in seconds: the shortest that is given."""
    limits = [
        _seconds(value, name)
        for name in ("timeout", "request_timeout")
        if name in members and (value := members.get(name)) is not None
    ]
    if (text := headers.get("x-litellm-timeout")) is not None:
        limits.append(_seconds(_number_of(text), "x-litellm-timeout"))
    return min(limits, default=None)


def _seconds(value: Json, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        raise Refused(400, f"`{name}` must be a number of seconds above 0.", param=name)
    return float(value)


def _drill(members: Members, rules: RequestRules) -> ChainKind | None:
    for name, kind in _DRILLS:
        if _flag(members, name):
            if not rules.router.mock_testing:
                raise Refused(
                    400,
                    f"`{name}` is switched off: general_settings."
                    "dangerously_allow_mock_testing_request_params is false.",
                    param=name,
                )
            return kind
    return None
