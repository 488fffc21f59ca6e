"""Asks the detectors of the package detect-secrets, line by line, in a thread.

Their functions that ask a provider whether a key is real are never called: nothing leaves the
process. Imported only where the package is installed and wanted (extra `secrets`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.plugins.base import BasePlugin

from tiergate.base.jsontypes import Json
from tiergate.core.guard_options import SecretsOptions
from tiergate.guards.matching import OverdueError, overdue
from tiergate.guards.scanning import THREADS, USUAL
from tiergate.ports import Clock
from tiergate.ports.guarding import Found, GuardError

LINE_REACH: Final = 512
"""Characters of a line that the longest usual token needs."""

NOISY: Final = frozenset(
    {"Base64HighEntropyString", "HexHighEntropyString", "IPPublicDetector", "KeywordDetector"}
)
"""Detectors that find much that is none; they act only if a configuration names them."""

SECONDS: Final = 10.0
"""How long a look may take at least: the package looks at each line with two dozen patterns."""

_WORTH_A_LOOK = re.compile(r"[\w+/=-]{11}|PRIVATE KEY|PGP|://[^\s/]*:")
"""What a line has in which one of the usual detectors finds something: a long run of letters, a
key, or a password in an address. Other lines are not shown to them; that saves most of the time.
"""

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def detector_names() -> frozenset[str]:
    """Return the names of all detectors of the installed version."""
    return frozenset(each.__name__ for each in get_mapping_from_secret_type_to_class().values())


class DetectSecrets:
    """Implements `guards.detectors.Detectors`.

    Args:
        options: Which detectors, and what is to be done with findings.
        clock: Monotonic seconds.

    Raises:
        ValueError: There is no such detector, or it does not take an option; the text says which.
    """

    reach = LINE_REACH

    def __init__(self, options: SecretsOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._plugins = tuple(_made(options.plugins or ()))
        named = {str(each.get("name")) for each in options.plugins or ()}
        self._choosy = named.isdisjoint(NOISY)
        self._seconds = max(options.seconds, SECONDS)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="detect-secrets")

    async def find(self, texts: Sequence[str]) -> list[Found]:
        """Return what the detectors find in some texts.

        Raises:
            GuardError: They took too long, or one failed.
        """
        seconds = self._seconds * max(1.0, sum(map(len, texts)) / USUAL)
        until = self._clock() + seconds
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._find, tuple(texts), until)
        except OverdueError as late:
            raise overdue(late.rule, seconds) from None

    def _find(self, texts: Sequence[str], until: float) -> list[Found]:
        found: list[Found] = []
        for number, text in enumerate(texts):
            start = 0
            for line in text.splitlines(keepends=True):
                if not self._choosy or _WORTH_A_LOOK.search(line):
                    self._line(number, line, start, until, found)
                start += len(line)
        return found

    def _line(self, number: int, line: str, start: int, until: float, found: list[Found]) -> None:
        for name, plugin in self._plugins:
            if self._clock() > until:
                raise OverdueError(name)
            try:
                secrets = {each.secret_value for each in plugin.analyze_line("", line)}
            except Exception as exc:  # noqa: BLE001 - a detector is foreign code; the call is decided by on_error
                raise GuardError(
                    f"the detector {name} of detect-secrets failed: {type(exc).__name__}"
                ) from None
            for secret in filter(None, secrets):
                at = line.find(secret)
                while at >= 0:
                    end = start + at + len(secret)
                    found.append(
                        Found(
                            number,
                            start + at,
                            end,
                            name,
                            self._options.reaction,
                            instead=self._options.instead,
                        )
                    )
                    at = line.find(secret, at + len(secret))


def _made(wanted: Iterable[Mapping[str, Json]]) -> Iterable[tuple[str, BasePlugin]]:
    classes = {each.__name__: each for each in get_mapping_from_secret_type_to_class().values()}
    asked = {str(each.get("name")): each for each in wanted}
    for name in asked or (name for name in classes if name not in NOISY):
        if name not in classes:
            raise ValueError(f"detect-secrets has no detector {name}")
        options = {key: value for key, value in asked.get(name, {}).items() if key != "name"}
        try:
            plugin = classes[name](**options)
        except TypeError:
            raise ValueError(
                f"the detector {name} of detect-secrets does not take {', '.join(options)}"
            ) from None
        yield _CAPITAL.sub("_", name.removesuffix("Detector")).lower(), plugin
