"""Reads the table of configuration keys from the TOML files of this folder.

Each file holds the keys of one section. `under` at its top names the places that the keys stand
at, with blanks between them; `.` is the top of the configuration file. Then follow tables named
after the verdict:

    [[honoured]]
    keys = 'num_retries'                          # one name, or several with blanks between
    under = 'router_settings litellm_settings'    # only where it differs from the file's
    type = 'integer'
    default = '2'
    text = 'Further attempts within the alias.'

`*` stands for a list index or a free name, `.` as a key for the place itself. `until` is there
for what does not act yet, `instead` for what never acts. Strings are in single quotes, which
also load several times faster than double ones: the table is read at every start.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from tiergate.config.keytable import KeyEntry, KeyFacts, KeyTable, KeyType, Origin, Verdict

_HERE = Path(__file__).parent
_FIELDS = frozenset(
    {"keys", "under", "type", "values", "default", "text", "until", "instead", "also", "origin"}
)


def load_key_table() -> KeyTable:
    """Read all files of this folder.

    Returns:
        The table, in the order of the file names and of the tables in each.

    Raises:
        ValueError: A file does not have the form described above, or a key is described twice.
    """
    return KeyTable(
        entry
        for file in sorted(_HERE.glob("*.toml"))
        for entry in read_keys(file.read_text(encoding="utf-8"), file.name)
    )


def read_keys(text: str, source: str) -> Iterator[KeyEntry]:
    """The entries of one file.

    Args:
        text: The TOML text.
        source: What to call it in errors.

    Raises:
        ValueError: The text is not TOML or does not have the form described above.
    """
    content: Mapping[str, object] = tomllib.loads(text)
    under = content.get("under")
    if not isinstance(under, str):
        raise ValueError(f"{source}: `under` has to name the place of the keys")  # noqa: TRY004 - one error for one cause: the file is wrong
    for word, tables in content.items():
        if word != "under":
            verdict = Verdict(word)
            for table in _tables(tables, source):
                yield from _family(table, verdict, under)


def _tables(tables: object, source: str) -> Iterator[Mapping[str, str]]:
    """The tables after one verdict, once it is sure that they are such."""
    if not isinstance(tables, list):
        raise ValueError(f"{source}: a verdict is followed by an array of tables")  # noqa: TRY004 - as above
    for table in cast("list[object]", tables):
        if not isinstance(table, dict):
            raise ValueError(f"{source}: {table} is not a table")  # noqa: TRY004 - as above
        fields = cast("dict[str, object]", table)
        for name, value in fields.items():
            if name not in _FIELDS or not isinstance(value, str):
                raise ValueError(f"{source}: `{name}` is not a field, or is not a string")
        if "keys" not in fields or "text" not in fields:
            raise ValueError(f"{source}: a table lacks `keys` or `text`: {fields}")
        yield cast("dict[str, str]", table)


def _family(table: Mapping[str, str], verdict: Verdict, under: str) -> Iterator[KeyEntry]:
    """The entries of one table: each of its names at each of its places."""
    facts = KeyFacts(
        type=KeyType(table.get("type", "any")),
        verdict=verdict,
        text=table["text"],
        default=table.get("default", ""),
        until=table.get("until", ""),
        instead=table.get("instead", ""),
        values=tuple(table.get("values", "").split()),
        origin=Origin(table.get("origin", "litellm")),
    )
    places = table.get("under", under).split()
    see = tuple(table.get("also", "").split())
    for name in table["keys"].split():
        paths = tuple(_join(place, name) for place in places)
        for path in paths:
            others = see if len(paths) == 1 else tuple(p for p in (*paths, *see) if p != path)
            yield KeyEntry(tuple(path.split(".")), facts, others)


def _join(place: str, name: str) -> str:
    if name == ".":
        return place
    return name if place == "." else f"{place}.{name}"
