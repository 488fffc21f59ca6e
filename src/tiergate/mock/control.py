"""The control routes below `/_mock/`: set rules, see calls. They are no part of any provider."""

from __future__ import annotations

from types import MappingProxyType

import msgspec

from tiergate.mock.player import Player, Request
from tiergate.mock.reading import ScriptError, read_json_rules, rules_as_json
from tiergate.mock.script import Respond

PREFIX = "/_mock/"

_HEADERS = MappingProxyType({"content-type": "application/json"})


def control(player: Player, request: Request) -> Respond:
    """Answer a control request.

    `GET`, `PUT`, `DELETE /_mock/rules`; `GET`, `DELETE /_mock/calls`.
    """
    match (request.method, request.path.removeprefix(PREFIX)):
        case ("GET", "rules"):
            return _json(200, rules_as_json(player.rules))
        case ("PUT", "rules"):
            return _put_rules(player, request.body)
        case ("DELETE", "rules"):
            player.use(())
            return _json(200, {"rules": 0})
        case ("GET", "calls"):
            return _json(200, {"calls": player.records.all()})
        case ("DELETE", "calls"):
            player.records.clear()
            return _json(200, {"calls": 0})
        case _:
            text = (
                f"There is no {request.method} {request.path}. Control routes: GET, PUT, DELETE "
                "/_mock/rules; GET, DELETE /_mock/calls."
            )
            return _json(404, {"error": text})


def _put_rules(player: Player, body: bytes) -> Respond:
    try:
        rules = read_json_rules(body)
    except ScriptError as error:
        return _json(400, {"error": str(error)})
    player.use(rules)
    return _json(200, {"rules": len(rules)})


def _json(status: int, value: object) -> Respond:
    return Respond(status, _HEADERS, msgspec.json.encode(value))
