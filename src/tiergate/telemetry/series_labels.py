"""LiteLLM's names of labels, and what they say for one caller, alias and deployment.

The lists follow LiteLLM's documentation of its metrics (docs.litellm.ai, "Prometheus metrics",
seen 2026-11). Labels whose value is never known here are there and empty, which Prometheus treats
as if they were not: addresses and user agents of callers would be a label per machine, and there
are no organisations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Final, cast

from tiergate.core.metrics_plan import MetricsPlan
from tiergate.telemetry.counts import Names, Who

Values = tuple[str, ...]
Known = Mapping[str, str]

KEY: Final = ("hashed_api_key", "api_key_alias")
CALLER: Final = (*KEY, "team", "team_alias")
WHO: Final = ("end_user", *CALLER, "user")
ORG: Final = ("org_id", "org_alias")
ORIGIN: Final = ("client_ip", "user_agent")
DEPLOYMENT: Final = ("litellm_model_name", "model_id", "api_base", "api_provider")
MODEL: Final = ("model", "requested_model", "model_id", "api_provider")

REQUEST: Final = (
    *WHO,
    "requested_model",
    "user_email",
    "route",
    *ORIGIN,
    "model_id",
    "api_provider",
    *ORG,
)
SPEND: Final = (*WHO, *MODEL, "user_email", *ORIGIN, "service_tier", *ORG)
TOKENS: Final = (*WHO, *MODEL, "user_email", *ORG)
TOKEN_DETAILS: Final = (*WHO, *MODEL, "user_email")
CALLS: Final = (*WHO, *MODEL, "user_email", *ORIGIN)
TIMES: Final = (*WHO, "model_group", *MODEL, "service_tier", *ORG)
OVERHEAD: Final = (
    "model_group",
    "api_provider",
    "api_base",
    "litellm_model_name",
    *KEY,
    "model_id",
)
QUEUE: Final = (*WHO, *MODEL, *ORG)
ANSWERS: Final = ("model_group", "requested_model", *DEPLOYMENT, *CALLER, *ORIGIN)
PER_TOKEN: Final = ("model_group", *DEPLOYMENT, *CALLER, *ORG)
FALLBACK: Final = ("requested_model", "fallback_model", *CALLER, "model_id")
EXCEPTION: Final = ("exception_status", "exception_class")
CACHE: Final = (*WHO, *MODEL)

_EMPTY: Final = dict.fromkeys((*ORIGIN, *ORG), "")


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of one family, and how their values are found.

    Attributes:
        names: In their order.
        take: Returns the values out of everything that is known.
    """

    names: Values
    take: Callable[[Known], Values]

    @staticmethod
    def of(names: Values) -> Labels:
        """Make them of at least two names."""
        return Labels(names, cast("Callable[[Known], Values]", itemgetter(*names)))


def with_added(names: Values, plan: MetricsPlan) -> Labels:
    """Return labels with those that the configuration adds; names that are there stay once."""
    return Labels.of((*names, *(name for name in plan.label_names if name not in names)))


def with_identity(names: Values, plan: MetricsPlan) -> Labels:
    """Return the labels of a family of deployments or times.

    `prometheus_deployment_and_latency_caller_identity` says whether these tell callers apart by
    `api_key_alias`, by `user_email`, or by both.
    """
    found: list[str] = []
    for name in names:
        if name != "api_key_alias":
            found.append(name)
            continue
        if plan.alias_label:
            found.append(name)
        if plan.email_label:
            found.append("user_email")
    return with_added(tuple(found), plan)


def known_of(who: Who, asked: str, names: Names, plan: MetricsPlan) -> dict[str, str]:
    """Return the value of every label that a caller, an alias and a deployment have."""
    known = {
        "end_user": who.end_user,
        "hashed_api_key": who.key,
        "api_key_alias": who.key_alias,
        "team": who.team,
        "team_alias": who.team_alias,
        "user": who.user,
        "user_email": who.email,
        "requested_model": asked,
        "model": names.model,
        "model_group": names.alias,
        "fallback_model": names.alias,
        "litellm_model_name": names.model,
        "model_id": names.id,
        "api_base": names.api_base,
        "api_provider": names.provider,
        "service_tier": "",
        **_EMPTY,
    }
    added = plan.label_names
    if added:
        said = dict(who.labels)
        for name in added:
            known.setdefault(name, said.get(name, ""))
    return known
