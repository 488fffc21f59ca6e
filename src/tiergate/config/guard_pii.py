"""Reads the options of `pii` and `presidio`, and decides what finds personal data.

Presidio as a service where an address is given; Presidio in this process where it is installed
with a language model; patterns otherwise. The report says which it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

from tiergate.base.jsontypes import Json
from tiergate.config.guard_ground import OptionGround
from tiergate.config.section import Section, Spot, as_section
from tiergate.config.source import read_text
from tiergate.config.suggest import did_you_mean
from tiergate.core.guard_options import Direction, PiiEngine, PiiOptions, Reaction

EXTRA: Final = "presidio"
"""The part of the installation that brings presidio-analyzer."""

_ADDRESS: Final = "PRESIDIO_ANALYZER_API_BASE"
_ALL: Final = "ALL"
_SHOWN: Final = {
    PiiEngine.PATTERNS: "personal data found by patterns (no names of persons or places)",
    PiiEngine.PRESIDIO: "personal data found by Presidio in this process",
    PiiEngine.SERVICE: "personal data found by a Presidio service",
}


def read_pii(kind: str, params: Section, ground: OptionGround) -> PiiOptions | None:
    """Return the options; None after an error."""
    typed = ground.reader.typed
    address = ground.address(params.take("presidio_analyzer_api_base"), _ADDRESS)
    language = typed.firm.text(params.take("presidio_language")) or "en"
    model_spot = params.take("presidio_model")
    model = typed.firm.text(model_spot) or _usual_model(language)
    engine = _engine(kind, params, address, model, ground)
    _say_anonymizer(params, ground)
    recognizers = _recognizers(params.take("presidio_ad_hoc_recognizers"), engine, ground)
    options = PiiOptions(
        engine=engine,
        entities=_entities(params, engine, ground),
        ignored=frozenset(typed.texts(params.take("presidio_entities_deny_list"))),
        scores=_scores(params.take("presidio_score_thresholds"), ground),
        allowed=frozenset(
            text.casefold() for text in typed.texts(params.take("presidio_phrase_allow_list"))
        ),
        language=language,
        model=model if engine is PiiEngine.PRESIDIO else "",
        address=address if engine is PiiEngine.SERVICE else "",
        recognizers=recognizers,
        restores=typed.flag(params.take("output_parse_pii")) or False,
        direction=_direction(params, ground),
        skip_system=typed.flag(params.take("presidio_skip_system_developer_message")) or False,
        seconds=typed.seconds(params.take("timeout")) or 1.0,
    )
    ground.reader.show(f"guardrail {kind}", None, params.look("guardrail"), text=_SHOWN[engine])
    return options


def _usual_model(language: str) -> str:
    return "en_core_web_lg" if language == "en" else f"{language}_core_news_lg"


def _engine(
    kind: str, params: Section, address: str, model: str, ground: OptionGround
) -> PiiEngine:
    """Return what finds personal data, and say what is missing for more."""
    spot = params.take("engine")
    word = ground.reader.typed.choice(spot, tuple(each.value for each in PiiEngine))
    if word == PiiEngine.SERVICE.value and not address and ground.look_up:
        ground.error(
            "missing-key",
            spot or params,
            "asks a Presidio service, and does not say where it is",
            f"Write presidio_analyzer_api_base: http://HOST:PORT, or set {_ADDRESS}.",
        )
    if word is not None and word != PiiEngine.PRESIDIO.value:
        return PiiEngine(word)
    if word is None and (address or _unresolved(params)):
        return PiiEngine.SERVICE
    fault = _presidio_fault(model, ground)
    if not fault:
        return PiiEngine.PRESIDIO
    if word is not None:
        ground.error(
            "missing-extra",
            spot or params,
            f"asks for Presidio in this process: {fault}",
            "Install tiergate[presidio] and a model, or name one in presidio_model.",
        )
    elif kind == "presidio":
        ground.reader.findings.warning(
            "pii-by-patterns",
            params.at,
            f"personal data is found by patterns, which know no names: {fault}, and no "
            "presidio_analyzer_api_base is given",
            "Give one of the two, or write `guardrail: pii` where patterns are meant.",
        )
    return PiiEngine.PATTERNS


def _unresolved(params: Section) -> bool:
    spot = params.look("presidio_analyzer_api_base")
    return spot is not None and spot.unresolved


def _presidio_fault(model: str, ground: OptionGround) -> str:
    if EXTRA not in ground.extras:
        return "the package presidio-analyzer is not installed"
    return ground.facts.model_fault(model)


def _say_anonymizer(params: Section, ground: OptionGround) -> None:
    spot = params.take("presidio_anonymizer_api_base")
    if spot is not None:
        ground.reader.findings.notice(
            "not-needed", spot.at, "is not asked: the gateway writes the placeholders itself"
        )


def _entities(params: Section, engine: PiiEngine, ground: OptionGround) -> Mapping[str, Reaction]:
    """Return what is looked for; empty for all that the engine knows, masked."""
    section = as_section(params.take("pii_entities_config"), ground.reader.findings)
    action = params.take("action")
    usual = ground.reaction(action, Reaction.MASK)
    found = {spot.key: ground.reaction(spot, usual) for spot in (section.all() if section else ())}
    if found or section is not None:
        _check_entities(section, found, engine, ground)
        return found
    if action is None or usual is Reaction.MASK:
        return {}
    if engine is PiiEngine.PATTERNS:
        return dict.fromkeys(sorted(ground.facts.entities()), usual)
    ground.error(
        "missing-key",
        action,
        "says what is to be done, and not about which kinds of personal data",
        "Write pii_entities_config: {PERSON: BLOCK, ...}.",
    )
    return {}


def _check_entities(
    section: Section | None,
    found: Mapping[str, Reaction],
    engine: PiiEngine,
    ground: OptionGround,
) -> None:
    if engine is not PiiEngine.PATTERNS:
        return
    known = ground.facts.entities()
    for name in found:
        spot = section.look(name) if section is not None else None
        if name not in known and spot is not None:
            ground.error(
                "unknown-entity",
                spot,
                f"there is no pattern for {name}: it needs Presidio",
                did_you_mean(name, known) or "Give presidio_analyzer_api_base, or take it out.",
            )


def _scores(spot: Spot | None, ground: OptionGround) -> Mapping[str, float]:
    section = as_section(spot, ground.reader.findings)
    found: dict[str, float] = {}
    for each in section.all() if section is not None else ():
        score = ground.reader.typed.firm.number(each)
        if score is not None and score > 1:
            ground.error("unknown-value", each, "a score is between 0 and 1")
        elif score is not None:
            found[_ALL if each.key.upper() == _ALL else each.key] = score
    return found


def _direction(params: Section, ground: OptionGround) -> Direction:
    spot = params.take_first("presidio_filter_scope", "presidio_run_on")
    word = ground.reader.typed.choice(spot, tuple(each.value for each in Direction))
    return Direction(word) if word else Direction.BOTH


def _recognizers(
    spot: Spot | None, engine: PiiEngine, ground: OptionGround
) -> tuple[Mapping[str, Json], ...]:
    path = ground.beside(spot) if spot is not None else None
    if spot is None or path is None:
        return ()
    if engine is PiiEngine.PATTERNS:
        ground.error(
            "missing-extra",
            spot,
            "recognizers need Presidio, and patterns are at work",
            "Use `guardrail: regex` for patterns of your own, or give Presidio.",
        )
        return ()
    return _read_recognizers(path, spot, ground)


def _read_recognizers(
    path: Path, spot: Spot, ground: OptionGround
) -> tuple[Mapping[str, Json], ...]:
    text = read_text(path, spot.at, ground.reader.findings)
    if text is None:
        return ()
    try:
        content = cast("Json", json.loads(text))
    except ValueError as exc:
        ground.error("invalid-json", spot, f"{path} is no JSON: {exc}")
        return ()
    listed = content if isinstance(content, list) else [content]
    good = [
        each for each in listed if isinstance(each, dict) and isinstance(each.get("name"), str)
    ]
    if len(good) != len(listed) or not good:
        ground.error(
            "wrong-type", spot, f"{path} is no list of recognizers, each a mapping with a name"
        )
        return ()
    return tuple(good)
