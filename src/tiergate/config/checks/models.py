"""Checks of models and keys: ids that a provider does not list, prefix minima, keys in files."""

from __future__ import annotations

import re
from typing import Final

from tiergate.config.checks.subject import Subject
from tiergate.config.credentials import IN_FILE, PUBLIC
from tiergate.config.deployment import ModelEntry
from tiergate.config.suggest import nearest
from tiergate.core.prefix_minima import USUAL_MINIMUM, prefix_minimum

_DATED: Final = re.compile(r"(.+?)-(?:\d{8}|\d{4}-\d{2}-\d{2}|latest)")
_EXACT: Final = frozenset({"anthropic"})
"""Providers whose list of ids is complete, also behind proxies of their API. A price is no proof
there: prices go by families, and `claude-opus-4` is priced like `claude-opus-4-0`."""

_OWN_IDS: Final = ("ft:", "accounts/", "projects/", "arn:")
"""Beginnings of ids that exist for one customer only."""


def check_models(subject: Subject) -> None:
    """Look at model ids, at the prompt cache, and at keys written into the file."""
    for entry in subject.entries:
        _listed(entry, subject)
    _prefixes(subject)
    _keys_in_file(subject)


def _listed(entry: ModelEntry, subject: Subject) -> None:
    made = entry.deployment
    if made.provider not in _EXACT and not _judged(entry, subject):
        return
    known = subject.prices.known_models(made.provider)
    if not known or made.model.startswith(_OWN_IDS) or is_listed(made.model, known):
        return
    near = nearest(made.model, sorted(known), count=3, near=0.5)
    subject.findings.warning(
        "unknown-model",
        entry.model_at,
        f'"{made.model}" is not a model id that {made.provider} lists',
        f"The nearest are {', '.join(near)}." if near else "",
    )


def _judged(entry: ModelEntry, subject: Subject) -> bool:
    """Return whether an id of a less well-known list is doubtful enough to speak of.

    Behind another address the ids are those of that server; and a model that has a price exists,
    even if the list of ids lacks this spelling.
    """
    made = entry.deployment
    has_price = subject.prices.has_price(made.provider, entry.price_model)
    return entry.origins.base == PUBLIC and not has_price


def is_listed(model: str, known: frozenset[str]) -> bool:
    """Return whether a model id is a known one, or a dated or `-latest` form of one."""
    if model in known:
        return True
    dated = _DATED.fullmatch(model)
    if dated is None:
        return False
    base = dated[1]
    return base in known or any(each.startswith(f"{base}-") for each in known)


def _prefixes(subject: Subject) -> None:
    told: set[tuple[str, str]] = set()
    for entry in subject.entries:
        made = entry.deployment
        minimum = prefix_minimum(made.model)
        if minimum <= USUAL_MINIMUM or (made.alias, made.model) in told:
            continue
        told.add((made.alias, made.model))
        subject.findings.notice(
            "prefix-minimum",
            entry.model_at,
            f"{made.model} caches only prompt prefixes of at least {minimum} tokens, not "
            f"{USUAL_MINIMUM}",
            "A shorter prefix costs the full price each time, without a word from the provider.",
        )


def _keys_in_file(subject: Subject) -> None:
    written = [entry for entry in subject.entries if entry.origins.key == IN_FILE]
    if written:
        count = len(written)
        what = "a provider key is" if count == 1 else f"{count} provider keys are"
        subject.findings.notice(
            "key-in-file",
            written[0].at,
            f"{what} written into the file itself",
            "Write api_key: os.environ/NAME to keep keys out of files and backups.",
        )
