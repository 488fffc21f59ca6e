"""Finds personal data with Presidio in this process, in threads of its own.

Imported only where presidio-analyzer is installed and wanted (extra `presidio`). Nothing is
downloaded: neither a language model nor the list of internet domains.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import spacy.util
import tldextract.tldextract
from presidio_analyzer import AnalyzerEngine, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpEngineProvider

from tiergate.core.guard_options import PiiOptions
from tiergate.guards.pii import Entity
from tiergate.guards.services import pieces
from tiergate.ports.guarding import GuardError

_THREADS: Final = 2


def model_fault(model: str) -> str:
    """Return why a spaCy model cannot be used; empty if it can.

    Args:
        model: The name of an installed package, or a folder.
    """
    if Path(model).is_dir() or spacy.util.is_package(model):
        return ""
    return f"the spaCy model {model} is neither an installed package nor a folder"


class LocalPresidio:
    """Implements `guards.pii.Finder`.

    Args:
        options: What to look for, and with which model.

    Raises:
        ValueError: The model or a recognizer cannot be used; the text says why.
    """

    window = None

    def __init__(self, options: PiiOptions) -> None:
        fault = model_fault(options.model)
        if fault:
            raise ValueError(fault)
        # Presidio asks for a list of domains on the internet to check mail addresses; the one
        # that comes with the package does.
        tldextract.tldextract.TLD_EXTRACTOR.suffix_list_urls = ()
        self._language = options.language
        self._wanted = list(options.entities) or None
        self._engine = _engine(options)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="presidio")

    async def find(self, texts: Sequence[str]) -> list[Entity]:
        """Return what Presidio finds in some texts.

        Raises:
            GuardError: It failed.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._find, tuple(texts))

    def _find(self, texts: Sequence[str]) -> list[Entity]:
        found: list[Entity] = []
        for number, text in enumerate(texts):
            for at, piece in pieces(text):
                try:
                    results = self._engine.analyze(
                        piece, language=self._language, entities=self._wanted
                    )
                except Exception as exc:  # noqa: BLE001 - foreign code; the call is decided by on_error
                    raise GuardError(f"Presidio failed: {type(exc).__name__}") from None
                found += [
                    Entity(number, at + r.start, at + r.end, r.entity_type, float(r.score))
                    for r in results
                ]
        return found


def _engine(options: PiiOptions) -> AnalyzerEngine:
    language = options.language
    models = [{"lang_code": language, "model_name": options.model}]
    nlp = NlpEngineProvider(
        nlp_configuration={"nlp_engine_name": "spacy", "models": models}
    ).create_engine()
    registry = RecognizerRegistry(supported_languages=[language])
    registry.load_predefined_recognizers(languages=[language], nlp_engine=nlp)
    for each in options.recognizers:
        try:
            recognizer = PatternRecognizer.from_dict(dict(each))  # pyright: ignore[reportUnknownMemberType] - its argument has a bare Dict
            registry.add_recognizer(recognizer)
        except Exception as exc:  # noqa: BLE001 - Presidio raises of all kinds for a bad form
            raise ValueError(
                f"Presidio does not take the recognizer {each.get('name')}: {exc}"
            ) from None
    return AnalyzerEngine(nlp_engine=nlp, registry=registry, supported_languages=[language])
