"""What a gateway tells of its fallback routes, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.cli.spend_report import printable

_ROUTE_HEADS = ("type", "alias", "targets", "from", "until", "by", "note")
_CHANGE_HEADS = ("at", "type", "alias", "action", "before", "after", "until", "by", "note")
_SPACE = "  "


def route_lines(found: JsonObject) -> list[str]:
    """Return the routes, and below them what people should look at.

    Args:
        found: What `GET /fallback` answers.
    """
    rows = [
        *(
            _route(each, "fallback_models", each.get("origin"))
            for each in _rows(found, "fallbacks")
        ),
        *(_route(each, "", "switched off") for each in _rows(found, "switched_off")),
        *(_route(each, "set_models", "no effect") for each in _rows(found, "inactive")),
    ]
    lines = _table(_ROUTE_HEADS, rows) if rows else ["There are no fallback routes."]
    conflicts = [_text(each.get("message")) for each in _rows(found, "conflicts")]
    if conflicts:
        lines += ["", *(f"conflict: {text}" for text in conflicts)]
    fault = _text(found.get("store_fault"))
    return [*lines, "", f"warning: {fault}"] if fault else lines


def change_lines(found: JsonObject) -> list[str]:
    """Return the changes, the newest first.

    Args:
        found: What `GET /fallback/audit` answers.
    """
    rows = [
        (
            _text(each.get("at")),
            _text(each.get("fallback_type")),
            _text(each.get("model")),
            _text(each.get("action")).replace("_", " "),
            _state(each.get("before")),
            _state(each.get("after")),
            _text(each.get("expires_at")),
            _text(each.get("author")),
            _text(each.get("note")),
        )
        for each in _rows(found, "changes")
    ]
    return _table(_CHANGE_HEADS, rows) if rows else ["No fallback route has been changed."]


def effect(told: JsonObject) -> str:
    """Return in words what a change did."""
    return _text(told.get("effect")) or _text(told.get("message"))


def _route(row: JsonObject, targets: str, origin: Json) -> tuple[str, ...]:
    where = _text(origin)
    if row.get("origin") != "file" and row.get("file_models") is not None:
        where += f" (file: {_names(row.get('file_models'))})"
    return (
        _text(row.get("fallback_type")),
        _text(row.get("model")),
        _names(row.get(targets)) if targets else "-",
        where,
        _text(row.get("expires_at")),
        _text(row.get("author")),
        _text(row.get("note")),
    )


def _state(value: Json) -> str:
    if not isinstance(value, dict):
        return "-"
    return f"{_names(value.get('models'))} ({_text(value.get('origin'))})"


def _names(value: Json) -> str:
    names = [_text(name) for name in value] if isinstance(value, list) else []
    return ", ".join(names) or "nothing"


def _text(value: Json) -> str:
    return printable(value) if isinstance(value, str) else ""


def _rows(found: JsonObject, name: str) -> list[JsonObject]:
    value = found.get(name)
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return rows in columns; a column in which nothing stands is left out."""
    used = [at for at in range(len(heads)) if any(row[at] for row in rows)]
    cells = [[row[at] for at in used] for row in (heads, *rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(used))]
    lines = [
        _SPACE.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]
