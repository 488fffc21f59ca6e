"""A small world to read configurations in: a few hosts, a short price list, the real key table."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tiergate.base.values import Dialect
from tiergate.config.findings import Finding
from tiergate.config.hosts import HostMatch
from tiergate.config.keys import load_key_table
from tiergate.config.keytable import KeyTable
from tiergate.config.load import Known, Loaded, load
from tiergate.config.stores import EXTRAS
from tiergate.wiring.guard_facts import InstalledGuards

_ANTHROPIC_MODELS = frozenset(
    {
        "claude-haiku-4-5",
        "claude-sonnet-4-0",
        "claude-sonnet-4-5",
        "claude-sonnet-4-6",
        "claude-opus-4-0",
        "claude-opus-4-1",
        "claude-opus-4-5",
    }
)
_OPENAI_MODELS = frozenset({"gpt-4o", "gpt-4o-mini", "gpt-5", "text-embedding-3-small"})

_HOSTS = {
    "anthropic": HostMatch(
        "anthropic",
        Dialect.ANTHROPIC,
        "",
        "https://api.anthropic.com",
        ("ANTHROPIC_API_KEY",),
        ("ANTHROPIC_API_BASE",),
    ),
    "openai": HostMatch(
        "openai",
        Dialect.OPENAI,
        "",
        "https://api.openai.com/v1",
        ("OPENAI_API_KEY",),
        ("OPENAI_API_BASE",),
    ),
    "groq": HostMatch(
        "groq", Dialect.OPENAI, "", "https://api.groq.com/openai/v1", ("GROQ_API_KEY",)
    ),
    "ollama": HostMatch("ollama", Dialect.OPENAI, "", "http://localhost:11434/v1"),
    "hosted_vllm": HostMatch("hosted_vllm", Dialect.OPENAI, "", None),
}
_OTHER_NAMES = {"ollama_chat": "ollama", "vllm": "hosted_vllm"}


@dataclass(frozen=True)
class SmallHosts:
    """Five hosts."""

    def canonical(self, name: str) -> str | None:
        name = _OTHER_NAMES.get(name, name)
        return name if name in _HOSTS else None

    def split_model(self, text: str) -> HostMatch | None:
        prefix, slash, model = text.partition("/")
        if not slash:
            bare = "openai" if text.startswith("gpt-") else "anthropic"
            known = text.startswith(("gpt-", "claude-"))
            prefix, model = (bare, text) if known else ("", "")
        name = self.canonical(prefix)
        if name is None:
            return None
        host = _HOSTS[name]
        return HostMatch(
            host.provider,
            host.dialect,
            model,
            host.default_base,
            host.key_variables,
            host.base_variables,
        )

    def nearest(self, prefix: str) -> tuple[str, ...]:
        return tuple(difflib.get_close_matches(prefix, _HOSTS))

    def planned(self, prefix: str) -> bool:
        return prefix in {"azure", "bedrock", "vertex_ai"}


@dataclass(frozen=True)
class SmallPrices:
    """Prices of every Claude and of the listed GPTs."""

    def has_price(self, provider: str, model: str) -> bool:
        return (provider == "anthropic" and model.startswith("claude-")) or (
            provider == "openai" and model in _OPENAI_MODELS
        )

    def known_models(self, provider: str) -> frozenset[str]:
        if provider == "anthropic":
            return _ANTHROPIC_MODELS
        return _OPENAI_MODELS if provider == "openai" else frozenset()


@cache
def key_table() -> KeyTable:
    return load_key_table()


def small_world(extras: frozenset[str] = EXTRAS) -> Known:
    return Known(
        hosts=SmallHosts(),
        prices=SmallPrices(),
        keys=key_table(),
        guard_facts=InstalledGuards(),
        extras=extras,
    )


@dataclass(frozen=True)
class Bench:
    """Writes files into a folder and loads them; positions say the bare names of the files.

    `extras` are the optional parts that are taken to be installed.
    """

    folder: Path
    extras: frozenset[str] = EXTRAS

    def load(
        self,
        *texts: str | bytes,
        environ: Mapping[str, str] | None = None,
        env: bool = True,
        lenient: bool = False,
        strict: bool = False,
        files: Mapping[str, str] | None = None,
    ) -> Loaded:
        """Load texts as `a.yaml`, `b.yaml`...; `files` are written beside them, not loaded."""
        for name, text in (files or {}).items():
            (self.folder / name).write_text(text)
        paths: list[Path] = []
        for number, text in enumerate(texts):
            path = self.folder / f"{chr(97 + number)}.yaml"
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            paths.append(path)
        return load(
            paths,
            {"ANTHROPIC_API_KEY": "k-anthropic", "OPENAI_API_KEY": "k-openai"}
            if environ is None
            else environ,
            known=small_world(self.extras),
            env=env,
            lenient=lenient,
            strict=strict,
        )


def lines(findings: Sequence[Finding], folder: Path) -> list[str]:
    """The findings as text, with bare file names."""
    return [str(finding).replace(f"{folder}/", "") for finding in findings]


def codes(loaded: Loaded) -> list[str]:
    """The codes of the findings."""
    return [finding.code for finding in loaded.findings]


MODELS = """
model_list:
  - {model_name: cheap, litellm_params: {model: anthropic/claude-sonnet-4-5}, model_info: {id: a}}
  - {model_name: balanced, litellm_params: {model: openai/gpt-4o}, model_info: {id: b}}
"""
"""Two aliases that load without a finding of their own."""

KEY = "general_settings: {master_key: 7f3kQ9xV2mZp8LwR4tYb}\n"
"""A good master key."""


def load_rest(folder: Path, rest: str, environ: Mapping[str, str] | None = None) -> Loaded:
    """Load two aliases, a master key, and the rest."""
    return Bench(folder).load(MODELS, rest, KEY, environ=environ)


def said(loaded: Loaded, code: str) -> list[str]:
    """The findings of one code as `severity path: message`, in order."""
    return [
        f"{finding.severity.value} {finding.path}: {finding.message}"
        for finding in loaded.findings
        if finding.code == code
    ]
