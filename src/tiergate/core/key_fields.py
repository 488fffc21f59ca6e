"""Which fields a request about keys, users and teams may have, and how their values are read.

LiteLLM's fields are of three kinds here: those that act; those that would narrow what a key may
do and do not act, which are refused, since a key that can do more than it was made for is worse
than none; and those that change nothing, which are told in the reply. Source of the names:
LiteLLM's request classes (`GenerateKeyRequest`, `NewUserRequest`, `NewTeamRequest` and their
relatives, release 1.8x).
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from difflib import get_close_matches
from types import MappingProxyType

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.money import nano_from_usd
from tiergate.base.values import NanoUsd

MOST_USD = 1_000_000_000
LONGEST_TEXT = 256
MOST_NAMES = 1000
MOST_COUNT = 10**12

_LIST_ALIASES = "List the aliases in `models`."
_ONE_WINDOW = "Write `max_budget` and `budget_duration` for the key, its user or its team."
_PER_ALIAS = (
    "Limits of a key hold for all its calls together; make a key for each alias (`models`)."
)
_OWN_GATEWAY = "Run a gateway of its own for such callers."

REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "access_group_ids": f"Groups of models are not known here. {_LIST_ALIASES}",
        "agent_id": "Agents are not known here, so their limits would not hold.",
        "aliases": "A key cannot rename models. Use `router_settings.model_group_alias`.",
        "allowed_cache_controls": "Which cache controls a key may use cannot be limited.",
        "allowed_routes": f"The routes of a key cannot be limited. {_OWN_GATEWAY}",
        "auto_rotate": "Keys are not rotated by themselves. Give the key a `duration`.",
        "rotation_interval": "Keys are not rotated by themselves. Give the key a `duration`.",
        "budget_id": f"Budgets with names of their own are not known here. {_ONE_WINDOW}",
        "budget_limits": f"A key has one budget with one window. {_ONE_WINDOW}",
        "config": "A key has no configuration of its own.",
        "default_team_member_models": "Members have no rights of their own; `models` of the key "
        "and the team hold.",
        "end_user_budget_id": "Use `litellm_settings.max_end_user_budget` for end users.",
        "enforced_params": "Fields that every request must have cannot be demanded by key.",
        "max_budget_in_team": f"Members have no budgets of their own in a team. {_ONE_WINDOW}",
        "mcp_rpm_limit": "MCP servers are not served.",
        "members": "Write `members_with_roles`: a list of {user_id, role}.",
        "admins": "Write `members_with_roles`: a list of {user_id, role}.",
        "model_aliases": "A team cannot rename models. Use `router_settings.model_group_alias`.",
        "model_max_budget": f"Budgets of a key by alias are not there yet. {_PER_ALIAS}",
        "model_rpm_limit": f"Limits of a key by alias are not there. {_PER_ALIAS}",
        "model_tpm_limit": f"Limits of a key by alias are not there. {_PER_ALIAS}",
        "object_permission": "Rights on MCP servers, vector stores and agents are not known here.",
        "organization_id": "Organizations are not known here, so their limits would not hold. Use "
        "a team.",
        "organizations": "Organizations are not known here, so their limits would not hold. Use "
        "a team.",
        "permissions": "Rights of a key beyond `models` and its limits are not known here.",
        "policies": "Policies are not known here, so nothing would be checked.",
        "project_id": "Projects are not known here, so their limits would not hold. Use a team.",
        "prompts": "Stored prompts are not known here.",
        "router_settings": "Routing is the same for all keys; it is set in the configuration.",
        "spend": "What was spent is counted from the ledger and cannot be set. Raise `max_budget` "
        "instead.",
        "tag_rpm_limit": "Limits by tag are not there. Make a key of its own for the tag.",
        "team_member_budget": f"Members have no budgets of their own in a team. {_ONE_WINDOW}",
        "team_member_budget_duration": "Members have no budgets of their own in a team.",
        "team_member_key_duration": "Give each key a `duration`.",
        "team_member_rpm_limit": "Members have no limits of their own; give the key one.",
        "team_member_tpm_limit": "Members have no limits of their own; give the key one.",
        "teams": "Users are put into teams with POST /team/member_add; a key belongs to the team "
        "that its `team_id` names.",
        "temp_budget_expiry": "Raise `max_budget` with POST /key/update, and lower it afterwards.",
        "temp_budget_increase": "Raise `max_budget` with POST /key/update, and lower it "
        "afterwards.",
        "tpd_limit": "Limits are per minute. Use `tpm_limit`, or a budget with a window of 1d.",
    }
)
"""Fields of LiteLLM that narrow what a key may do and do not act here, with the way out."""

HARMLESS: Mapping[str, str] = MappingProxyType(
    {
        "allow_team_guardrail_config": "has no effect: guardrails are set in the configuration",
        "allowed_passthrough_routes": "has no effect: there are no pass-through routes",
        "allowed_vector_store_indexes": "has no effect: there are no vector stores",
        "default_estimated_output_tokens": "has no effect: what a call may cost is held exactly",
        "default_estimated_output_tokens_per_model": "has no effect: what a call may cost is held "
        "exactly",
        "denied_passthrough_routes": "has no effect: there are no pass-through routes",
        "disable_global_guardrails": "has no effect: the guardrails of the configuration hold",
        "enable_prompt_caching": "has no effect: prompt caching is set in the configuration",
        "enforced_batch_output_expires_after": "has no effect: batches are not served",
        "enforced_file_expires_after": "has no effect: files are not served",
        "password": "has no effect: nobody logs in here",
        "rpm_limit_type": "has no effect: every limit is kept as it is",
        "secret_manager_settings": "has no effect: keys are kept as hashes in the gateway's store",
        "send_invite_email": "has no effect: no mail is sent",
        "sso_user_id": "has no effect: nobody logs in here",
        "team_member_permissions": "has no effect: keys are made with the master key only",
        "throttle_on_budget_exceeded": "has no effect: a call over budget is refused",
        "tpm_limit_type": "has no effect: every limit is kept as it is",
        "user_role": "has no effect: keys are made and changed with the master key only",
    }
)
"""Fields of LiteLLM that change nothing here; the words follow the field's name."""

_HIDDEN = frozenset({"policies", "enforced_params", "model_rpm_limit", "model_tpm_limit"})
"""What LiteLLM also obeys where it stands in `metadata`."""


def check_fields(body: Mapping[str, Json], acting: AbstractSet[str]) -> tuple[str, ...]:
    """Refuse fields that nobody knows or that cannot be obeyed; return what is to be said.

    An empty value (null, false, an empty list) of a field that does not act asks for nothing.

    Args:
        body: The request.
        acting: The fields that the route acts on.

    Raises:
        Refused: 400, which names the field and what to do instead.
    """
    warnings: list[str] = []
    for name, value in body.items():
        if name in acting:
            continue
        if name in REFUSED:
            if value:
                raise invalid(name, f"`{name}` cannot be kept to. {REFUSED[name]}")
        elif name in HARMLESS:
            if value:
                warnings.append(f"`{name}` {HARMLESS[name]}")
        else:
            raise _unknown(name, acting)
    metadata = body.get("metadata")
    if isinstance(metadata, dict):
        for name in sorted(_HIDDEN & metadata.keys()):
            if metadata[name]:
                raise invalid("metadata", f"`metadata.{name}` cannot be kept to. {REFUSED[name]}")
    return tuple(warnings)


def _unknown(name: str, acting: AbstractSet[str]) -> Refused:
    known = sorted({*acting, *REFUSED, *HARMLESS})
    shown = name if len(name) <= LONGEST_TEXT else f"{name[:LONGEST_TEXT]}..."
    near = get_close_matches(name[:LONGEST_TEXT], known, n=1)
    advice = f"Did you mean `{near[0]}`?" if near else f"Known: {', '.join(sorted(acting))}."
    return invalid(shown, f"`{shown}` is not known. {advice}", code="unknown_field")


def invalid(name: str, message: str, *, code: str = "invalid_request") -> Refused:
    """Make the 400 that blames a field."""
    return Refused(400, message, code=code, param=name)


def read_usd(value: Json, name: str) -> NanoUsd | None:
    """Return an amount of USD as nano-USD, rounded up; None where null is given."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_USD:
        raise invalid(
            name,
            f"`{name}` must be an amount in USD from 0 to {MOST_USD:,}, or null for no limit.",
        )
    return nano_from_usd(value)


def read_count(value: Json, name: str) -> int | None:
    """Return a whole number from 0; None where null is given."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_COUNT:
        raise invalid(name, f"`{name}` must be a whole number from 0, or null for no limit.")
    return value


def read_text(value: Json, name: str) -> str:
    """Return a name in one line; empty where null is given."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not value.isprintable():
        raise invalid(
            name, f"`{name}` must be a text of at most {LONGEST_TEXT} printable characters."
        )
    return value.strip()


def read_texts(value: Json, name: str) -> tuple[str, ...]:
    """Return a list of names, each once; empty where null is given."""
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MOST_NAMES:
        raise invalid(name, f"`{name}` must be a list of at most {MOST_NAMES} texts.")
    texts = dict.fromkeys(read_text(each, name) if each else "" for each in value)
    if "" in texts:
        raise invalid(name, f"`{name}` has an entry that is empty.")
    return tuple(texts)


def read_flag(value: Json, name: str) -> bool:
    """Return a switch; null is off."""
    if value is not None and not isinstance(value, bool):
        raise invalid(name, f"`{name}` must be true or false.")
    return value is True


def read_object(value: Json, name: str) -> JsonObject:
    """Return a JSON object; empty where null is given."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(name, f"`{name}` must be a JSON object.")
    return value


def required_text(body: Mapping[str, Json], name: str) -> str:
    """Return a text that has to be there.

    Raises:
        Refused: 400, when it is not.
    """
    text = read_text(body.get(name), name)
    if not text:
        raise invalid(name, f"`{name}` is required.", code="missing_parameter")
    return text
