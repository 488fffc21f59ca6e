"""Which alias a request means that asks for the model `auto`: its phase says so, or its tags.

The phase wins. Without one, an alias is chosen that *names* one of the request's environments or
tags and would serve the request; the first such alias in the order of the file. Nothing is chosen
by chance, and nothing because of prices or load.
"""

from __future__ import annotations

from dataclasses import dataclass

from tiergate.base.errors import Refused
from tiergate.base.values import AliasName
from tiergate.core.catalog import Deployment
from tiergate.core.phases import AUTO, WorkPolicy
from tiergate.core.routing import Route, Routes, View, select
from tiergate.core.tags import RequestTags

_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Chosen:
    """The alias that `auto` means for one request, and why in a few words for the trail."""

    alias: AliasName
    why: str


class Auto:
    """Chooses for one configuration.

    Args:
        policy: What the phases say.
        routes: The aliases, made ready.
    """

    __slots__ = ("_policy", "_routes", "_targets", "_view")

    def __init__(self, policy: WorkPolicy, routes: Routes) -> None:
        self._policy = policy
        self._routes = routes
        self._view = View()  # cooldowns, budgets and load choose nothing here
        self._targets = frozenset((*_phase_aliases(policy), *_tag_aliases(routes)))

    def choose(
        self, phase: str, tags: RequestTags, allowed: frozenset[AliasName] | None
    ) -> Chosen:
        """Choose an alias.

        Args:
            phase: `metadata.phase` or `x-tiergate-phase`; empty without one.
            tags: The request's tags and environments.
            allowed: The aliases that the caller may use; None means all. Tags choose among these
                only; whether a phase's alias may be used is decided where keys are checked.

        Raises:
            Refused: 400 that says which phases there are, or what else would choose.
        """
        if phase:
            return self._of_phase(phase)
        named = _named(tags)
        for name in self._routes.catalog.aliases if named else ():
            route = self._routes.of(name)
            if route is None or (allowed is not None and name not in allowed):
                continue
            if self._wants(route, tags, named):
                return Chosen(name, f"auto: tags -> {name}")
        if self._policy.entry is not None:
            return Chosen(self._policy.entry, f"auto: entry model -> {self._policy.entry}")
        wanted = f"the tags {tags} name no alias" if named else "the request has neither"
        raise Refused(
            400,
            f"`{AUTO}` is chosen by a phase or by tags, and {wanted}. Send `metadata.phase` "
            f"(or the header x-tiergate-phase): {self._known()}; or a tag that a deployment "
            "names; or ask for an alias.",
            code="no_phase",
            param="metadata.phase",
        )

    def targets(self) -> frozenset[AliasName]:
        """Return the aliases to which phases, or tags, may lead."""
        return self._targets

    def _wants(self, route: Route, tags: RequestTags, named: frozenset[str]) -> bool:
        """Tell whether a deployment of the alias names one of the tags and may serve."""
        return any(
            not named.isdisjoint(_names_of(deployment, selects=bool(route.carried)))
            for deployment in select(route, tags, self._view, 0.0).candidates
        )

    def _of_phase(self, phase: str) -> Chosen:
        found = self._policy.phase(phase)
        if found is not None and found.alias is not None:
            return Chosen(found.alias, f"auto: phase {found.name} -> {found.alias}")
        what = (
            f"The phase `{found.name}` has limits and no entry model"
            if found is not None
            else f"`{AUTO}` does not know the phase `{phase}`"
        )
        raise Refused(
            400,
            f"{what}. Known phases: {self._known()}. Send one of them, or ask for an alias.",
            code="unknown_phase",
            param="metadata.phase",
        )

    def _known(self) -> str:
        names = [f"{phase.name} ({phase.alias})" for phase in self._policy.entered]
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        return (", ".join(names[:_MOST_NAMED]) or "none") + more


def _phase_aliases(policy: WorkPolicy) -> tuple[AliasName, ...]:
    named = (policy.entry, *(phase.alias for phase in policy.entered))
    return tuple(alias for alias in named if alias is not None)


def _tag_aliases(routes: Routes) -> tuple[AliasName, ...]:
    """Return the aliases that a tag or an environment may choose."""
    found: list[AliasName] = []
    for name in routes.catalog.aliases:
        route = routes.of(name)
        if route is not None and any(
            _names_of(each, selects=bool(route.carried)) for each in route.deployments
        ):
            found.append(name)
    return tuple(found)


def _named(tags: RequestTags) -> frozenset[str]:
    return frozenset((*tags.environments, *tags.tags, *tags.required))


def _names_of(deployment: Deployment, *, selects: bool) -> tuple[str, ...]:
    """Return the environments of a deployment, and its tags where tags select."""
    return (*deployment.environments, *deployment.tags) if selects else deployment.environments
