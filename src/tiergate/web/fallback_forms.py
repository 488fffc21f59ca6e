"""The JSON of fallback routes: each route, switch, conflict, change and error.

Where LiteLLM has a form (`model`, `fallback_models`, `fallback_type`; `detail` of an error), it is
that form with more members beside it. Only routes that act have `fallback_models`, so that whoever
collects those objects has the truth.
"""

from __future__ import annotations

from collections.abc import Sequence

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import AliasName, Dialect
from tiergate.core.fallback_changes import Acting, Change, Origin
from tiergate.core.fallback_overrides import Conflict, Listing, Override, ShownRoute
from tiergate.core.ledger_lines import utc_text
from tiergate.web import wire
from tiergate.web.admin import Told, read_object

_MALFORMED = 422
_NAMES_ALIASES = frozenset({"model_not_found", "unknown_fallback_model"})


def listing_form(found: Listing, fault: str | None) -> JsonObject:
    """Return all routes; `fault` says why the store does not answer, where it does not."""
    return {
        "fallbacks": [route_form(each) for each in found.routes],
        "switched_off": [
            {**_name(each), "file_models": _names(each.over), **override_form(each)}
            for each in found.off
        ],
        "inactive": [
            {**_name(each), "set_models": _names(each.targets), **override_form(each)}
            for each in found.idle
        ],
        "conflicts": [conflict_form(each) for each in found.conflicts],
        "store_fault": fault,
    }


def route_form(route: ShownRoute) -> JsonObject:
    """Return a route that acts."""
    form: JsonObject = {
        "model": route.alias,
        "fallback_models": _names(route.targets),
        "fallback_type": route.kind.value,
        "origin": (Origin.RUNTIME if route.override is not None else Origin.FILE).value,
        "file_models": _names(route.file),
    }
    return {**form, **override_form(route.override)}


def override_form(override: Override | None) -> JsonObject:
    """Return who set a route, when, until when and why; nulls for a route of the file."""
    if override is None:
        return dict.fromkeys(("author", "key", "created_at", "expires_at", "note"))
    return {
        "author": override.author,
        "key": override.key or None,
        "created_at": utc_text(override.since),
        "expires_at": _when(override.expires),
        "note": override.note or None,
    }


def conflict_form(conflict: Conflict) -> JsonObject:
    """Return a difference between what was set and the file."""
    made = conflict.override
    return {
        **_name(made),
        "conflict": conflict.kind.value,
        "message": f"{conflict.what}. {conflict.rule}",
        "runtime_models": _names(made.targets),
        "file_models": _names(conflict.file),
        "file_models_when_set": _names(made.over),
        "missing_models": _names(conflict.gone),
    }


def change_form(change: Change) -> JsonObject:
    """Return one entry of the audit log."""
    return {
        "number": change.number,
        "id": change.id,
        "at": utc_text(change.at),
        "action": change.action.value,
        "model": change.alias,
        "fallback_type": change.kind.value,
        "before": _acting(change.before),
        "after": _acting(change.after),
        "expires_at": _when(change.expires),
        "author": change.author,
        "key": change.key or None,
        "note": change.note or None,
    }


def error_form(refused: Refused, aliases: Sequence[AliasName]) -> Told:
    """Return an error in the gateway's shape, with LiteLLM's `detail` beside it."""
    error = wire.of_refused(refused, Dialect.OPENAI, "")
    body = read_object(error.body)
    if refused.status == _MALFORMED:
        body["detail"] = [
            {
                "type": refused.code or "value_error",
                "loc": ["body", refused.param or ""],
                "msg": refused.message,
            }
        ]
    else:
        detail: JsonObject = {"error": refused.message}
        if refused.code in _NAMES_ALIASES:
            detail["available_models"] = list(aliases)
        body["detail"] = detail
    return Told(body, refused.status, headers=error.headers)


def _name(override: Override) -> JsonObject:
    return {"model": override.alias, "fallback_type": override.kind.value}


def _names(targets: Sequence[AliasName] | None) -> Json:
    return None if targets is None else list(targets)


def _when(instant: float | None) -> str | None:
    return None if instant is None else utc_text(instant)


def _acting(acting: Acting | None) -> Json:
    if acting is None:
        return None
    return {"models": _names(acting.targets), "origin": acting.origin.value}
