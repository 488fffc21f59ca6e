"""Reads the options of `litellm_content_filter`, `regex` and `deny_words`: one guard.

LiteLLM's: lists of mappings with an action each. The plain one: lists of texts, and one action.
"""

from __future__ import annotations

from typing import Final

from tiergate.config.guard_categories import read_categories
from tiergate.config.guard_ground import OptionGround
from tiergate.config.section import Section, Spot, as_section
from tiergate.config.source import read_text
from tiergate.config.suggest import did_you_mean
from tiergate.config.tree import ListNode, MapNode
from tiergate.config.typed import items
from tiergate.config.yamltext import parse
from tiergate.core.guard_options import FilterOptions, PatternRule, Reaction, WordRule

_PLACE: Final = "{pattern_name}"
_LITELLM: Final = "litellm_content_filter"


def read_filter(kind: str, params: Section, ground: OptionGround) -> FilterOptions | None:
    """Return the options; None after an error."""
    typed = ground.reader.typed
    usual = ground.reaction(params.take("action"), Reaction.BLOCK)
    flag = typed.flag(params.take("ignore_case"))
    ignore_case = kind == _LITELLM if flag is None else flag
    whole = typed.flag(params.take("whole_words"))
    reader = _Rules(ground, usual, ignore_case=ignore_case, whole=whole is not False)
    options = FilterOptions(
        patterns=reader.patterns(params.take("patterns")),
        words=(
            *reader.words(params.take("blocked_words")),
            *reader.words(params.take("words")),
            *reader.words_file(params.take("blocked_words_file")),
        ),
        categories=read_categories(params, usual, ground),
        pattern_format=_format(params.take("pattern_redaction_format"), ground),
        word_tag=typed.firm.text(params.take("keyword_redaction_tag")) or FilterOptions().word_tag,
        seconds=typed.seconds(params.take("timeout")) or FilterOptions().seconds,
    )
    if not (options.patterns or options.words or options.categories):
        ground.error(
            "missing-key",
            params,
            "looks for nothing",
            "Write patterns, blocked_words, blocked_words_file or categories.",
        )
        return None
    return options


def _format(spot: Spot | None, ground: OptionGround) -> str:
    text = ground.reader.typed.firm.text(spot)
    if text is not None and spot is not None and _PLACE not in text:
        ground.error("unknown-value", spot, f"does not contain {_PLACE}")
    return text or FilterOptions().pattern_format


class _Rules:
    """Reads patterns and words.

    Args:
        ground: What they are read with.
        usual: What is done where a rule does not say it.
        ignore_case: Whether case counts in expressions where a rule does not say it.
        whole: Words count as whole words only.
    """

    def __init__(
        self, ground: OptionGround, usual: Reaction, *, ignore_case: bool, whole: bool
    ) -> None:
        self._ground = ground
        self._usual = usual
        self._ignore_case = ignore_case
        self._whole = whole

    def patterns(self, spot: Spot | None) -> tuple[PatternRule, ...]:
        if spot is None or spot.unresolved:
            return ()
        if not isinstance(spot.node, ListNode):
            self._ground.reader.typed.firm.refuse(spot, "a list of patterns")
            return ()
        found = [self._pattern(each) for each in items(spot)]
        return tuple(each for each in found if each is not None)

    def _pattern(self, spot: Spot) -> PatternRule | None:
        if not isinstance(spot.node, MapNode):
            text = self._ground.reader.typed.firm.text(spot, "a regular expression")
            if text is None or not self._usable(text, spot):
                return None
            self._say_if_known(text, spot)
            return PatternRule(
                name="regex", reaction=self._usual, pattern=text, ignore_case=self._ignore_case
            )
        section = as_section(spot, self._ground.reader.findings)
        return None if section is None else self._mapping(section)

    def _mapping(self, section: Section) -> PatternRule | None:
        typed = self._ground.reader.typed.firm
        section.take("description")
        kind = typed.choice(section.take("pattern_type"), ("prebuilt", "regex"))
        known_spot = section.take("pattern_name")
        known = typed.text(known_spot)
        own_spot = section.take("pattern")
        own = typed.text(own_spot)
        name = typed.text(section.take("name"))
        reaction = self._ground.reaction(section.take("action"), self._usual)
        flag = typed.flag(section.take("ignore_case"))
        _say_left(section, self._ground)
        ignore_case = self._ignore_case if flag is None else flag
        if own is not None and own_spot is not None and kind != "prebuilt":
            if not self._usable(own, own_spot):
                return None
            return PatternRule(
                name=name or known or "regex",
                reaction=reaction,
                pattern=own,
                ignore_case=ignore_case,
            )
        if known is None or known_spot is None:
            self._ground.error(
                "missing-key",
                section,
                "is no pattern",
                "Write pattern (a regular expression) or pattern_name (a built-in pattern).",
            )
            return None
        if known not in self._ground.facts.patterns():
            self._unknown(known, known_spot)
            return None
        return PatternRule(name=known, reaction=reaction)

    def _unknown(self, name: str, spot: Spot) -> None:
        known = self._ground.facts.patterns()
        self._ground.error(
            "unknown-pattern",
            spot,
            f'there is no built-in pattern "{name}"',
            did_you_mean(name, known)
            or "Tiergate has patterns of data and secrets and no lists of words; write "
            "pattern_type: regex with one of your own, or categories with a category_file.",
        )

    def _usable(self, pattern: str, spot: Spot) -> bool:
        facts, findings = self._ground.facts, self._ground.reader.findings
        fault = facts.pattern_fault(pattern)
        if fault:
            self._ground.error("bad-pattern", spot, fault)
            return False
        slow = facts.pattern_slow(pattern)
        if slow:
            findings.warning(
                "slow-pattern",
                spot.at,
                f"takes very long with {slow}: a call with such a text will fail",
                "Avoid repetitions inside repetitions, such as (a+)+.",
            )
        if not facts.pattern_bounded(pattern):
            findings.notice(
                "unbounded-pattern",
                spot.at,
                "has no longest match: in streams it is looked for within 256 characters",
                "Write bounds, such as {1,64} instead of +.",
            )
        return True

    def _say_if_known(self, text: str, spot: Spot) -> None:
        if text in self._ground.facts.patterns():
            self._ground.reader.findings.warning(
                "word-as-pattern",
                spot.at,
                f'looks for the word "{text}" itself',
                f"For the built-in pattern write {{pattern_name: {text}}}.",
            )

    def words(self, spot: Spot | None) -> tuple[WordRule, ...]:
        if spot is None or spot.unresolved:
            return ()
        if not isinstance(spot.node, ListNode):
            self._ground.reader.typed.firm.refuse(spot, "a list of words")
            return ()
        found = [self._word(each) for each in items(spot)]
        return tuple(each for each in found if each is not None)

    def _word(self, spot: Spot) -> WordRule | None:
        typed = self._ground.reader.typed.firm
        if not isinstance(spot.node, MapNode):
            word = typed.name(spot, "a word")
            reaction = self._usual
        else:
            section = as_section(spot, self._ground.reader.findings)
            if section is None:
                return None
            section.take("description")
            word = typed.name(section.take("keyword"), "a word")
            reaction = self._ground.reaction(section.take("action"), self._usual)
            _say_left(section, self._ground)
            if word is None:
                self._ground.error("missing-key", section, "has no keyword")
        if word is None or not word.strip():
            return None
        return WordRule(word=word.strip(), reaction=reaction, whole=self._whole)

    def words_file(self, spot: Spot | None) -> tuple[WordRule, ...]:
        """Return the words of a file in LiteLLM's form: `blocked_words:` with a list."""
        path = self._ground.beside(spot) if spot is not None else None
        if spot is None or path is None:
            return ()
        findings = self._ground.reader.findings
        text = read_text(path, spot.at, findings)
        node = None if text is None else parse(text, str(path), findings)
        if node is None:
            return ()
        listed = Spot((path.name,), node.position, node)
        if isinstance(node, MapNode):
            entry = node.get("blocked_words")
            if entry is None:
                self._ground.error(
                    "missing-key", spot, f"{path} has no blocked_words", "Write a list under it."
                )
                return ()
            listed = listed.inside("blocked_words", entry.position, entry.node)
        return self.words(listed)


def _say_left(section: Section, ground: OptionGround) -> None:
    for spot in section.left():
        ground.error("unknown-key", spot, "is not read here")
