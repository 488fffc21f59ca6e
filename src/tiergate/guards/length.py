"""Says whether a request is longer than it may be, in tokens or characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tiergate.core.guard_options import LengthOptions, Reaction
from tiergate.ports.guarding import CLEAN, Found, Occasion, Passage, Verdict

PER_TOKEN: Final = 4
"""Characters that count as a token where the gateway has no estimate of its own."""


class LengthGuard:
    """Implements `ports.guarding.Guard` for `max_tokens`.

    Args:
        options: The limits.
    """

    window = None
    restores = False

    def __init__(self, options: LengthOptions) -> None:
        self._options = options

    async def look(self, passages: Sequence[Passage], occasion: Occasion) -> Verdict:
        """Return whether the texts together are too long."""
        characters = sum(len(passage.text) for passage in passages)
        tokens = occasion.prompt_tokens or -(-characters // PER_TOKEN)
        said = self._said(characters, tokens)
        if not said:
            return CLEAN
        if self._options.reaction is Reaction.BLOCK:
            return Verdict(blocked=said)
        longest = max(range(len(passages)), key=lambda i: len(passages[i].text), default=0)
        size = len(passages[longest].text) if passages else 0
        return Verdict((Found(longest, 0, size, "max_tokens", self._options.reaction),))

    def _said(self, characters: int, tokens: int) -> str:
        most = self._options.tokens
        if most is not None and tokens > most:
            return f"the prompt has about {tokens} tokens and may have {most}; shorten it"
        most = self._options.characters
        if most is not None and characters > most:
            return f"the texts have {characters} characters and may have {most}; shorten them"
        return ""
