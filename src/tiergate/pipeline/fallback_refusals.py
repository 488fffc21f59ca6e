"""What is told to somebody whose change of a fallback route cannot be made.

The statuses are LiteLLM's where it has the case: 404 for an unknown alias, 400 for an unknown
target or the alias itself, 422 for a target named twice. No target is 400 here, and 422 there.
"""

from __future__ import annotations

from collections.abc import Sequence

from tiergate.base.errors import Refused
from tiergate.base.values import AliasName
from tiergate.core.catalog import ChainKind
from tiergate.core.fallback_overrides import EVERY, FileRoutes, Override, words

_MOST_NAMED = 10
_LONGEST_NAME = 100


def unknown_alias(name: str, aliases: Sequence[AliasName]) -> Refused:
    """Make the 404 of an alias that is not there."""
    return Refused(
        404,
        f"There is no model alias `{name[:_LONGEST_NAME]}`. {_known(aliases)}",
        code="model_not_found",
        type="not_found_error",
        param="model",
    )


def unknown_target(name: str, aliases: Sequence[AliasName]) -> Refused:
    """Make the 400 of a target that is not there."""
    return Refused(
        400,
        f"A fallback route can lead to aliases only, and there is no alias "
        f"`{name[:_LONGEST_NAME]}`. {_known(aliases)}",
        code="unknown_fallback_model",
        param="fallback_models",
    )


def no_targets() -> Refused:
    """Make the 400 of a route that leads nowhere."""
    return Refused(
        400,
        "`fallback_models` is empty: a route needs at least one target. To switch a route off, "
        "use DELETE /fallback/{alias}.",
        code="empty_fallback_models",
        param="fallback_models",
    )


def itself(alias: AliasName) -> Refused:
    """Make the 400 of a route from an alias to itself."""
    return Refused(
        400,
        f"The route of `{alias}` names `{alias}` itself: a call that failed there would come "
        "back. Retries within an alias are set by num_retries.",
        code="fallback_to_itself",
        param="fallback_models",
    )


def named_twice(alias: AliasName) -> Refused:
    """Make the 422 of a target that stands in the list twice."""
    return Refused(
        422,
        f"`fallback_models` names `{alias}` twice. Each alias is tried once; name it once.",
        code="duplicate_fallback_model",
        param="fallback_models",
    )


def ring(way: Sequence[AliasName]) -> Refused:
    """Make the 400 of a route that leads back to its own alias."""
    return Refused(
        400,
        f"This route would close a cycle: {' -> '.join((*way, way[0]))}. Remove one step of it "
        'first, or send "allow_cycle": true. With a cycle a call still ends: it tries each alias '
        "once.",
        code="fallback_cycle",
        param="fallback_models",
    )


def no_default(kind: ChainKind) -> Refused:
    """Make the 400 of a default route of a kind that has none."""
    return Refused(
        400,
        f"`*` stands for default_fallbacks, which are general. There is no default for "
        f"{kind.value}; name an alias.",
        code="no_default_of_this_type",
        param="fallback_type",
    )


def no_route(asked: Override, file: FileRoutes, off: Override | None) -> Refused:
    """Make the 404 of a route that is not there, or is switched off already."""
    kind, alias = asked.kind.value, asked.alias
    told = [f"No {kind} fallbacks configured for model '{alias}'."]
    if off is not None:
        told.append(
            f"The file's route to {words(file.of(asked.name))} was switched off by {off.author}; "
            f"DELETE /fallback/{alias}?fallback_type={kind}&origin=runtime lets it act again."
        )
    elif alias != EVERY and asked.kind is ChainKind.GENERAL and file.chains.default:
        told.append("The default (`*`) acts for it.")
    return Refused(
        404,
        " ".join(told),
        code="fallback_not_found",
        type="not_found_error",
        param="model",
    )


def nothing_set(asked: Override) -> Refused:
    """Make the 404 of a route for which nothing was set at run time."""
    return Refused(
        404,
        f"Nothing was set at run time for the {asked.kind.value} fallbacks of '{asked.alias}', "
        "so there is nothing to take back. GET /fallback shows where each route comes from.",
        code="fallback_not_found",
        type="not_found_error",
        param="model",
    )


def nothing_comes_back(asked: Override) -> Refused:
    """Make the 400 of a removal for a time where the file has no route."""
    return Refused(
        400,
        f"`expires_in` lets a route of the file come back after a time, and the file has no "
        f"{asked.kind.value} route for `{asked.alias}`. Send the removal without it.",
        code="nothing_to_expire",
        param="expires_in",
    )


def busy() -> Refused:
    """Make the 409 of a change that others came before, again and again."""
    return Refused(
        409,
        "Others change fallback routes at the same time, again and again. Try once more.",
        code="busy",
        type="api_error",
    )


def _known(aliases: Sequence[AliasName]) -> str:
    shown = ", ".join(aliases[:_MOST_NAMED])
    more = f" and {len(aliases) - _MOST_NAMED} more" if len(aliases) > _MOST_NAMED else ""
    return f"The aliases are {shown}{more}." if aliases else "There are no aliases."
