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
from tiergate.core.caller import LOCAL, Caller
from tiergate.core.catalog import ChainKind
from tiergate.core.phases import AUTO
from tiergate.core.plan import Wish
from tiergate.core.tags import parse_tags
from tiergate.core.told import not_for_key
from tiergate.ports import Inbound, OutputAsked
from tiergate.web import purposes
from tiergate.web.aliases import RequestRules, check_allowed, unknown_model, usable_names
from tiergate.web.fields import Fields, read_fields
from tiergate.web.guardrails import asked_guardrails
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
        "no-log",
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
HEADERS = purposes.HEADERS | {"x-litellm-tags", "x-litellm-num-retries", "x-litellm-timeout"}
"""Request headers that speak to the gateway."""

_API_HEADERS = ("anthropic-beta", "anthropic-version")
_STREAMED = frozenset({Operation.CHAT, Operation.COMPLETION})
_MAX_RETRIES = 20


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
    caller: Caller = LOCAL


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
            metadata=_kept(metadata, rules) if metadata else None,
            forward=_forward(arrival.headers) if arrival.dialect is Dialect.ANTHROPIC else (),
            query=arrival.query,
            user=fields.end_user,
            caller=arrival.caller,
            tags=arrival.caller.tags,
            output=_output(members, fields, arrival.operation),
            headers=arrival.headers,
        )
        wish = _wish(inbound, metadata, arrival, rules)
        if rules.labels is not None:
            inbound.labels = rules.labels.read(
                metadata, inbound.tags, arrival.headers, arrival.caller
            )
    except BodyError as exc:
        raise Refused(400, str(exc), code="invalid_json") from None
    check_allowed(inbound.alias, asked, arrival.caller, rules)  # what `auto` means is known now
    return inbound, wish


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
        counting = arrival.operation is Operation.COUNT_TOKENS
        raise unknown_model(asked, rules, arrival.caller, counting=counting)
    if not rules.may_use(asked, arrival.caller):
        raise not_for_key(asked, usable_names(rules, arrival.caller))
    return alias, asked


def _kept(metadata: JsonObject, rules: RequestRules) -> bytes | None:
    """Return what is left of the metadata for the provider (see `Inbound.metadata`)."""
    own = GATEWAY_METADATA if rules.labels is None else GATEWAY_METADATA | rules.labels.entries
    if own.isdisjoint(metadata):
        return None
    left = {name: value for name, value in metadata.items() if name not in own}
    return encode(left) if left else b""


def _output(members: Members, fields: Fields, operation: Operation) -> OutputAsked | None:
    """Return how much of an answer a chat asks for; None where that is not as simple."""
    if operation is not Operation.CHAT or "best_of" in members:
        return None
    limit, choices = fields.output
    return OutputAsked(members, limit, choices)


def _forward(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, headers[name]) for name in _API_HEADERS if name in headers)


def _wish(inbound: Inbound, metadata: JsonObject, arrival: Arrival, rules: RequestRules) -> Wish:
    """Collect what the request asks of the attempt machine; most requests ask nothing."""
    headers = arrival.headers
    plain = not inbound.control and HEADERS.isdisjoint(headers)
    if plain and not metadata and not inbound.tags and inbound.alias != AUTO:
        caller = arrival.caller
        if caller.aliases is None and not caller.budget_fallbacks:
            return Wish(alias=inbound.alias, stream=inbound.stream)
        return Wish(
            alias=inbound.alias,
            stream=inbound.stream,
            allowed=caller.aliases,
            budget_fallbacks=caller.budget_fallbacks.get(inbound.alias),
        )
    members, caller = inbound.members, arrival.caller
    inbound.guardrails = asked_guardrails(members, metadata, rules.guardrails)
    if members.get("stream_timeout") is not None:
        raise Refused(
            400,
            "`stream_timeout` cannot be set by a request; it is a setting of the deployment or of "
            "litellm_settings. `timeout` shortens the wait for the first content.",
            param="stream_timeout",
            code="unsupported_parameter",
        )
    raw_tags = _tags(members, metadata, headers, rules)
    if inbound.tags:  # those of the key
        raw_tags = tuple(dict.fromkeys((*raw_tags, *inbound.tags)))
    inbound.purpose = purposes.read_purpose(members, metadata, headers, raw_tags)
    inbound.tags = raw_tags
    selecting = [tag for tag in raw_tags if not tag.startswith(purposes.TICKET_TAG)]
    request_tags = rules.tags.sort(tuple(selecting))
    notes = rules.work.apply(inbound, request_tags) if rules.work is not None else ()
    retries = _integer(members.get("num_retries"), "num_retries")
    if retries is None:
        retries = _integer(members.get("max_retries"), "max_retries")
    if (text := headers.get("x-litellm-num-retries")) is not None:
        retries = _integer(_number_of(text), "x-litellm-num-retries")
    return Wish(
        alias=inbound.alias,
        tags=request_tags,
        stream=inbound.stream,
        fallbacks=_chain(members, "fallbacks", caller, rules),
        context_window_fallbacks=_chain(members, "context_window_fallbacks", caller, rules),
        content_policy_fallbacks=_chain(members, "content_policy_fallbacks", caller, rules),
        disable_fallbacks=_flag(members, "disable_fallbacks"),
        num_retries=retries,
        timeout=_timeout(members, headers),
        drill=_drill(members, rules),
        allowed=caller.aliases,
        budget_fallbacks=caller.budget_fallbacks.get(inbound.alias),
        notes=notes,
    )


def _tags(
    members: Members, metadata: JsonObject, headers: Mapping[str, str], rules: RequestRules
) -> tuple[str, ...]:
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
        found = rules.tags.header(text)
    return tuple(dict.fromkeys(found)) if len(found) > 1 else found


def _chain(
    members: Members, name: str, caller: Caller, rules: RequestRules
) -> tuple[AliasName, ...] | None:
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
        if alias is None or alias not in rules.catalog.aliases:
            raise Refused(
                400,
                f'`{name}` must be a list of aliases, such as ["balanced"]; known are '
                f"{', '.join(usable_names(rules, caller))}.",
                param=name,
            )
        check_allowed(alias, str(asked), caller, rules)
        found.append(alias)
    return tuple(found)


def _flag(members: Members, name: str) -> bool:
    """Return a switch of the request; absent and null are off."""
    value = members.get(name) if name in members else None
    if value is not None and not isinstance(value, bool):
        raise Refused(400, f"`{name}` must be true or false.", param=name, code="invalid_type")
    return value is True


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
