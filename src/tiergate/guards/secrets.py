"""Looks for keys, tokens and passwords, by patterns of our own and those of detect-secrets.

`secrets` and `hide-secrets` are one guard.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tiergate.core.guard_options import SecretsOptions
from tiergate.guards.detectors import Detectors
from tiergate.guards.known_secrets import SECRETS
from tiergate.guards.matching import Rule
from tiergate.guards.scanning import Scanner
from tiergate.ports import Clock
from tiergate.ports.guarding import CLEAN, Occasion, Passage, Verdict


class SecretsGuard:
    """Implements `ports.guarding.Guard` for secrets.

    Args:
        options: What is to be done with them.
        clock: Monotonic seconds.
        detectors: Those of detect-secrets; None where it is not used.
    """

    restores = False

    def __init__(
        self, options: SecretsOptions, clock: Clock, detectors: Detectors | None = None
    ) -> None:
        self._scanner = Scanner(_rules(options), options.seconds, clock)
        self._detectors = detectors

    @property
    def window(self) -> int | None:
        """The most characters that decide about one finding."""
        reach = self._scanner.reach
        return reach if self._detectors is None else max(reach, self._detectors.reach)

    async def look(self, passages: Sequence[Passage], occasion: Occasion) -> Verdict:  # noqa: ARG002 - the port's signature
        """Return the secrets in some passages.

        Raises:
            GuardError: It took too long.
        """
        texts = [passage.text for passage in passages]
        found = await self._scanner.find(texts)
        if self._detectors is not None:
            found += await self._detectors.find(texts)
            found.sort(key=lambda each: (each.passage, each.start, each.end))
        return Verdict(tuple(found)) if found else CLEAN


def _rules(options: SecretsOptions) -> Iterator[Rule]:
    for name, known in SECRETS.items():
        if name not in options.ignored:
            yield known.rule(name, options.reaction, options.instead)
