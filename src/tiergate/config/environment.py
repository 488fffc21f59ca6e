"""Puts environment variables where the file refers to them: `os.environ/NAME`.

Pure: the variables are an argument. An unset or empty variable is an error that names it, so
that the literal text is never sent to a provider and never becomes a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from tiergate.config.findings import At, Findings
from tiergate.config.tree import (
    Entry,
    KeyPath,
    ListNode,
    MapNode,
    Node,
    ScalarNode,
    show_path,
)

PREFIX = "os.environ/"
FILE_SECTION = "environment_variables"


@dataclass(frozen=True, slots=True)
class Expander:
    """Replaces references in a tree.

    Attributes:
        environ: The variables.
        look_up: False for `--no-env`: references stay as placeholders and nothing is missed.
        findings: Where unset variables and other spellings go.
    """

    environ: Mapping[str, str]
    look_up: bool
    findings: Findings

    def expand(self, node: Node, path: KeyPath = ()) -> Node:
        """Return the tree with every reference replaced, also in lists."""
        match node:
            case ScalarNode():
                return self._scalar(node, path) if isinstance(node.value, str) else node
            case ListNode():
                items = tuple(self.expand(item, (*path, i)) for i, item in enumerate(node.items))
                return replace(node, items=items)
            case MapNode():
                return self.expand_map(node, path)
            case _:
                assert_never(node)

    def expand_map(self, node: MapNode, path: KeyPath = ()) -> MapNode:
        """Return a mapping with every reference replaced."""
        entries = tuple(
            Entry(e.key, e.position, self.expand(e.node, (*path, e.key))) for e in node.entries
        )
        return replace(node, entries=entries)

    def _scalar(self, node: ScalarNode, path: KeyPath) -> ScalarNode:
        at = At(show_path(path), node.position)
        if not node.text.startswith(PREFIX):
            if PREFIX in node.text or "${" in node.text:
                self.findings.warning(
                    "not-expanded",
                    at,
                    "is used as it stands: variables are not put into the middle of a text",
                    f"Put the whole value into one variable and write {PREFIX}NAME.",
                )
            return node
        name = node.text.removeprefix(PREFIX).strip()
        if not self.look_up:
            return replace(node, reference=name, unresolved=True)
        # A key read from a secret file often ends in a line break, which no header may carry.
        value = self.environ.get(name, "").strip("\r\n")
        if value.strip():
            self.findings.hide(value)
            return replace(node, value=value, text=value, reference=name)
        what = "is empty" if name in self.environ else "is not set"
        self.findings.error(
            "unset-variable",
            at,
            f"the environment variable {name} {what}" if name else f"{PREFIX} names no variable",
            f"Set {name}, or check the file without it: tiergate check --no-env."
            if name
            else f"Write {PREFIX}NAME.",
        )
        return replace(node, reference=name, unresolved=True)


def with_file_variables(
    root: MapNode, environ: Mapping[str, str], findings: Findings, *, look_up: bool
) -> Mapping[str, str]:
    """Return the variables together with those of the file's `environment_variables` section.

    The file wins, as in LiteLLM. A value may itself refer to a variable of the process. A
    section of a wrong shape adds nothing; it is reported where the section is checked.
    """
    entry = root.get(FILE_SECTION)
    if entry is None or not isinstance(entry.node, MapNode):
        return environ
    expander = Expander(environ, look_up, findings)
    section = expander.expand_map(entry.node, (FILE_SECTION,))
    added = {
        e.key: e.node.text
        for e in section.entries
        if isinstance(e.node, ScalarNode) and not e.node.unresolved and e.node.value is not None
    }
    return {**environ, **added}
