"""Shows texts to guards, and cuts what they find out of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from support.upstream import Upstream
from tiergate.base.values import Dialect
from tiergate.config.findings import Finding, Findings
from tiergate.config.guard_options import OptionGround, read_options
from tiergate.config.reading import Reader
from tiergate.config.section import Section
from tiergate.config.tree import MapNode
from tiergate.config.typed import Typed
from tiergate.config.yamltext import parse
from tiergate.core.caller import Caller
from tiergate.core.guard_plan import Stage
from tiergate.guards.matching import Rule, find_all
from tiergate.ports.guarding import Fetch, Found, Guard, Occasion, Passage, Place, Verdict
from tiergate.transport import Transport
from tiergate.wiring.fetching import Fetcher
from tiergate.wiring.guard_facts import InstalledGuards

CALLER = Caller(name="ci", key="ab" * 32, user="u-1", team="t-1")

INNOCENT = (
    "The quick brown fox jumps over the lazy dog.",
    "Please call the function parse_config(path) and return its result.",
    "Version 1.2.3 was released on 2026-11-30 at 14:05:09, build 20261130.1405.",
    "SELECT id, total FROM orders WHERE created_at > '2026-01-01' LIMIT 100;",
    "The file has 123456789 bytes, 4096 blocks and 1234567890123 nanoseconds of history.",
    "std::vector<int> v; a::b::c(); x = y ? 1 : 2; ratio 16:9; score 12:30",
    "commit 3f2a9c1d7b8e4f60a1b2c3d4e5f60718293a4b5c merges branch feature/login",
    "uuid 550e8400-e29b-41d4-a716-446655440000, sha256 of empty input e3b0c44298fc1c14",
    "password: the user must choose one with at least twelve characters",
    "Set the api_key option (see docs) or export API_KEY=<your key here>.",
    "token = get_token(user)  # the secret is in the vault",
    "The token count is 1024 and secret sharing splits it into 5 parts.",
    "git clone git@github.com:example/project.git && make test",
    "Open localhost:8080 or 127.0.0.1 in your browser; 0.0.0.0 binds everything.",
    "Pi is 3.14159265358979323846 and e is 2.718281828459045.",
    "ISBN 978-3-16-148410-0, DOI 10.1000/182, order 4711-0815",
    "My phone is broken, can you tell me how to reset it in 3 steps?",
    "The meeting is at 10:30 in room 2.14, see you there.",
    "const KEY_LENGTH = 32; let secret = undefined; // password = null",
    "Die Lösung für Aufgabe 17 steht auf Seite 203, Abschnitt 4.5.",
    "価格は12,000円です。電話は後でかけます。",
    "os.environ['API_KEY'] = os.environ.get('OTHER_API_KEY', '')",
    "Add `secret: ${{ secrets.DEPLOY_TOKEN }}` to the workflow file.",
    "0x7ffee4c0 is a stack address; 0xdeadbeef is a marker.",
)
"""Texts in which there is nothing to find, each near to something that is."""


def occasion(stage: Stage = Stage.PRE_CALL, **more: object) -> Occasion:
    """A call of a caller with a key."""
    return Occasion(
        call_id="call-1",
        alias="cheap",
        dialect=Dialect.OPENAI,
        stage=stage,
        caller=CALLER,
        user="end-user",
        **more,
    )


def user(text: str) -> Passage:
    """A text of the user."""
    return Passage(text, Place.USER, path="messages[0].content")


async def look(guard: Guard, *texts: str, stage: Stage = Stage.PRE_CALL) -> Verdict:
    """What a guard says of texts of a user."""
    return await guard.look([user(text) for text in texts], occasion(stage))


def cut(verdict: Verdict | Sequence[Found], *texts: str) -> list[tuple[str, str]]:
    """The findings as pairs of kind and text."""
    found = verdict.found if isinstance(verdict, Verdict) else verdict
    return [(each.kind, texts[each.passage][each.start : each.end]) for each in found]


def found_in(rules: Sequence[Rule], text: str) -> list[tuple[str, str]]:
    """What rules find in one text, as pairs of kind and text."""
    return cut(find_all(rules, [text], time.monotonic() + 60, time.monotonic), text)


def settled(rules: Sequence[Rule], text: str, sizes: Sequence[int]) -> set[tuple[int, int, str]]:
    """What rules find where a text arrives in pieces, as the engine of streams looks at it.

    A finding counts when everything that decides about it has arrived; what is looked at keeps
    twice the window before the part that is new.
    """
    window = max(rule.reach for rule in rules)
    seen: set[tuple[int, int, str]] = set()
    arrived = 0
    steps = [*sizes, len(text)]
    for size in steps:
        arrived = min(len(text), arrived + size)
        start = max(0, arrived - size - 3 * window)
        piece = text[start:arrived]
        ended = arrived == len(text)
        for each in find_all(rules, [piece], time.monotonic() + 60, time.monotonic):
            whole_left = start == 0 or each.start >= window
            if whole_left and (ended or each.start + window <= len(piece)):
                seen.add((start + each.start, start + each.end, each.kind))
    return seen


@asynccontextmanager
async def service() -> AsyncIterator[tuple[Upstream, Fetch]]:
    """A scripted HTTP service, and the way to it through the gateway's own transport."""
    transport = Transport(environ={}, clock=asyncio.get_running_loop().time)
    try:
        async with Upstream("service") as upstream:
            yield upstream, Fetcher(transport)
    finally:
        await transport.aclose()


class Options:
    """Reads options as a configuration file gives them.

    Args:
        folder: Where the file is taken to be.
        extras: Optional parts that are taken to be installed.
        environ: The environment variables.
    """

    def __init__(
        self,
        folder: Path,
        extras: frozenset[str] = frozenset(),
        environ: dict[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.findings = Findings(lenient=False, strict=False)
        self.reader = Reader(self.findings, Typed(self.findings))
        self.left: list[str] = []
        self._ground = OptionGround(self.reader, environ or {}, True, extras, InstalledGuards())

    def read(self, text: str) -> object | None:
        """The options of `litellm_params` in YAML."""
        node = parse(text, str(self.folder / "a.yaml"), self.findings)
        assert isinstance(node, MapNode)
        section = Section((), node.position, node)
        kind = section.take("guardrail")
        assert kind is not None
        options = read_options(kind, section, self._ground)
        self.left = [spot.key for spot in section.left()]
        return options

    def said(self) -> list[str]:
        """The findings as `severity path: message`."""
        return [f"{f.severity.value} {f.path}: {f.message}" for f in self._all()]

    def advice(self) -> list[str]:
        """What the findings advise."""
        return [f.advice for f in self._all()]

    def _all(self) -> Sequence[Finding]:
        return self.findings.result()
