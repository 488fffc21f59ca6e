"""Plays the script to arriving requests: keeps rules, call counts, known prompt prefixes, records.

It answers with actions and touches no socket, so that it can be used without a server.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from tiergate.mock.call import Call, Dialect, MalformedError, dialect_of, read_body, route_of
from tiergate.mock.prompt_cache import CacheUse, breakpoints, use_of
from tiergate.mock.records import Received, Records, safe_body, safe_headers
from tiergate.mock.rules import Endpoint, Fail, Rule, Step
from tiergate.mock.script import (
    DEFAULT_MODELS,
    Action,
    call_id_of,
    failure,
    play,
    rule_for,
    step_for,
)

MAX_PREFIXES = 10_000


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as it came.

    Attributes:
        method: in capitals.
        path: without the query.
        query: without the question mark.
        headers: in the order sent.
        body: whole.
        at: arrival, seconds since 1970 (UTC).
    """

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    at: float


@dataclass(frozen=True, slots=True)
class Performance:
    """What to do with one request.

    Attributes:
        number: of the request, to note later how it ended.
        actions: in order.
    """

    number: int
    actions: tuple[Action, ...]


class Player:
    """The state of one scripted provider."""

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        self.records = Records()
        self._rules: tuple[Rule, ...] = ()
        self._played: list[int] = []
        self._number = 0
        self._prefixes: OrderedDict[str, None] = OrderedDict()
        self.use(rules)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in force; the first that matches a call is played."""
        return self._rules

    def use(self, rules: Sequence[Rule]) -> None:
        """Replace the rules, and begin each from its first step."""
        self._rules = tuple(rules)
        self._played = [0] * len(self._rules)

    def perform(self, request: Request) -> Performance:
        """Decide what to do with a request, and record it."""
        self._number += 1
        number = self._number
        headers = {name.lower(): value for name, value in request.headers}
        dialect = dialect_of(request.path, headers)
        try:
            call = self._read(request, dialect)
        except _Refused as refused:
            self._record(request, None)
            step: Step = refused.fail
            actions = self._turned_away(dialect, refused.fail, request.at)
        else:
            self._record(request, call)
            step = self._next_step(call)
            actions = play(call, step, self._cache_use(call), self._models())
        self.records.note(number, step=_word(step))
        return Performance(number, actions)

    def turn_away(self, request: Request, fail: Fail) -> Performance:
        """Refuse a request that the server could not take in, in its dialect, and record it."""
        self._number += 1
        self._record(request, None)
        self.records.note(self._number, step=_word(fail))
        headers = {name.lower(): value for name, value in request.headers}
        dialect = dialect_of(request.path, headers)
        return Performance(self._number, self._turned_away(dialect, fail, request.at))

    def _turned_away(self, dialect: Dialect, fail: Fail, at: float) -> tuple[Action, ...]:
        return (failure(dialect, call_id_of(dialect, self._number), int(at), fail),)

    def _read(self, request: Request, dialect: Dialect) -> Call:
        route = route_of(request.path)
        if route is None:
            text = f"Unknown request URL: {request.method} {request.path}."
            raise _Refused(Fail(404, message=text, code="unknown_url"))
        if request.method != route.method:
            text = f"Not allowed to {request.method} on {request.path}; use {route.method}."
            raise _Refused(Fail(405, message=text))
        if route.endpoint is Endpoint.MODELS:
            return Call(self._number, int(request.at), route.endpoint, dialect, route.model, {})
        try:
            body = read_body(route.endpoint, request.body)
        except MalformedError as error:
            raise _Refused(Fail(400, message=str(error))) from None
        model = body["model"]
        name = model if isinstance(model, str) else ""
        return Call(self._number, int(request.at), route.endpoint, dialect, name, body)

    def _record(self, request: Request, call: Call | None) -> None:
        self.records.add(
            Received(
                number=self._number,
                at=request.at,
                method=request.method,
                path=request.path,
                query=request.query,
                endpoint=call.endpoint.value if call else "",
                model=call.model if call else "",
                headers=safe_headers(request.headers),
                body=safe_body(request.body),
                body_bytes=len(request.body),
                body_sha256=hashlib.sha256(request.body).hexdigest(),
            )
        )

    def _next_step(self, call: Call) -> Step:
        index = rule_for(call, self._rules)
        if index is None:
            return step_for(call, None, 0)
        played = self._played[index]
        self._played[index] += 1
        return step_for(call, self._rules[index], played)

    def _cache_use(self, call: Call) -> CacheUse:
        """Look up the prompt's marked prefixes, and know them from now on."""
        if call.endpoint is not Endpoint.MESSAGES:
            return CacheUse()
        marks = breakpoints(call)
        use = use_of(marks, self._prefixes)
        for mark in marks:
            self._prefixes[mark.digest] = None
            self._prefixes.move_to_end(mark.digest)
        while len(self._prefixes) > MAX_PREFIXES:
            self._prefixes.popitem(last=False)
        return use

    def _models(self) -> tuple[str, ...]:
        named = [rule.model for rule in self._rules if not set(rule.model) & set("*?[")]
        return (*dict.fromkeys(named), *DEFAULT_MODELS)


class _Refused(Exception):  # noqa: N818 - it is an outcome, not a fault of ours
    """A request that no step is played for."""

    def __init__(self, fail: Fail) -> None:
        super().__init__(fail.message)
        self.fail = fail


def _word(step: Step) -> str:
    tag = step.__struct_config__.tag
    return str(tag)
