"""Configuration files in, settings and findings out: the steps in order.

Reading files is the first step and the only one that touches the disk. The others are values in
and values out, so that a reload can try a new configuration while the old one serves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tiergate.base.values import DeploymentId
from tiergate.config.access import read_access
from tiergate.config.budgets import BudgetReader
from tiergate.config.chains import Names
from tiergate.config.checks import Subject, run_checks
from tiergate.config.deployment import Ground, read_verify
from tiergate.config.environment import FILE_SECTION, Expander, with_file_variables
from tiergate.config.environments import process_environment
from tiergate.config.findings import Finding, Findings
from tiergate.config.guardrails import refuse_guardrails
from tiergate.config.hosts import Hosts
from tiergate.config.keycheck import KeyCheck
from tiergate.config.keytable import KeyTable
from tiergate.config.models import read_models
from tiergate.config.pricebook import PriceBook
from tiergate.config.reading import Reader, Resolved, Sections
from tiergate.config.routing import read_routing
from tiergate.config.section import Section, as_section
from tiergate.config.sinks import read_sinks
from tiergate.config.source import read
from tiergate.config.tree import MapNode
from tiergate.config.typed import Typed
from tiergate.core.catalog import Settings

NO_ORIGINS: Final[Mapping[DeploymentId, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Known:
    """What the configuration is read with: knowledge that is not in the file.

    Attributes:
        hosts: The table of provider hosts.
        prices: The price list.
        keys: The table of configuration keys.
    """

    hosts: Hosts
    prices: PriceBook
    keys: KeyTable


@dataclass(frozen=True, slots=True)
class Loaded:
    """The result of reading a configuration.

    Attributes:
        settings: What to run with; None when any finding is an error.
        findings: Everything to be said: errors first, then in the order of files and lines.
        report: The settings as they act, with their origin; secrets are masked.
        files: The files that were read, included ones too.
        draft: The settings as far as they could be read, for people to look at; not to run with.
        key_origins: Where the key of each deployment came from: the name of a variable, or words.
    """

    settings: Settings | None
    findings: tuple[Finding, ...]
    report: tuple[Resolved, ...] = ()
    files: tuple[str, ...] = ()
    draft: Settings | None = None
    key_origins: Mapping[DeploymentId, str] = field(default_factory=lambda: NO_ORIGINS)


def load(
    paths: Sequence[Path],
    environ: Mapping[str, str],
    *,
    known: Known,
    env: bool = True,
    lenient: bool = False,
    strict: bool = False,
) -> Loaded:
    """Read configuration files. Never raises for anything that a file or variable holds.

    Args:
        paths: The files, in the order in which they are merged.
        environ: The environment variables.
        known: What it is read with.
        env: Look environment variables up. False for `--no-env`: references stay placeholders,
            and no variable is missed.
        lenient: Unknown keys, wrong types and wrong places are warnings.
        strict: Keys that are known and do not act are errors.
    """
    findings = Findings(lenient=lenient, strict=strict)
    source = read(paths, findings)
    if source.root is None:
        return Loaded(None, findings.result(), files=source.files)
    variables = with_file_variables(source.root, environ, findings, look_up=env)
    root = Expander(variables, env, findings).expand_map(source.root)
    reader = Reader(findings, Typed(findings))
    settings, origins = _resolve(root, variables, known, reader, look_up=env)
    return Loaded(
        settings=None if findings.failed else settings,
        findings=findings.result(),
        report=tuple(reader.rows),
        files=source.files,
        draft=settings,
        key_origins=origins,
    )


def _resolve(
    root: MapNode, environ: Mapping[str, str], known: Known, reader: Reader, *, look_up: bool
) -> tuple[Settings, Mapping[DeploymentId, str]]:
    findings = reader.findings
    check = KeyCheck(known.keys, findings)
    top = Section((), root.position, root)
    sections = Sections.of(top, findings)
    _file_variables(top, check, reader)
    drop_spot = sections.litellm.take("drop_params")
    drop_params = reader.typed.flag(drop_spot) or False
    verify_spot = sections.litellm.take("ssl_verify")
    ground = Ground(
        hosts=known.hosts,
        environ=environ,
        look_up=look_up,
        process=process_environment(environ, findings),
        drop_params=drop_params,
        verify=read_verify(verify_spot, reader, default=True),
    )
    entries = read_models(top, ground, reader, check)
    aliases = frozenset(str(entry.deployment.alias) for entry in entries)
    access = read_access(sections, environ, reader, look_up=look_up)
    routing = read_routing(sections, aliases, reader, check)
    reader.show("litellm_settings.drop_params", drop_params, drop_spot)
    names = Names(aliases, routing.policy.alias_of)
    budget_reader = BudgetReader.of(sections, reader, check, names, known.hosts)
    budgets = budget_reader.read(entries)
    timezone = budget_reader.timezone()
    refuse_guardrails(top, sections, findings)
    webhooks = read_sinks(sections, environ, reader, look_up=look_up)
    for section in (top, sections.router, sections.litellm, sections.general):
        check.left(section)
    if entries:
        run_checks(Subject(entries, routing, budgets, known.prices, findings))
    deployments = tuple(entry.deployment for entry in entries)
    settings = Settings(
        deployments=deployments,
        router=routing.policy,
        access=access,
        budgets=tuple(budget.rule for budget in budgets),
        budget_timezone=timezone,
        webhooks=webhooks,
        environment_names=frozenset(name for d in deployments for name in d.environments),
        drop_params=drop_params,
        environment=ground.process,
    )
    origins = {entry.deployment.id: entry.origins.key for entry in entries}
    return settings, MappingProxyType(origins)


def _file_variables(top: Section, check: KeyCheck, reader: Reader) -> None:
    """Check the names of the file's own variables; their values were used already."""
    section = as_section(top.take(FILE_SECTION), reader.findings)
    for spot in section.all() if section else ():
        entry = check.table.find((FILE_SECTION, spot.key))
        if entry is not None and not entry.acts:
            check.key(spot)
        else:
            reader.typed.name(spot, "text")
