"""Make what phases mean ready for requests: the policy, with the counter and models' facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tiergate.base.values import Dialect
from tiergate.core.auto import Auto
from tiergate.core.catalog import Catalog, Deployment, Settings
from tiergate.core.routing import Routes
from tiergate.pricing import count_messages
from tiergate.providers.facts import facts_for
from tiergate.web.aliases import RequestRules
from tiergate.web.labels import LabelReader
from tiergate.web.phases import OutputLimit, Work

_NEWER = "max_completion_tokens"


def request_rules(settings: Settings, catalog: Catalog) -> RequestRules:
    """Return what reading a request depends on."""
    rules = RequestRules.of(
        catalog,
        settings.router,
        settings.environment_names,
        _work(settings, catalog),
        LabelReader.of(settings.metrics),
    )
    if not settings.guards:
        return rules
    names = dict.fromkeys(plan.name for plan in settings.guards)
    return replace(rules, guardrails=tuple(names))


def _work(settings: Settings, catalog: Catalog) -> Work | None:
    """Return what phases mean; None where no file speaks of the work."""
    policy = settings.work
    if policy is None:
        return None
    aliases = catalog.aliases.values()
    return Work(
        policy=policy,
        auto=Auto(policy, Routes(settings.router, catalog)) if policy.auto else None,
        count=count_messages,
        limits={alias.name: output_limit(alias.deployments) for alias in aliases},
        models={alias.name: alias.deployments[0].model for alias in aliases if alias.deployments},
    )


def output_limit(deployments: Sequence[Deployment]) -> OutputLimit:
    """Return how answers of an alias are limited where a request sets no limit.

    The member is one that every deployment understands as far as is known: where one of them only
    takes OpenAI's newer name, that one. The limit is the lowest that the file or a model has, so
    that a phase never raises it.
    """
    facts = [(each, facts_for(each.provider, each.model)) for each in deployments]
    newer = any(
        each.dialect is Dialect.OPENAI and (known.max_completion_tokens or _NEWER in each.defaults)
        for each, known in facts
    )
    bounds = [
        bound
        for each, known in facts
        for bound in (each.default_max_tokens, known.max_output_tokens)
        if bound is not None
    ]
    return OutputLimit(_NEWER if newer else "max_tokens", min(bounds, default=None))
