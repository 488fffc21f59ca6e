"""Counts the tokens of a Messages request here, where the provider cannot be asked.

Words are counted, not tokens: a table says how many tokens a piece of each kind has on average in
`o200k_base`. On pages of English prose, code and markup the sum is 5 to 15 % above as a rule, at
worst 5 % below or 30 % above; for other languages it is between 10 % below (German) and 60 %
above (Russian). A tokenizer would be exact for one vendor's models, and costs seconds and more
than 100 MB at its first use (docs/decisions/0010).
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.pricing import media
from tiergate.pricing.estimate import FRAME_TOKENS, TOOLS_TOKENS
from tiergate.pricing.families import token_ratio

MESSAGE_TOKENS: Final = 5
"""What a message adds to its content: its role and its borders."""

_PIECES: Final = re.compile(
    r"(?P<word>[A-Z\u00c0-\u00de]?[a-z\u00df-\u024f]+)|(?P<capitals>[A-Z]+)|(?P<digits>[0-9]{1,3})"
    r"|(?P<line>[\r\n]+[ \t]*|[ \t]{2,})|(?P<space>[ \t])|(?P<sign>[!-/:-@\[-`{-~]+)"
    r"|(?P<han>[\u3400-\u9fff])|(?P<kana>[\u3000-\u30ff\uff00-\uffef])"
    r"|(?P<hangul>[\uac00-\ud7af])|(?P<script>[\u0370-\u0fff])|(?P<rare>[^\x00-\x7f])"
)
_PER_PIECE: Final = {
    "capitals": 171,
    "digits": 123,
    "line": 163,
    "space": 0,
    "han": 105,
    "kana": 82,
    "hangul": 70,
    "script": 45,
    "rare": 230,
}
"""Hundredths of a token for a piece of each kind."""

_DIVISOR: Final = 96
"""Hundredths of a token, and 4 % more."""


def count_text(text: str) -> int:
    """Return the tokens of a text in `o200k_base`, a little too many as a rule."""
    hundredths = 0
    for found in _PIECES.finditer(text):
        kind = found.lastgroup
        piece = found.group()
        if kind == "word":
            hundredths += _word(piece)
        elif kind == "sign":
            hundredths += 44 + 66 * (len(piece) - 1)
        elif kind is not None:
            hundredths += _PER_PIECE[kind]
    return -(-hundredths // _DIVISOR)


def _word(word: str) -> int:
    """Return hundredths of a token for a word, or the part of one up to its next capital.

    Short English words are one token. Longer ones, and those of languages with accents, are put
    together from pieces of four or five letters.
    """
    length = len(word)
    if not word.isascii():
        return max(110, 27 * length)
    if length < 6:
        return 106
    return 125 if length < 10 else 22 * length


def count_messages(body: JsonObject, model: str = "") -> int:
    """Return the input tokens of a Messages request, erring upward.

    Args:
        body: The decoded request.
        model: The provider's name of the model; empty takes the request's own `model`.
    """
    asked = body.get("model")
    name = model or (asked if isinstance(asked, str) else "")
    counter = _Counter(name)
    counter.add(body.get("system"))
    messages = body.get("messages")
    for message in messages if isinstance(messages, list) else ():
        counter.other += MESSAGE_TOKENS
        counter.add(message.get("content") if isinstance(message, dict) else None)
    tools = body.get("tools")
    if tools:
        counter.other += TOOLS_TOKENS
        counter.add_json(tools)
    ratio = token_ratio(name)
    text = -(-counter.text * ratio.numerator // ratio.denominator)
    return text + counter.other + FRAME_TOKENS


class _Counter:
    """Adds up one request.

    Attributes:
        text: Tokens of its text in `o200k_base`.
        other: Tokens of everything else, whatever the family.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self.text = 0
        self.other = 0

    def add(self, content: Json) -> None:
        """Add a text, or a list of content blocks."""
        if isinstance(content, str):
            self.text += count_text(content)
        elif isinstance(content, list):
            for block in content:
                if isinstance(block, dict):
                    self._add_block(block)

    def add_json(self, value: Json) -> None:
        """Add a value that the model reads as JSON."""
        if value is not None:
            self.text += count_text(msgspec.json.encode(value).decode())

    def _add_block(self, block: JsonObject) -> None:
        match block.get("type"):
            case "text":
                self.add(block.get("text"))
            case "thinking":
                self.add(block.get("thinking"))
            case "image" | "document":
                self._add_file(block)
            case "tool_result":
                self.other += MESSAGE_TOKENS
                self.add(block.get("content"))
            case _:
                self.add_json(block)

    def _add_file(self, block: JsonObject) -> None:
        source = block.get("source")
        data = source.get("data") if isinstance(source, dict) else None
        is_image = block.get("type") == "image"
        if is_image:
            self.other += media.image_tokens(self._model)
        elif isinstance(source, dict) and source.get("type") == "text":
            self.add(data)
        elif isinstance(source, dict) and source.get("type") == "content":
            self.add(source.get("content"))
        elif isinstance(data, str):
            self.other += media.base64_tokens(data.encode(errors="replace"), self._model)
        else:
            self.other += media.UNSEEN_PAGES * media.PAGE_TOKENS
        for name in ("title", "context"):
            self.add(block.get(name))
