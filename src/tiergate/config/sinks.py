"""Reads callbacks: who is told about each call, and what of it.

`prometheus` needs nothing, since metrics are always there. Names that LiteLLM knows and that do
not act are said; any other name is an error. Where each sink is, `sink_places` reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final

from tiergate.config.alerting import read_alerts
from tiergate.config.findings import Severity
from tiergate.config.keycheck import KeyCheck
from tiergate.config.reading import Reader, Sections
from tiergate.config.section import Section, Spot
from tiergate.config.sink_places import Places
from tiergate.config.suggest import did_you_mean
from tiergate.config.tree import ListNode
from tiergate.config.typed import items
from tiergate.core.sink_plan import CustomPlace, OtlpPlace, Place, SinkPlan, SinkPlans

_ALWAYS_ON: Final = frozenset({"prometheus"})
_WEBHOOKS: Final = frozenset({"generic_api", "webhook", "generic", "custom_callback_api"})
_LANGFUSE: Final = frozenset({"langfuse", "langfuse_otel"})
_BUCKETS: Final = frozenset({"s3", "s3_v2"})
_SAME: Final = {
    **dict.fromkeys(_WEBHOOKS, "generic_api"),
    **dict.fromkeys(_LANGFUSE, "langfuse"),
    **dict.fromkeys(_BUCKETS, "s3"),
}
_ACTING: Final = _WEBHOOKS | _LANGFUSE | _BUCKETS | {"otel", "file"}
_LITELLM_NAMES: Final = """
    agentops anthropic_cache_control_hook argilla arize arize_phoenix athena athina aws_sqs
    azure_content_safety azure_sentinel azure_storage banned_keywords batch_redis_requests
    bitbucket
    blocked_user_check braintrust cloudzero datadog datadog_llm_observability datadog_metrics
    deepeval detect_prompt_injection dotprompt dynamic_rate_limiter dynamic_rate_limiter_v3
    dynamodb email focus galileo gcs_bucket gcs_pubsub gitlab google_text_moderation greenscale
    helicone hide_secrets humanloop lago lakera_prompt_injection langsmith langtrace levo
    literalai llamaguard_moderations llmguard_moderations logfire lunary mlflow openmeter
    openai_moderations opik pagerduty posthog presidio promptlayer resend_email sendgrid_email
    sentry slack smtp_email supabase traceloop vantage vector_store_pre_call_hook wandb
    weave_otel websearch_interception
"""
_OF_LITELLM: Final = frozenset(_LITELLM_NAMES.split())
_KEYS: Final = (
    ("callbacks", True, True),
    ("success_callback", True, False),
    ("failure_callback", False, True),
)


def read_sinks(
    sections: Sections,
    environ: Mapping[str, str],
    extras: AbstractSet[str],
    reader: Reader,
    check: KeyCheck,
    *,
    look_up: bool,
) -> SinkPlans:
    """Return who is told about calls, and who is alerted.

    Args:
        sections: The sections of the file.
        environ: The environment variables, which hold addresses and logins.
        extras: The optional parts of the installation that are there.
        reader: Where findings and the report go.
        check: Reports what nobody takes.
        look_up: False for `--no-env`: a missing address is no error.
    """
    settings = sections.top.section("callback_settings", reader.findings)
    places = Places(environ, extras, reader, look_up=look_up)
    litellm, typed = sections.litellm, reader.typed
    silent = typed.flag(litellm.take("turn_off_message_logging")) or False
    nameless = typed.flag(litellm.take("redact_user_api_key_info")) or False
    wanted = _wanted(sections, reader)
    of_bucket = litellm.section("s3_callback_params", reader.findings)
    headers = typed.pairs(litellm.take("generic_logger_headers"))
    sinks: list[SinkPlan] = []
    for name, (spot, good, failed) in wanted.items():
        own = settings.section(name, reader.findings)
        words = _words(own, reader)
        place = _place(name, spot, own, of_bucket, headers, places)
        if place is None:
            continue
        if words is None:
            words = isinstance(place, CustomPlace) or _is_langfuse(place)
        events = places.events(own)
        plan = SinkPlan(
            name=name,
            place=place,
            on_success=good and events[0],
            on_failure=failed and events[1],
            words=words and not silent,
            nameless=nameless,
        )
        sinks.append(plan)
        reader.show("litellm_settings.callbacks", None, spot, text=_shown(plan))
        check.left(own)
    if wanted.keys() & _BUCKETS:
        check.left(of_bucket)
    _say_unused(settings, wanted, reader)
    disabling = typed.flag(litellm.take("allow_dynamic_callback_disabling"))
    return SinkPlans(
        sinks=tuple(sinks),
        alerts=read_alerts(sections, environ, reader, look_up=look_up),
        may_disable=disabling is not False,
    )


def _wanted(sections: Sections, reader: Reader) -> dict[str, tuple[Spot, bool, bool]]:
    """Return the sinks that are named, with whether they want good calls and failed ones.

    Two names of one sink are one sink, or it would be told of each call twice.
    """
    found: dict[str, tuple[Spot, bool, bool]] = {}
    first_names: dict[str, str] = {}
    settings = sections.top.look("callback_settings")
    for key, good, failed in _KEYS:
        for spot in _names(sections.litellm.take(key), reader):
            name = reader.typed.text(spot)
            if name is None or name in _ALWAYS_ON:
                continue
            if name in _ACTING or _is_custom(name) or _has_type(settings, name):
                name = first_names.setdefault(_SAME.get(name, name), name)
                first, on_success, on_failure = found.get(name, (spot, False, False))
                found[name] = (first, on_success or good, on_failure or failed)
            else:
                _say_idle(name, spot, reader)
    return found


def _names(spot: Spot | None, reader: Reader) -> tuple[Spot, ...]:
    if spot is None or spot.unresolved:
        return ()
    if isinstance(spot.node, ListNode):
        return items(spot)
    return (spot,) if reader.typed.texts(spot, "a list of names") else ()


def _is_custom(name: str) -> bool:
    """Tell whether a name is `module.attribute`."""
    module, dot, attribute = name.rpartition(".")
    words = (*module.split("."), attribute)
    return bool(dot) and all(word.isidentifier() for word in words)


def _has_type(settings: Spot | None, name: str) -> bool:
    """Tell whether `callback_settings` says what a name of the operator's own is."""
    if settings is None:
        return False
    own = _inside(settings, name)
    return own is not None and _inside(own, "callback_type") is not None


def _inside(spot: Spot, key: str) -> Spot | None:
    entries = getattr(spot.node, "entries", ())
    return next(
        (spot.inside(key, entry.position, entry.node) for entry in entries if entry.key == key),
        None,
    )


def _place(
    name: str,
    spot: Spot,
    own: Section,
    of_bucket: Section,
    headers: tuple[tuple[str, str], ...],
    places: Places,
) -> Place | None:
    """Return where a sink is; None after an error was said."""
    if name in _LANGFUSE:
        return places.langfuse(spot, us_default=name == "langfuse_otel")
    if name == "otel":
        return places.otel(spot)
    if name in _BUCKETS:
        return places.bucket(spot, of_bucket)
    if name == "file":
        return places.file(own)
    if _is_custom(name) and name not in _WEBHOOKS:
        return CustomPlace(name=name, folder=places.folder_of(spot))
    found = places.webhook(spot, own)
    return found and replace(found, headers=(*headers, *found.headers))


def _is_langfuse(place: Place) -> bool:
    return isinstance(place, OtlpPlace) and place.langfuse


def _words(own: Section, reader: Reader) -> bool | None:
    """Return whether the words of calls are asked for; None where nothing is said."""
    on = reader.typed.flag(own.take("message_logging"))
    off = reader.typed.flag(own.take("turn_off_message_logging"))
    if off is not None:
        return not off
    return on


def _shown(plan: SinkPlan) -> str:
    both = plan.on_success and plan.on_failure
    calls = "all calls" if both else "good calls" if plan.on_success else "failed calls"
    words = "with prompts and answers" if plan.words else "without prompts and answers"
    kind = "webhook" if plan.name in _WEBHOOKS else plan.name
    return f"{kind}, {calls}, {words}"


def _say_idle(name: str, spot: Spot, reader: Reader) -> None:
    if name in _OF_LITELLM:
        advice = "Use otel or generic_api, which send every call to an address of yours."
        if name == "slack":
            advice = 'Write general_settings.alerting: ["slack"].'
        reader.findings.idle(
            Severity.WARNING,
            "callback-without-effect",
            spot.at,
            f"the callback {name} of LiteLLM has no effect here",
            advice,
        )
    else:
        known = _ALWAYS_ON | _ACTING | _OF_LITELLM
        reader.findings.error(
            "unknown-callback",
            spot.at,
            f'there is no callback "{name}"',
            did_you_mean(name, known)
            or f"Known are prometheus, {', '.join(sorted(_ACTING))}, and module.instance.",
        )


def _say_unused(settings: Section, wanted: Mapping[str, object], reader: Reader) -> None:
    """Tell of options of callbacks that nobody asked for."""
    for spot in settings.left():
        if spot.key not in wanted:
            settings.take(spot.key)
            reader.findings.idle(
                Severity.NOTICE,
                "no-such-callback",
                spot.at,
                f"has options of the callback {spot.key}, which is not in the list of callbacks",
                f"Add {spot.key} to litellm_settings.callbacks, or take the options out.",
            )
