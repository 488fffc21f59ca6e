"""All built-in patterns together: which there are, and the rules that look for one of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tiergate.core.guard_options import Reaction
from tiergate.guards.known import KnownPattern
from tiergate.guards.known_personal import PERSONAL
from tiergate.guards.known_secrets import SECRETS
from tiergate.guards.matching import Rule

KNOWN: Final[Mapping[str, KnownPattern]] = MappingProxyType({**PERSONAL, **SECRETS})
"""Every built-in pattern by name."""

OTHER_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "eu_iban_enhanced": "iban",
        "iban_code": "iban",
        "br_phone_landline": "phone",
        "br_phone_mobile": "phone",
        "ip_address": "ipv4",
        "email_address": "email",
        "phone_number": "phone",
        "openai_api_key": "openai_key",
        "aws_access_key_id": "aws_access_key",
    }
)
"""Further names of built-in patterns: those of LiteLLM that mean one of them."""

NAMES: Final = frozenset(KNOWN) | frozenset(OTHER_NAMES)
"""Every name of a built-in pattern."""


def rules_of(name: str, reaction: Reaction, instead: str = "", said: str = "") -> tuple[Rule, ...]:
    """Return the rules that look for a built-in pattern.

    Args:
        name: One of `NAMES`.
        reaction: What is to be done.
        instead: What masks a finding; empty for a numbered placeholder.
        said: What a finding is called; empty for `name`.

    Raises:
        KeyError: There is no such pattern.
    """
    known = KNOWN[OTHER_NAMES.get(name, name)]
    patterns = (known, *(KNOWN[more] for more in known.more))
    return tuple(each.rule(said or name, reaction, instead) for each in patterns)
