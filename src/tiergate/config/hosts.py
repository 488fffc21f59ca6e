"""What `config` asks of the table of provider hosts. The table itself lives elsewhere.

Configuration names a model as `provider/model`; who that provider is, what it speaks and where
it listens is knowledge of the provider layer, handed in as an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tiergate.base.values import Dialect


@dataclass(frozen=True, slots=True)
class HostMatch:
    """What a model text such as `groq/llama-3.3-70b` means.

    Attributes:
        provider: The host's canonical name (`groq`).
        dialect: What it speaks.
        model: The model's name at the host.
        default_base: Its public address, or None for hosts that have none (a local server).
        key_variables: Environment variables that may hold its key, in order; empty when the host
            needs no key.
        base_variables: Environment variables that may hold its address, in order.
        key_optional: It also works without a key.
    """

    provider: str
    dialect: Dialect
    model: str
    default_base: str | None
    key_variables: tuple[str, ...] = ()
    base_variables: tuple[str, ...] = ()
    key_optional: bool = False


class Hosts(Protocol):
    """The table of hosts."""

    def split_model(self, text: str) -> HostMatch | None:
        """Return the host and model that `text` means; None when no host is known for it."""
        ...

    def nearest(self, prefix: str) -> tuple[str, ...]:
        """Return host names like `prefix`, best first."""
        ...

    def planned(self, prefix: str) -> bool:
        """Return whether LiteLLM knows the host and Tiergate does not yet."""
        ...

    def canonical(self, name: str) -> str | None:
        """Return the canonical name of a host for a name of LiteLLM; None when unknown."""
        ...
