"""Which names callers may ask for, and what they are told about other ones.

The names are those of the configuration; a virtual key may be limited to some of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tiergate.base.errors import Refused
from tiergate.base.values import AliasName
from tiergate.core.caller import Caller
from tiergate.core.catalog import Catalog, RouterPolicy
from tiergate.core.phases import AUTO
from tiergate.core.tags import TagReader
from tiergate.core.told import not_for_key
from tiergate.web.labels import LabelReader
from tiergate.web.phases import Work


@dataclass(frozen=True, slots=True)
class RequestRules:
    """What reading a request depends on; made once per configuration."""

    catalog: Catalog
    router: RouterPolicy
    tags: TagReader
    names: Mapping[str, AliasName]
    """Every name a caller may use, mapped to its alias."""
    work: Work | None = None
    """What phases mean; None where no file says it."""
    labels: LabelReader | None = None
    """Reads the labels that a configuration adds to the metrics; None where it adds none."""
    guardrails: tuple[str, ...] = ()
    """The names of all guards."""

    @staticmethod
    def of(
        catalog: Catalog,
        router: RouterPolicy,
        environment_names: frozenset[str],
        work: Work | None = None,
        labels: LabelReader | None = None,
    ) -> RequestRules:
        """Collect the rules of a configuration."""
        names: dict[str, AliasName] = {str(name): name for name in catalog.aliases}
        names.update(router.alias_of)
        if work is not None and work.auto is not None:
            names[AUTO] = AUTO
        return RequestRules(catalog, router, TagReader(environment_names), names, work, labels)

    def may_use(self, name: str, caller: Caller) -> bool:
        """Tell whether a caller's key lets it ask for a name; `auto` needs one of its aliases."""
        alias = self.names.get(name)
        if alias is None or caller.aliases is None:
            return alias is not None
        if self.work is not None and self.work.auto is not None and alias == AUTO:
            return not caller.aliases.isdisjoint(self.work.auto.targets())
        return alias in caller.aliases


def visible_names(rules: RequestRules) -> list[str]:
    """Return the names that `/v1/models` lists: aliases first, then their other names."""
    return [name for name in rules.names if name not in rules.router.hidden_aliases]


def usable_names(rules: RequestRules, caller: Caller) -> list[str]:
    """Return those of the visible names that a caller's key may use."""
    return [name for name in visible_names(rules) if rules.may_use(name, caller)]


def check_allowed(alias: AliasName, asked: str, caller: Caller, rules: RequestRules) -> None:
    """Refuse an alias that the caller's key may not use.

    Raises:
        Refused: 403, which lists those it may use.
    """
    if caller.aliases is not None and alias not in caller.aliases:
        named = asked if alias == asked else f"{alias}` (asked as `{asked}"
        raise not_for_key(named, usable_names(rules, caller))


def unknown_model(asked: str, rules: RequestRules, caller: Caller, *, counting: bool) -> Refused:
    """Make the refusal of a name that is no alias; it lists those that the caller may use.

    Args:
        asked: The name.
        rules: Which names there are.
        caller: Who asks.
        counting: Tokens are to be counted: Anthropic's clients then expect a 404.
    """
    shown = asked if len(asked) <= 100 else f"{asked[:100]}..."
    known = ", ".join(usable_names(rules, caller)) or "none that this key may use"
    return Refused(
        404 if counting else 400,
        f"There is no model alias `{shown}`. Callers name aliases, not provider models. "
        f"Known aliases: {known}.",
        code="model_not_found",
        anthropic_type="not_found_error",
        param="model",
    )
