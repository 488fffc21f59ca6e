"""What an encoder is told about the deployment it writes for, and what it gives back.

Carries values only. Which deployment is chosen, and with which key, is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tiergate.providers.facts import ModelFacts
from tiergate.providers.quirks import Quirk

NO_RENAMES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class EncodeTarget:
    """The deployment a request is written for.

    Attributes:
        model: The provider's own model name.
        facts: What that model accepts.
        default_max_tokens: Output limit (tokens) sent when the caller gives none and the
            dialect demands one; None takes the model's default from `facts`.
        drop_params: True when the operator allows parameters the model rejects to be left out
            (LiteLLM's `drop_params`); they are then a loss instead of an error.
        stream: True when the answer is asked for as a stream. This, not `Ask.stream`, is what
            is written: the gateway may stream upstream for a caller who does not.
        quirks: Where the host differs from its dialect (`hosts.Host.quirks`).
    """

    model: str
    facts: ModelFacts
    default_max_tokens: int | None = None
    drop_params: bool = False
    stream: bool = False
    quirks: frozenset[Quirk] = frozenset()


@dataclass(frozen=True, slots=True)
class EncodedAsk:
    """A request in a provider's dialect.

    Attributes:
        body: JSON bytes; the same Ask and target always give the same bytes.
        losses: What was left out, as short stable words in order of first loss, no repeats
            (for the response header `x-tiergate-dropped`).
        headers: Extra upstream headers, lower-case names (`anthropic-beta`).
        renames: Tool names as sent, mapped to the caller's own names, when a name had to be
            changed to fit the provider's rules. Names in the answer are mapped back by it.
    """

    body: bytes
    losses: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    renames: Mapping[str, str] = field(default_factory=lambda: NO_RENAMES)
