"""Reads the options of `secrets` and `hide-secrets`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tiergate.base.jsontypes import Json
from tiergate.config.guard_ground import OptionGround
from tiergate.config.section import Section, Spot, as_section
from tiergate.config.suggest import did_you_mean
from tiergate.config.tree import MapNode, to_json
from tiergate.config.typed import items
from tiergate.core.guard_options import Reaction, SecretsOptions

EXTRA: Final = "detect_secrets"
"""The part of the installation that brings the package detect-secrets."""


def read_secrets(kind: str, params: Section, ground: OptionGround) -> SecretsOptions | None:
    """Return the options; None after an error.

    The detectors of detect-secrets join in where the package is installed, unless
    `use_detect_secrets` is `false`.
    """
    typed = ground.reader.typed
    reaction = ground.reaction(params.take("action"), Reaction.MASK)
    instead = typed.firm.text(params.take("redaction"))
    ignored = typed.texts(params.take("ignored_patterns"))
    for name in ignored:
        if name not in ground.facts.secrets():
            ground.error(
                "unknown-value",
                params,
                f'there is no pattern of secrets with the name "{name}"',
                did_you_mean(name, ground.facts.secrets()),
            )
    plugins = _plugins(params, ground)
    seconds = typed.seconds(params.take("timeout"))
    found_by = "patterns" if plugins is None else "patterns and detect-secrets"
    ground.reader.show(f"guardrail {kind}", None, params.look("guardrail"), text=found_by)
    return SecretsOptions(
        reaction=reaction,
        instead=instead or SecretsOptions().instead,
        ignored=frozenset(ignored),
        plugins=plugins,
        seconds=seconds or SecretsOptions().seconds,
    )


def _plugins(params: Section, ground: OptionGround) -> tuple[Mapping[str, Json], ...] | None:
    """Return the detectors of detect-secrets that join in; None where it is not used."""
    wanted_spot = params.take("use_detect_secrets")
    wanted = ground.reader.typed.flag(wanted_spot)
    config = params.take("detect_secrets_config")
    installed = EXTRA in ground.extras
    if config is None and wanted is None:
        return () if installed else None
    if wanted is False:
        return None
    if not installed:
        ground.error(
            "missing-extra",
            config or wanted_spot or params,
            "asks for the package detect-secrets, and it is not installed",
            "Install tiergate[secrets], or leave this out: Tiergate's own patterns act anyway.",
        )
        return None
    return _named(config, ground)


def _named(config: Spot | None, ground: OptionGround) -> tuple[Mapping[str, Json], ...]:
    section = as_section(config, ground.reader.findings)
    used = section.take("plugins_used") if section is not None else None
    if section is not None:
        for spot in section.left():
            ground.error(
                "unknown-key", spot, "is not read here", "Write plugins_used, a list of detectors."
            )
    found: list[Mapping[str, Json]] = []
    for spot in items(used) if used is not None else ():
        plugin = _plugin(spot, ground)
        if plugin is not None:
            found.append(plugin)
    return tuple(found)


def _plugin(spot: Spot, ground: OptionGround) -> Mapping[str, Json] | None:
    values = to_json(spot.node) if isinstance(spot.node, MapNode) else {"name": to_json(spot.node)}
    name = values.get("name") if isinstance(values, dict) else None
    if not isinstance(values, dict) or not isinstance(name, str):
        ground.error("wrong-type", spot, "expected a detector", "Write {name: AWSKeyDetector}.")
        return None
    known = ground.facts.detectors()
    if name not in known:
        ground.error(
            "unknown-detector",
            spot,
            f"detect-secrets has no detector {name}",
            did_you_mean(name, known)
            or "Detectors that LiteLLM adds to the package are not here; Tiergate's own patterns "
            "know most of these forms.",
        )
        return None
    return values
