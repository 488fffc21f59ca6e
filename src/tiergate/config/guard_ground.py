"""What all readers of guards' options stand on, and the values that several kinds share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tiergate.base.values import Secret
from tiergate.config.addresses import is_address
from tiergate.config.environment import PREFIX
from tiergate.config.guard_facts import GuardFacts
from tiergate.config.reading import Reader
from tiergate.config.section import Section, Spot
from tiergate.core.guard_options import Reaction

EVERY: Final = (Reaction.BLOCK, Reaction.MASK, Reaction.LOG)
JUDGES: Final = (Reaction.BLOCK, Reaction.LOG)
"""What guards can do that judge a text as a whole."""


@dataclass(frozen=True, slots=True)
class OptionGround:
    """What options are read with.

    Attributes:
        reader: Where findings and the report go.
        environ: The environment variables.
        look_up: False for `--no-env`: no variable is missed.
        extras: The optional parts of the installation that are there.
        facts: Knows patterns.
    """

    reader: Reader
    environ: Mapping[str, str]
    look_up: bool
    extras: AbstractSet[str]
    facts: GuardFacts

    def error(self, code: str, spot: Spot | Section, message: str, advice: str = "") -> None:
        """Add an error: a guard that cannot do what the file asks for stops the start."""
        self.reader.findings.error(code, spot.at, message, advice)

    def reaction(
        self, spot: Spot | None, default: Reaction, allowed: Collection[Reaction] = EVERY
    ) -> Reaction:
        """Return what is to be done about a finding: `BLOCK`, `MASK` or `LOG` in any spelling."""
        word = self.reader.typed.firm.text(spot)
        if word is None or spot is None:
            return default
        for each in allowed:
            if each.value == word.strip().lower():
                return each
        words = ", ".join(each.value.upper() for each in allowed)
        self.error("unknown-value", spot, f'"{word}" is no action here', f"Write one of {words}.")
        return default

    def address(self, spot: Spot | None, variable: str, default: str = "") -> str:
        """Return the address of a service: as written, else a variable's, else the default.

        Returns:
            The address; empty where there is none, or, after an error, where it is none.
        """
        if spot is not None:
            found = self.reader.typed.firm.text(spot)
            if found is not None and not is_address(found):
                self.error(
                    "bad-address",
                    spot,
                    "is not an address that begins with http:// or https://",
                )
                return ""
            return found or ""
        named = self.environ.get(variable, "").strip() if variable and self.look_up else ""
        return named if named and is_address(named) else default

    def key(self, spot: Spot | None, variable: str) -> Secret | None:
        """Return the key of a service: as written, else a variable's."""
        if spot is not None:
            return self.reader.typed.secret(spot)
        named = self.environ.get(variable, "").strip() if variable and self.look_up else ""
        return Secret(named) if named else None

    def beside(self, spot: Spot) -> Path | None:
        """Return the file that a value names, relative to the file it stands in."""
        name = self.reader.typed.firm.text(spot)
        if name is None or name.startswith(PREFIX):
            return None
        return Path(spot.position.file).parent / Path(name).expanduser()
