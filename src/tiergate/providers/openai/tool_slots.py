"""Decide which tool call a streamed fragment belongs to.

OpenAI numbers calls by `index` and sends `id` and `name` once, first. Others send every call
with index 0, no index, no id, or the id with each fragment. A fragment begins a new call if it
has a new index or a new id with a name; else it continues the call of its index, its id, or the
last one.
"""

from __future__ import annotations

from typing import Final

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.providers.openai.answer_decoder import made_id
from tiergate.providers.openai.blocks import ToolBlock

LEGACY: Final = -1
"""The index of a `function_call`, of which an answer has one."""


class ToolSlots:
    """The calls of one answer."""

    __slots__ = ("_by_id", "_by_index", "_last", "_made")

    def __init__(self) -> None:
        self._by_index: dict[int, ToolBlock] = {}
        self._by_id: dict[str, ToolBlock] = {}
        self._last: ToolBlock | None = None
        self._made = 0

    def find(self, call: JsonObject, name: str, answer_id: str) -> tuple[ToolBlock, bool]:
        """Return the call that a fragment belongs to, and whether the fragment begins it."""
        identity = _str(call.get("id"))
        number = call.get("index")
        index = number if isinstance(number, int) and not isinstance(number, bool) else None
        block = self._known(index, identity, name)
        if block is not None:
            self._last = block
            return block, False
        fresh = identity and identity not in self._by_id
        block = ToolBlock(identity if fresh else made_id(answer_id, self._made))
        self._made += 1
        if index is not None:
            self._by_index[index] = block
        self._by_id[block.id] = block
        self._last = block
        return block, True

    def _known(self, index: int | None, identity: str, name: str) -> ToolBlock | None:
        block = self._last if index is None else self._by_index.get(index)
        if identity and (known := self._by_id.get(identity)) is not None:
            # An index that is new beside an id that is not: a host that gives ids twice.
            return known if index is None or block is not None else None
        if block is None or not name:
            return block
        # A name where one is known already: a new id, or whole arguments, mean a new call.
        if identity:
            return None if block.name else block
        begins = block.name and (block.complete() or (index is None and name != block.name))
        return None if begins else block


def _str(value: Json) -> str:
    return value if isinstance(value, str) else ""
