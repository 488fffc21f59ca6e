"""Reads out of the source which errors the gateway answers with: code, status, type."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tiergate.ports import Fault
from tiergate.web.wire import openai_type

SOURCE = Path(__file__).parents[2] / "src" / "tiergate"
NOT_ANSWERING = frozenset({"mock", "config", "demo", "cli"})
"""Packages that answer no caller of the gateway."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One place where an error is made.

    Attributes:
        code: the machine-readable word.
        status: HTTP status; None where the place does not say it.
        type: OpenAI's error type; None where the place does not say it.
        place: file and line.
    """

    code: str
    status: int | None
    type: str | None
    place: str


@cache
def answered() -> tuple[Answered, ...]:
    """Return every error with a code of its own, in the order of the files."""
    found = [Answered(fault.value, 502, "api_error", "ports/network.py") for fault in Fault]
    for path in sorted(SOURCE.rglob("*.py")):
        if path.relative_to(SOURCE).parts[0] not in NOT_ANSWERING:
            found += _in_file(path)
    return tuple(found)


def _in_file(path: Path) -> Iterator[Answered]:
    name = path.relative_to(SOURCE).as_posix()
    tree = ast.parse(path.read_text("utf-8"))
    words = _words() | _named(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _in_call(node, f"{name}:{node.lineno}", words)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            yield from _in_pair(node, f"{name}:{node.lineno}")


def _in_call(call: ast.Call, place: str, words: Mapping[str, str]) -> Iterator[Answered]:
    given = {word.arg: word.value for word in call.keywords if word.arg}
    codes = _texts(given["code"], words) if "code" in given else ()
    if not codes:
        return
    maker = ast.unparse(call.func)
    status = next((_number(each) for each in call.args if _number(each)), None)
    kind = _text(given["type"]) if "type" in given else "invalid_request_error"
    if maker != "Refused" and "type" not in given:
        kind = None
    elif kind == "invalid_request_error" and status is not None:
        kind = openai_type(status)
    for code in codes:
        yield Answered(code, status, kind, place)


def _in_pair(node: ast.Assign, place: str) -> Iterator[Answered]:
    """Codes that stand beside a sentence: `what, code = "...", "word"`."""
    target, value = node.targets[0], node.value
    assert isinstance(target, ast.Tuple)
    names = [each.id for each in target.elts if isinstance(each, ast.Name)]
    if "code" in names and isinstance(value, ast.Tuple):
        code = _text(value.elts[names.index("code")])
        if code is not None:
            yield Answered(code, None, None, place)


@cache
def _words() -> dict[str, str]:
    """Names that stand for one text, whichever file they are in."""
    found: dict[str, set[str]] = {}
    for path in SOURCE.rglob("*.py"):
        for name, text in _named(ast.parse(path.read_text("utf-8"))).items():
            found.setdefault(name, set()).add(text)
    return {name: texts.pop() for name, texts in found.items() if len(texts) == 1}


def _named(tree: ast.Module) -> dict[str, str]:
    """The texts that a file gives a name at its top."""
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = _text(node.value)
            if text is not None:
                found[node.targets[0].id] = text
    return found


def _texts(node: ast.expr, words: Mapping[str, str]) -> tuple[str, ...]:
    if isinstance(node, ast.IfExp):
        return _texts(node.body, words) + _texts(node.orelse, words)
    if isinstance(node, ast.Name):
        return (words[node.id],) if node.id in words else ()
    text = _text(node)
    return () if text is None else (text,)


def _text(node: ast.expr) -> str | None:
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return node.value if is_text else None


def _number(node: ast.expr) -> int | None:
    is_number = isinstance(node, ast.Constant) and isinstance(node.value, int)
    return node.value if is_number and not isinstance(node.value, bool) else None
