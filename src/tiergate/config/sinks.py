"""Reads callbacks: who is told about each call.

`prometheus` needs nothing, since metrics are always there. `generic_api` becomes a webhook whose
address is in LiteLLM's variables. Names that LiteLLM knows and that do not act are said; any
other name is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from tiergate.base.values import Position
from tiergate.config.findings import At, Severity
from tiergate.config.reading import Reader, Sections
from tiergate.config.section import Spot
from tiergate.config.suggest import did_you_mean
from tiergate.config.tree import ListNode
from tiergate.config.typed import items
from tiergate.core.catalog import WebhookSink

ADDRESS: Final = "GENERIC_LOGGER_ENDPOINT"
HEADERS: Final = "GENERIC_LOGGER_HEADERS"

_ALWAYS_ON: Final = frozenset({"prometheus"})
_WEBHOOKS: Final = frozenset({"generic_api", "webhook", "generic", "custom_callback_api"})
_PLANNED: Final = frozenset({"langfuse", "langfuse_otel", "otel", "s3", "s3_v2", "file"})
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
    sections: Sections, environ: Mapping[str, str], reader: Reader, *, look_up: bool
) -> tuple[WebhookSink, ...]:
    """Return the webhooks that are told about calls; at most one.

    Args:
        sections: The sections of the file.
        environ: The environment variables, which hold the webhook's address.
        reader: Where findings and the report go.
        look_up: False for `--no-env`: a missing address is no error.
    """
    on_success = on_failure = False
    first: Spot | None = None
    for key, good, failed in _KEYS:
        for spot in _names(sections.litellm.take(key), reader):
            name = reader.typed.text(spot)
            if name in _WEBHOOKS:
                first = first or spot
                on_success, on_failure = on_success or good, on_failure or failed
            elif name is not None and name not in _ALWAYS_ON:
                _say_idle(name, spot, reader)
    if first is None:
        return ()
    sink = _webhook(first, environ, reader, look_up=look_up)
    if sink is None:
        return ()
    calls = "all calls" if on_success and on_failure else "good calls" if on_success else "failed"
    reader.show("litellm_settings.callbacks", None, first, text=f"webhook, {calls}")
    return (
        WebhookSink(url=sink[0], headers=sink[1], on_success=on_success, on_failure=on_failure),
    )


def _names(spot: Spot | None, reader: Reader) -> tuple[Spot, ...]:
    if spot is None or spot.unresolved:
        return ()
    if isinstance(spot.node, ListNode):
        return items(spot)
    return (spot,) if reader.typed.texts(spot, "a list of names") else ()


def _say_idle(name: str, spot: Spot, reader: Reader) -> None:
    module, dot, attribute = name.rpartition(".")
    if name in _PLANNED or (dot and module.replace(".", "_").isidentifier() and attribute):
        what = "a class of your own" if dot else name
        reader.findings.idle(
            Severity.WARNING,
            "callback-not-acting-yet",
            spot.at,
            f"the callback {name} is not acting yet: {what} is told of no call",
            "Meanwhile use generic_api, or scrape /metrics.",
        )
    elif name in _OF_LITELLM:
        reader.findings.idle(
            Severity.WARNING,
            "callback-without-effect",
            spot.at,
            f"the callback {name} of LiteLLM has no effect here",
            "Use generic_api, which sends every call to an address of yours.",
        )
    else:
        known = _ALWAYS_ON | _WEBHOOKS | _PLANNED | _OF_LITELLM
        reader.findings.error(
            "unknown-callback",
            spot.at,
            f'there is no callback "{name}"',
            did_you_mean(name, known) or "Known are prometheus and generic_api.",
        )


def _webhook(
    spot: Spot, environ: Mapping[str, str], reader: Reader, *, look_up: bool
) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    address = environ.get(ADDRESS, "").strip()
    if not address:
        if look_up:
            reader.findings.error(
                "unset-variable",
                spot.at,
                f"the webhook needs the environment variable {ADDRESS}, and it is not set",
                f"Set {ADDRESS} to the address that is told about calls.",
            )
        return None
    if not _is_address(address):
        reader.findings.error(
            "bad-address",
            At(ADDRESS, Position("environment", 0)),
            "is not an address that begins with http:// or https://",
        )
        return None
    return address, _headers(environ.get(HEADERS, ""), reader)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0


def _headers(text: str, reader: Reader) -> tuple[tuple[str, str], ...]:
    """Return the headers of `name=value,name=value`, LiteLLM's form. Values are never quoted."""
    found: list[tuple[str, str]] = []
    for number, part in enumerate(filter(None, (part.strip() for part in text.split(","))), 1):
        name, equals, value = part.partition("=")
        name, value = name.strip(), value.strip()
        good = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
        if not equals or not good or not value.isprintable():
            reader.findings.error(
                "bad-header",
                At(HEADERS, Position("environment", 0)),
                f"part {number} is not a header",
                "Write name=value, with commas between several.",
            )
        else:
            found.append((name, value))
    return tuple(found)
