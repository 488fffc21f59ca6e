"""Reads the subjects of a content filter from files of words in LiteLLM's form.

Tiergate brings no word lists along: what is harmful depends on who writes to whom, and a list
that nobody has chosen blocks the wrong calls. LiteLLM's names without a file stop the start.
"""

from __future__ import annotations

from typing import Final

from tiergate.config.guard_ground import OptionGround
from tiergate.config.section import Section, Spot, as_section
from tiergate.config.source import read_text
from tiergate.config.tree import MapNode
from tiergate.config.typed import items
from tiergate.config.yamltext import parse
from tiergate.core.guard_options import CategoryRule, Nearness, PhraseRule, Reaction

_SEVERITIES: Final = ("low", "medium", "high")
_MOST_DISTANCE: Final = 20


def read_categories(
    params: Section, usual: Reaction, ground: OptionGround
) -> tuple[CategoryRule, ...]:
    """Return the subjects that are looked for.

    Args:
        params: `litellm_params`.
        usual: What is done where a category does not say it.
        ground: What they are read with.
    """
    typed = ground.reader.typed
    severity = typed.choice(params.take("severity_threshold"), _SEVERITIES) or "medium"
    spot = params.take("categories")
    found = [_category(each, usual, severity, ground) for each in items(spot)] if spot else []
    return tuple(each for each in found if each is not None)


def _category(
    spot: Spot, usual: Reaction, severity: str, ground: OptionGround
) -> CategoryRule | None:
    section = as_section(spot, ground.reader.findings)
    if section is None:
        return None
    typed = ground.reader.typed.firm
    name_spot = section.take("category")
    name = typed.text(name_spot)
    enabled = typed.flag(section.take("enabled"))
    reaction = ground.reaction(section.take("action"), usual)
    severity = typed.choice(section.take("severity_threshold"), _SEVERITIES) or severity
    file = section.take("category_file")
    for left in section.left():
        ground.error("unknown-key", left, "is not read here")
    if enabled is False:
        return None
    if file is None:
        ground.error(
            "missing-key",
            name_spot or section,
            f'Tiergate has no list of words for the category "{name}"',
            "Give one of yours in category_file, or use `guardrail: openai_moderation`.",
        )
        return None
    return _from_file(name or "category", file, reaction, severity, ground)


def _from_file(
    name: str, spot: Spot, reaction: Reaction, severity: str, ground: OptionGround
) -> CategoryRule | None:
    path = ground.beside(spot)
    if path is None:
        return None
    findings = ground.reader.findings
    text = read_text(path, spot.at, findings)
    node = None if text is None else parse(text, str(path), findings)
    if node is None:
        return None
    if not isinstance(node, MapNode):
        ground.error("wrong-type", spot, f"{path} is no mapping with keywords and phrases")
        return None
    section = Section((path.name,), node.position, node)
    for ignored in ("category_name", "description", "default_action", "version"):
        section.take(ignored)
    rule = CategoryRule(
        name=name,
        reaction=reaction,
        keywords=_keywords(section.take("keywords"), severity, ground),
        phrases=_phrases(section.take("phrases"), severity, ground),
        exceptions=ground.reader.typed.texts(section.take("exceptions")),
    )
    for left in section.left():
        ground.error("unknown-key", left, "is not read in a file of words")
    if not rule.keywords and not rule.phrases:
        ground.error(
            "missing-key", spot, f"{path} has no keywords or phrases of this severity or above"
        )
        return None
    return rule


def _counts(section: Section, severity: str, ground: OptionGround) -> bool:
    own = ground.reader.typed.firm.choice(section.take("severity"), _SEVERITIES) or "medium"
    return _SEVERITIES.index(own) >= _SEVERITIES.index(severity)


def _keywords(spot: Spot | None, severity: str, ground: OptionGround) -> tuple[str, ...]:
    found: list[str] = []
    for each in items(spot) if spot is not None else ():
        if not isinstance(each.node, MapNode):
            word = ground.reader.typed.firm.name(each, "a word")
            counts = True
        else:
            section = Section(each.path, each.position, each.node)
            word = ground.reader.typed.firm.name(section.take("keyword"), "a word")
            counts = _counts(section, severity, ground)
        if word is not None and word.strip() and counts:
            found.append(word.strip())
    return tuple(found)


def _phrases(spot: Spot | None, severity: str, ground: OptionGround) -> tuple[PhraseRule, ...]:
    found: list[PhraseRule] = []
    for each in items(spot) if spot is not None else ():
        section = as_section(each, ground.reader.findings)
        if section is None:
            continue
        typed = ground.reader.typed.firm
        text = typed.text(section.take("phrase")) or ""
        word = typed.choice(section.take("match_type"), tuple(n.value for n in Nearness))
        distance = typed.whole(section.take("max_distance"))
        if text.split() and _counts(section, severity, ground):
            found.append(
                PhraseRule(
                    words=tuple(text.split()),
                    nearness=Nearness(word) if word else Nearness.EXACT,
                    distance=min(3 if distance is None else distance, _MOST_DISTANCE),
                )
            )
    return tuple(found)
