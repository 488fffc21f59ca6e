"""Requests of real clients as files: what they send, without anybody's words or machine.

A recording keeps what a codec can stumble over: names, order, types, schemas, numbers, escapes.
Prose is replaced letter by letter and cut, so that nobody's text is in the repository.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from support.relay import Sent
from tiergate.base.jsontypes import Json, JsonObject

FOLDER = Path(__file__).parents[1] / "golden" / "clients"
UPDATE = os.environ.get("TIERGATE_UPDATE_GOLDEN") == "1"
"""The process tests write the recordings anew."""

LONGEST_PROSE = 300
_PROSE = frozenset({"text", "description", "content", "title", "system", "thinking", "command"})
_KEPT_HEADERS = frozenset(
    {"accept", "anthropic-beta", "anthropic-version", "content-type", "user-agent"}
)
_FILLER = "loremipsumdolorsitametconsecteturadipiscingelitseddoeiusmodtempor"
_WORD = re.compile(r"[A-Za-z]+")
_DIGIT = re.compile(r"[0-9]")
_IDENTIFIER = re.compile(r"[0-9a-f-]{32,}")
_HEXADECIMAL = re.compile(r"[0-9a-f]")


@dataclass(frozen=True, slots=True)
class Recording:
    """One request of a real client.

    Attributes:
        client: name and version.
        headers: those that matter to a gateway, names in small letters.
        body: decoded; the client wrote it as compact JSON.
    """

    client: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: JsonObject

    @property
    def raw(self) -> bytes:
        """The body as the client wrote it."""
        return compact(self.body)


def compact(value: Json) -> bytes:
    """JSON as JavaScript's `JSON.stringify` and the Python SDKs write it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def record(name: str, client: str, sent: Sent, replace: Mapping[str, str] | None = None) -> None:
    """Write a request as a file, with TIERGATE_UPDATE_GOLDEN=1.

    Args:
        name: of the file, without its ending.
        client: name and version.
        sent: the request as it went over the wire.
        replace: texts that tell of this machine (paths), and what stands for them.
    """
    if not UPDATE:
        return
    text = sent.body.decode()
    for found, shown in (replace or {}).items():
        text = text.replace(found, shown)
    headers = {key.lower(): value for key, value in sent.headers}
    document: JsonObject = {
        "client": client,
        "method": sent.method,
        "target": sent.target,
        "headers": {key: headers[key] for key in sorted(_KEPT_HEADERS & headers.keys())},
        "body": _without_prose(json.loads(text), ""),
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    shown = json.dumps(document, ensure_ascii=False, indent=1)
    (FOLDER / f"{name}.json").write_text(shown + "\n")


def read(path: Path) -> Recording:
    """Read a recording."""
    document = json.loads(path.read_text())
    return Recording(
        document["client"],
        document["method"],
        document["target"],
        document["headers"],
        document["body"],
    )


def _without_prose(value: Json, name: str) -> Json:
    match value:
        case dict():
            return {key: _without_prose(inner, key) for key, inner in value.items()}
        case list():
            return [_without_prose(inner, name) for inner in value]
        case str() if name == "user_id":
            return _IDENTIFIER.sub(lambda found: _HEXADECIMAL.sub("0", found[0]), value)
        case str() if name in _PROSE:
            return _prose(value)
        case _:
            return value


def _prose(text: str) -> str:
    """Text of the same shape: words of the same lengths, the same punctuation and escapes."""

    def word(found: re.Match[str]) -> str:
        length = len(found[0])
        filler = (_FILLER * (length // len(_FILLER) + 1))[:length]
        return filler.capitalize() if found[0][0].isupper() else filler

    return _WORD.sub(word, _DIGIT.sub("0", text[:LONGEST_PROSE]))
