"""Writes a first `backlog.config.json` from a gateway's YAML, and a first YAML from that file.

Only what one file says is written into the other: no limit and no budget is made up. What has no
place in the other file is told; it goes on acting where it stands, since the gateway reads both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import AliasName
from tiergate.config.backlog import ENTRY, SECTION
from tiergate.config.backlog_check import DEFAULT_PORT, split_address
from tiergate.config.tree import MapNode, Node, ScalarNode, find, to_json
from tiergate.core.catalog import ChainKind, Settings

MODELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cheap": "anthropic/claude-haiku-4-5",
        "balanced": "anthropic/claude-sonnet-4-6",
        "frontier": "anthropic/claude-opus-4-5",
    }
)
"""The model that is written for an alias of the usual name; for another one `balanced`'s."""

BACKENDS: Final = ("local", "disk", "redis", "s3")
"""Kinds of response cache that both files know by one word."""

_REFERENCE: Final = "os.environ/"
_PLAIN: Final = re.compile(r"[A-Za-z][\w-]*(?:/[\w.-]+)*")
_YAML_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})

_STAYS_IN_YAML: Final = (
    (("litellm_settings", "max_budget"), "the gateway's budget"),
    (("model_max_budget",), "budgets of aliases"),
    (("provider_budget_config",), "budgets of providers"),
    (("router_settings", "provider_budget_config"), "budgets of providers"),
    (("router_settings", "routing_strategy"), "the routing strategy"),
    (("router_settings", "fallbacks"), "fallbacks"),
    (("litellm_settings", "fallbacks"), "fallbacks"),
    (("router_settings", "context_window_fallbacks"), "fallbacks"),
    (("router_settings", "content_policy_fallbacks"), "fallbacks"),
    (("guardrails",), "guardrails"),
)
_STAYS_IN_BACKLOG: Final = (
    (("routing", "maxEscalationsPerTicket"), "the limit of escalations"),
    (("gateway", "requireEscalationReason"), "that an escalation needs a reason"),
    (("tokenPolicy",), "token limits of phases"),
    (("batchPolicy",), "batches"),
    (("ragPolicy",), "the toolkit's retrieval"),
    (("cachePolicy", "semanticCache"), "the semantic cache"),
    (("cachePolicy", "providerPromptCaching"), "prompt caching"),
    (("registry",), "the model registry"),
)

_POINTS: Final = "cache_control_injection_points"


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was made.

    Attributes:
        text: What it says.
        told: What could not be carried over, or was chosen: sentences.
    """

    text: str
    told: tuple[str, ...]


# ------------------------------------------------------------------ YAML -> JSON


def backlog_of(root: MapNode, settings: Settings, port: int = DEFAULT_PORT) -> Written:
    """Return the toolkit's file that goes with a gateway's configuration.

    Args:
        root: The YAML, with its references to variables as they are written.
        settings: What it means.
        port: Where the gateway listens.
    """
    told: list[str] = []
    ops: JsonObject = {
        "registry": {"strictMode": True},
        "gateway": _gateway(root, port, told),
        "routing": _routing(settings, told),
    }
    if cache := _cache_policy(root, told):
        ops["cachePolicy"] = cache
    told += _staying(root, _STAYS_IN_YAML, "the YAML")
    return Written(f"{json.dumps({SECTION: ops}, indent=2, ensure_ascii=False)}\n", tuple(told))


def _gateway(root: MapNode, port: int, told: list[str]) -> JsonObject:
    gateway: JsonObject = {"baseURL": f"http://localhost:{port}"}
    key = _value(root, "general_settings", "master_key")
    if isinstance(key, str) and key.startswith(_REFERENCE):
        gateway["apiKeyEnv"] = key.removeprefix(_REFERENCE)
    elif key is not None:
        told.append(
            "general_settings.master_key is written out in the YAML and is not copied: put the "
            "key into a variable and name it in llmOps.gateway.apiKeyEnv."
        )
    return gateway


def _routing(settings: Settings, told: list[str]) -> JsonObject:
    aliases = list(dict.fromkeys(each.alias for each in settings.deployments))
    routing: JsonObject = {}
    if aliases:
        routing[ENTRY] = aliases[0]
        told.append(
            f"llmOps.routing.{ENTRY} is `{aliases[0]}`, the first alias of the file. The YAML "
            f"knows no phases: add {ENTRY}Draft and so on for each phase of the work."
        )
    ends = _chain_ends(settings, aliases)
    if len(ends) == 1:
        routing["escalationModel"] = ends[0]
        told.append(
            f"llmOps.routing.escalationModel is `{ends[0]}`, where all fallback chains end. The "
            "YAML sets no maxEscalationsPerTicket; add it to limit them."
        )
    else:
        why = "fallback chains end at " + " and ".join(ends) if ends else "there is no chain"
        told.append(f"llmOps.routing.escalationModel is left out: {why}, so name the alias.")
    return routing


def _chain_ends(settings: Settings, aliases: Sequence[AliasName]) -> list[AliasName]:
    """Return the aliases to which others fall back and which fall back to nobody."""
    chains = settings.router.chains
    targets = {to for alias in aliases for to in chains.of(ChainKind.GENERAL, alias)}
    names = {settings.router.alias_of.get(target, target) for target in targets}
    return [each for each in aliases if each in names and not chains.general.get(each)]


def _cache_policy(root: MapNode, told: list[str]) -> JsonObject:
    policy: JsonObject = {}
    models = _node(root, "model_list")
    points = models is not None and _POINTS in json.dumps(to_json(models))
    if points or _value(root, "litellm_settings", "enable_anthropic_prompt_caching") is True:
        policy["providerPromptCaching"] = True
    on = _value(root, "litellm_settings", "cache")
    if not isinstance(on, bool):
        return policy
    response: JsonObject = {"enabled": on}
    for name, key, fits in (
        ("ttl", "ttlSeconds", _is_whole),
        ("type", "backend", BACKENDS.__contains__),
        ("namespace", "namespace", _is_text),
    ):
        value = _value(root, "litellm_settings", "cache_params", name)
        if value is None:
            continue
        if fits(value):
            response[key] = value
        else:
            told.append(
                f"litellm_settings.cache_params.{name} stays in the YAML: the toolkit's file has "
                "no such value."
            )
    policy["responseCache"] = response
    return policy


def _is_whole(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: Json) -> bool:
    return isinstance(value, str) and not value.startswith(_REFERENCE)


# ------------------------------------------------------------------ JSON -> YAML


def named_aliases(ops: MapNode) -> tuple[str, ...]:
    """Return the aliases that `llmOps.routing` names, in the order of the file."""
    routing = _node(ops, "routing")
    entries = routing.entries if isinstance(routing, MapNode) else ()
    names = [
        entry.node.value
        for entry in entries
        if entry.key.startswith(ENTRY) or entry.key == "escalationModel"
        if isinstance(entry.node, ScalarNode)
    ]
    return tuple(dict.fromkeys(n for n in names if isinstance(n, str) and n.strip()))


def yaml_of(ops: MapNode) -> Written:
    """Return the gateway's configuration that goes with a toolkit's `llmOps`."""
    told: list[str] = []
    lines = ["# Made from backlog.config.json, which goes on acting beside this file.", ""]
    lines += _model_lines(named_aliases(ops), told)
    lines += _key_lines(ops, told)
    lines += _cache_lines(ops, told)
    told += _staying(ops, _STAYS_IN_BACKLOG, "backlog.config.json", f"{SECTION}.")
    return Written("\n".join(lines) + "\n", tuple(told))


def _model_lines(aliases: Sequence[str], told: list[str]) -> list[str]:
    if not aliases:
        aliases = tuple(MODELS)
        told.append(f"{SECTION}.routing names no alias; {', '.join(aliases)} are written.")
    told.append(
        "The toolkit's file names aliases and no models: those in model_list are a choice, so "
        "look at each."
    )
    lines = ["# The models are a choice: the toolkit's file names aliases only.", "model_list:"]
    for alias in aliases:
        lines += [
            f"  - model_name: {_scalar(alias)}",
            "    litellm_params:",
            f"      model: {MODELS.get(alias, MODELS['balanced'])}",
            f"      api_key: {_REFERENCE}ANTHROPIC_API_KEY",
        ]
    return [*lines, ""]


def _key_lines(ops: MapNode, told: list[str]) -> list[str]:
    address = _value(ops, "gateway", "baseURL")
    parts = split_address(address) if isinstance(address, str) else None
    if parts is not None and (parts.port or DEFAULT_PORT) != DEFAULT_PORT:
        told.append(
            f"{SECTION}.gateway.baseURL calls port {parts.port}: start the gateway with "
            f"--port {parts.port}."
        )
    name = _value(ops, "gateway", "apiKeyEnv")
    if not isinstance(name, str) or not name.strip():
        return []
    reference = _scalar(f"{_REFERENCE}{name.strip()}")
    return ["general_settings:", f"  master_key: {reference}", ""]


def _cache_lines(ops: MapNode, told: list[str]) -> list[str]:
    on = _value(ops, "cachePolicy", "responseCache", "enabled")
    if not isinstance(on, bool):
        return []
    lines = ["litellm_settings:", f"  cache: {'true' if on else 'false'}"]
    params: list[str] = []
    backend = _value(ops, "cachePolicy", "responseCache", "backend")
    if backend in BACKENDS:
        params.append(f"    type: {backend}")
    elif backend is not None:
        told.append(
            f"{SECTION}.cachePolicy.responseCache.backend is none of {', '.join(BACKENDS)}; no "
            "cache_params.type is written."
        )
    ttl = _value(ops, "cachePolicy", "responseCache", "ttlSeconds")
    if _is_whole(ttl):
        params.append(f"    ttl: {ttl}")
    namespace = _value(ops, "cachePolicy", "responseCache", "namespace")
    if isinstance(namespace, str) and namespace.strip():
        params.append(f"    namespace: {_scalar(namespace)}")
    if params:
        lines += ["  cache_params:", *params]
    return [*lines, ""]


def _scalar(text: str) -> str:
    """Return a text as YAML reads it again: plain where that is safe, else in quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS:
        return text
    return f'"{"".join(_escaped(char) for char in text)}"'


def _escaped(char: str) -> str:
    """Return a character inside double quotes; YAML has no pairs of surrogates, as JSON has."""
    if char in '"\\':
        return f"\\{char}"
    return char if char.isprintable() else f"\\U{ord(char):08x}"


# ------------------------------------------------------------------ both


def _staying(
    root: MapNode,
    places: Sequence[tuple[tuple[str, ...], str]],
    file: str,
    start: str = "",
) -> list[str]:
    """Tell of each part that has no place in the other file, once."""
    found = [(path, what) for path, what in places if _node(root, *path) is not None]
    return list(
        dict.fromkeys(f"{start}{'.'.join(path)} stays in {file} ({what})." for path, what in found)
    )


def _node(root: MapNode, *path: str) -> Node | None:
    entry = find(root, path)
    return None if entry is None else entry.node


def _value(root: MapNode, *path: str) -> str | int | float | bool | None:
    node = _node(root, *path)
    return node.value if isinstance(node, ScalarNode) else None
