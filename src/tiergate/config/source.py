"""Reads configuration files: the only place of `config` that touches the disk.

Several files, and the files that `include:` names, become one tree with one merge rule. What
the keys mean is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tiergate.base.values import Position
from tiergate.config.findings import At, Findings
from tiergate.config.merge import Merger
from tiergate.config.tree import Entry, ListNode, MapNode, ScalarNode, kind_of
from tiergate.config.yamltext import parse

MOST_BYTES = 4 * 1024 * 1024
"""Size of one file. A thousand deployments are about 300 KB."""

MOST_FILES = 64
"""Files of one configuration, included ones too."""

_INCLUDE = "include"


@dataclass(frozen=True, slots=True)
class Source:
    """What the files say, merged; `root` is None when one of them could not be read."""

    root: MapNode | None
    files: tuple[str, ...]


def read(paths: Sequence[Path], findings: Findings) -> Source:
    """Read and merge files in order, each with the files it includes.

    Args:
        paths: The files as the user named them; positions use these names.
        findings: Gets every problem; nothing is raised.
    """
    return _FileReader(findings).read(paths)


class _FileReader:
    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._merger = Merger(findings, announce=False)
        self._seen: dict[Path, str] = {}
        self._complete = True
        self._empty: list[Position] = []

    def read(self, paths: Sequence[Path]) -> Source:
        root = MapNode((), Position(str(paths[0]) if paths else "config", 1))
        for path in paths:
            part = self._with_includes(path, At("", Position(str(path), 0)))
            if part is None:
                self._complete = False
            else:
                root = MapNode(
                    self._merger.maps(root, part, ()).entries,
                    root.position if root.entries else part.position,
                )
        files = tuple(self._seen.values())
        if self._complete and not root.entries:
            self._findings.error(
                "empty-file",
                At("", root.position),
                "there is no configuration: every file is empty"
                if len(files) > 1
                else "the file is empty",
                "Write at least a model_list.",
            )
            return Source(None, files)
        for position in self._empty:
            self._findings.notice("empty-file", At("", position), "the file sets nothing")
        return Source(root if self._complete else None, files)

    def _with_includes(self, path: Path, asked_at: At) -> MapNode | None:
        if len(self._seen) >= MOST_FILES:
            self._findings.error(
                "too-many-files", asked_at, f"more than {MOST_FILES} files make one configuration"
            )
            return None
        key = _identity(path)
        if key in self._seen:
            self._findings.warning(
                "file-given-twice",
                asked_at,
                f"{path} was read already, as {self._seen[key]}; it is not read again",
            )
            return MapNode((), Position(str(path), 1))
        self._seen[key] = str(path)
        root = self._one_file(path, asked_at)
        if root is None:
            return None
        own = tuple(entry for entry in root.entries if entry.key != _INCLUDE)
        merged = MapNode(own, root.position, root.size)
        named = root.get(_INCLUDE)
        for included, at in self._included(named, path) if named else ():
            part = self._with_includes(included, at)
            if part is None:
                return None
            merged = self._merger.maps(merged, part, ())
        return merged

    def _included(self, entry: Entry, path: Path) -> list[tuple[Path, At]]:
        """Return the files that `include:` names, relative to the file it stands in."""
        items = entry.node.items if isinstance(entry.node, ListNode) else (entry.node,)
        files: list[tuple[Path, At]] = []
        for item in items:
            at = At(_INCLUDE, item.position)
            if isinstance(item, ScalarNode) and isinstance(item.value, str) and item.value:
                files.append((path.parent / item.value, at))
            elif not (isinstance(item, ScalarNode) and item.value is None):
                self._complete = False
                self._findings.error(
                    "wrong-type", at, f"expected names of files, got {kind_of(item)}"
                )
        return files

    def _one_file(self, path: Path, asked_at: At) -> MapNode | None:
        text = read_text(path, asked_at, self._findings)
        if text is None:
            return None
        name = str(path)
        before = self._findings.total
        node = parse(text, name, self._findings)
        match node:
            case MapNode():
                return node
            case None if self._findings.total > before:
                return None
            case None | ScalarNode(value=None):
                self._empty.append(Position(name, 1))
                return MapNode((), Position(name, 1))
            case _:
                self._findings.error(
                    "wrong-type",
                    At("", node.position),
                    f"expected sections such as model_list: at the top, got {kind_of(node)}",
                )
        return None


def read_text(path: Path, asked_at: At, findings: Findings) -> str | None:
    """Return the text of a file; None, with a finding, when it cannot be read.

    Args:
        path: The file as the user named it.
        asked_at: Who asked for it.
        findings: Gets the problem; nothing is raised.
    """
    try:
        with path.open("rb") as stream:
            raw = stream.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        findings.error(
            "unreadable-file",
            asked_at,
            f"{path} cannot be read: {(reason or str(error)).lower()}",
        )
        return None
    if len(raw) > MOST_BYTES:
        findings.error(
            "too-large", asked_at, f"{path} is larger than {MOST_BYTES // (1024 * 1024)} MB"
        )
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        findings.error(
            "not-utf8",
            At("", Position(str(path), line)),
            "the file is not UTF-8 text",
            "Save it as UTF-8.",
        )
        return None


def _identity(path: Path) -> Path:
    """Return the path that is the same for every name of one file."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return path.absolute()
