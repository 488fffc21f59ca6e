"""Reads the options of one guard, by its kind; a kind that is not known stops the start.

Which keys every kind has in common is not decided here (`config.guardrails`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from tiergate.config.guard_filter import read_filter
from tiergate.config.guard_ground import OptionGround
from tiergate.config.guard_limits import read_injection, read_length, read_tools
from tiergate.config.guard_pii import read_pii
from tiergate.config.guard_secrets import read_secrets
from tiergate.config.guard_services import read_moderation, read_remote
from tiergate.config.section import Section, Spot
from tiergate.config.suggest import did_you_mean
from tiergate.core.guard_options import (
    GuardOptions,
    InjectionOptions,
    LengthOptions,
)
from tiergate.core.guard_plan import Stage

__all__ = ["KINDS", "OptionGround", "read_options", "stages_of"]

_Read = Callable[[str, Section, OptionGround], GuardOptions | None]

_READERS: Final[Mapping[str, _Read]] = MappingProxyType(
    {
        "litellm_content_filter": read_filter,
        "content_filter": read_filter,
        "regex": read_filter,
        "deny_words": read_filter,
        "secrets": read_secrets,
        "hide-secrets": read_secrets,
        "hide_secrets": read_secrets,
        "pii": read_pii,
        "presidio": read_pii,
        "max_tokens": read_length,
        "prompt_injection": read_injection,
        "detect_prompt_injection": read_injection,
        "openai_moderation": read_moderation,
        "openai_moderations": read_moderation,
        "generic_guardrail_api": read_remote,
        "http": read_remote,
        "tool_permission": read_tools,
    }
)

KINDS: Final = frozenset(_READERS)
"""Every word that names a kind of guard."""

_SERVICES: Final = """
    aim akto aporia aporia_ai azure/prompt_shield azure/text_moderations bedrock cato_networks
    cisco_ai_defense crowdstrike_aidr dynamoai enkryptai google_text_moderation grayswan
    guardrails_ai headroom hiddenlayer ibm_guardrails javelin lakera lakera_v2
    lakera_prompt_injection lasso llamaguard_moderations llmguard_moderations microsoft_purview
    model_armor noma noma_v2 onyx ovalix pangea panw_prisma_airs pillar prompt_security
    promptguard qostodian_nexus qualifire repelloai rubrik vigil_guard xecguard zscaler_ai_guard
    azure_content_safety
"""
_OF_SERVICES: Final = frozenset(_SERVICES.split())
_OF_LITELLM: Final = frozenset(
    {
        "block_code_execution",
        "custom_code",
        "llm_as_a_judge",
        "mcp_end_user_permission",
        "mcp_jwt_signer",
        "mcp_security",
        "semantic_guard",
    }
)
_INSTEAD: Final = (
    "Put it behind `guardrail: generic_guardrail_api` with `api_base` (an HTTP endpoint that "
    "answers in LiteLLM's form), or write a class and name it: `guardrail: my_module.MyGuard`."
)
_CLASS: Final = "Write it as a class in a module and name that: `guardrail: my_module.MyGuard`."

_NOT_OUTPUT: Final = frozenset(Stage) - {Stage.POST_CALL}


def read_options(kind: Spot, params: Section, ground: OptionGround) -> GuardOptions | None:
    """Return the options of a guard; None after an error.

    Args:
        kind: `litellm_params.guardrail`, a text that names no class.
        params: `litellm_params`; the keys of the kind are taken from it.
        ground: What they are read with.
    """
    word = ground.reader.typed.firm.text(kind)
    if word is None:
        return None
    read = _READERS.get(word)
    if read is not None:
        return read(word, params, ground)
    params.all()  # what a kind that is not here is told needs no remark of its own
    if word in _OF_SERVICES:
        ground.error(
            "guardrail-elsewhere",
            kind,
            f'the guardrail "{word}" of LiteLLM is a service that Tiergate has no own client for',
            _INSTEAD,
        )
    elif word in _OF_LITELLM:
        ground.error(
            "guardrail-elsewhere", kind, f'the guardrail "{word}" of LiteLLM is not here', _CLASS
        )
    else:
        known = sorted(KINDS | _OF_SERVICES | _OF_LITELLM)
        ground.error(
            "unknown-guardrail",
            kind,
            f'there is no guardrail of the kind "{word}"',
            did_you_mean(word, known) or f"There are {', '.join(sorted(KINDS))}, and classes.",
        )
    return None


def stages_of(options: object) -> frozenset[Stage]:
    """Return the stages in which a guard with these options can look."""
    match options:
        case LengthOptions() | InjectionOptions():
            return _NOT_OUTPUT
        case _:
            return frozenset(Stage)
