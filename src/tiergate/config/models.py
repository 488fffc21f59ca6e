"""Reads `model_list`: which entries are deployments, and which only add to them.

An entry without `litellm_params` adds its `model_info` to every deployment of its alias. Several
entries with one alias are several deployments.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tiergate.base.values import AliasName, DeploymentId
from tiergate.config.deployment import EntrySections, Ground, ModelEntry, read_deployment
from tiergate.config.findings import At
from tiergate.config.identity import hashed_id
from tiergate.config.keycheck import KeyCheck
from tiergate.config.merge import Merger
from tiergate.config.reading import Reader
from tiergate.config.section import Section, Spot, as_section
from tiergate.config.suggest import did_you_mean, is_typo_of
from tiergate.config.tree import ListNode, MapNode, kind_of
from tiergate.config.typed import items

_NO_MODELS = "Write at least one entry with model_name and litellm_params.model."


@dataclass(frozen=True, slots=True)
class _Raw:
    """An entry with its alias, before it is read further."""

    alias: str
    section: Section
    adds: bool


def read_models(
    top: Section, ground: Ground, reader: Reader, check: KeyCheck
) -> tuple[ModelEntry, ...]:
    """Return all deployments of the file, with unique ids, in its order.

    Args:
        top: The top of the file.
        ground: What deployments are read against.
        reader: Where findings go.
        check: Reports keys that nobody reads.
    """
    spot = top.settle("model_list")
    raws = _raw_entries(top, spot, reader)
    served = {raw.alias for raw in raws if not raw.adds}
    additions = _additions(raws, served, reader)
    entries: list[ModelEntry] = []
    for raw in raws:
        if raw.adds:
            check.left(raw.section)
            continue
        parts = _sections(raw, additions.get(raw.alias, ()), reader)
        entry = read_deployment(AliasName(raw.alias), parts, ground, reader)
        check.left(parts.params)
        check.left(parts.entry)
        _free_notes(parts.info, check)
        if entry is not None:
            entries.append(_with_hash(entry, raw.alias, parts.params))
    if not entries and not reader.findings.failed:
        reader.findings.error("no-models", _list_at(top, spot), "has no deployment", _NO_MODELS)
    return _unique(entries, reader)


def _list_at(top: Section, spot: Spot | None) -> At:
    return spot.at if spot is not None else At("model_list", top.position)


def _raw_entries(top: Section, spot: Spot | None, reader: Reader) -> list[_Raw]:
    if spot is None:
        reader.findings.error("no-models", _list_at(top, spot), "is missing", _NO_MODELS)
        return []
    if not isinstance(spot.node, ListNode) or not spot.node.items:
        what = "is empty" if spot.empty or isinstance(spot.node, ListNode) else ""
        reader.findings.error(
            "no-models" if what else "wrong-type",
            spot.at,
            what or f"expected a list of deployments, got {kind_of(spot.node)}",
            _NO_MODELS,
        )
        return []
    raws = (_raw(each, reader) for each in items(spot))
    return [raw for raw in raws if raw is not None]


def _raw(spot: Spot, reader: Reader) -> _Raw | None:
    section = as_section(spot, reader.findings)
    if section is None:
        return None
    name = section.take("model_name")
    alias = reader.typed.name(name, "an alias")
    if alias is None:
        if name is None:
            reader.findings.error(
                "missing-key", spot.at, "has no model_name", "Write model_name: ALIAS."
            )
        return None
    if name is not None and "*" in alias:
        reader.findings.error(
            "wildcard",
            name.at,
            "wildcard aliases are not served, since callers name aliases only",
            "Write one entry for each alias.",
        )
        return None
    params = section.look("litellm_params")
    return _Raw(alias, section, adds=params is None or params.empty)


def _additions(raws: list[_Raw], served: set[str], reader: Reader) -> dict[str, tuple[Spot, ...]]:
    """Return the `model_info` that entries without `litellm_params` add, by alias."""
    found: dict[str, tuple[Spot, ...]] = {}
    for raw in raws:
        if not raw.adds:
            continue
        raw.section.take("litellm_params")
        info = raw.section.take("model_info")
        if raw.alias not in served:
            reader.findings.error(
                "unknown-alias",
                raw.section.at,
                f'has no litellm_params, and no other entry defines the alias "{raw.alias}"',
                did_you_mean(raw.alias, served) or "Write litellm_params.model.",
            )
        elif info is None:
            reader.findings.warning(
                "empty-value", raw.section.at, "has neither litellm_params nor model_info"
            )
        elif as_section(info, reader.findings) is not None:
            count = sum(1 for other in raws if other.alias == raw.alias and not other.adds)
            reader.findings.notice(
                "model-info-added",
                raw.section.at,
                f'adds its model_info to {_deployments(count)} of "{raw.alias}"',
            )
            found[raw.alias] = (*found.get(raw.alias, ()), info)
    return found


def _deployments(count: int) -> str:
    return "the deployment" if count == 1 else f"all {count} deployments"


def _sections(raw: _Raw, added: tuple[Spot, ...], reader: Reader) -> EntrySections:
    params = raw.section.section("litellm_params", reader.findings)
    info = raw.section.section("model_info", reader.findings)
    merger = Merger(reader.findings, announce=False)
    node = info.node
    for spot in added:
        if isinstance(spot.node, MapNode):
            node = merger.maps(node, spot.node, spot.path)
    merged = Section(info.path, info.position if info.node.entries else raw.section.position, node)
    return EntrySections(raw.section, params, merged)


def _free_notes(info: Section, check: KeyCheck) -> None:
    """Check `model_info`, where any further key is a note that lists of models show.

    A note that is one slip away from a key that acts is a mistake.
    """
    known = check.table.children(tuple(str(part) for part in info.path))
    for spot in info.left():
        entry = check.table.find(tuple(str(part) for part in spot.path))
        if entry is not None or any(is_typo_of(spot.key, name) for name in known):
            check.key(spot)


def _with_hash(entry: ModelEntry, alias: str, params: Section) -> ModelEntry:
    if entry.deployment.id:
        return entry
    made = DeploymentId(hashed_id(alias, params))
    return replace(entry, deployment=replace(entry.deployment, id=made))


def _unique(entries: list[ModelEntry], reader: Reader) -> tuple[ModelEntry, ...]:
    """Return the entries with unique ids: a given id twice is an error, a hash gets a number."""
    seen: dict[str, ModelEntry] = {}
    out: list[ModelEntry] = []
    for entry in entries:
        wanted = entry.deployment.id
        first = seen.get(wanted)
        if first is not None and wanted == entry.own_id:
            reader.findings.error(
                "duplicate-id",
                entry.at,
                f'has the id "{wanted}" of {first.at.path} at {first.at.position}',
                "Give each deployment an id of its own.",
            )
        elif first is not None:
            number = 2
            while f"{wanted}-{number}" in seen:
                number += 1
            made = DeploymentId(f"{wanted}-{number}")
            entry = replace(entry, deployment=replace(entry.deployment, id=made))  # noqa: PLW2901 - the entry with its final id
        seen[entry.deployment.id] = entry
        out.append(entry)
    return tuple(out)
