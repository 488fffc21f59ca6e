"""Configuration files in, settings and findings out: the steps in order.

Reading files is the first step and the only one that touches the disk. The others are values in
and values out, so that a reload can try a new configuration while the old one serves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tiergate.base.values import DeploymentId
from tiergate.config.access import read_access
from tiergate.config.backlog import find_backlog, read_ops, read_policy
from tiergate.config.backlog_cache import with_cache
from tiergate.config.backlog_check import BESIDE, Against, Toolkit
from tiergate.config.backlog_meaning import with_meaning
from tiergate.config.backlog_prompts import with_prompts
from tiergate.config.budgets import BudgetReader
from tiergate.config.caching import read_cache
from tiergate.config.chains import Names
from tiergate.config.checks import Subject, run_checks
from tiergate.config.deployment import Ground, read_verify
from tiergate.config.environment import FILE_SECTION, Expander, with_file_variables
from tiergate.config.environments import process_environment
from tiergate.config.findings import Finding, Findings
from tiergate.config.guard_facts import GuardFacts
from tiergate.config.guard_options import OptionGround
from tiergate.config.guardrails import read_guards
from tiergate.config.hosts import Hosts
from tiergate.config.key_defaults import KeyDefaultsReader
from tiergate.config.keycheck import KeyCheck
from tiergate.config.keytable import KeyTable
from tiergate.config.life import read_life
from tiergate.config.metrics import read_metrics, read_traffic_shares
from tiergate.config.models import read_models
from tiergate.config.pricebook import PriceBook
from tiergate.config.prompt_caching import read_prompt_caching, with_breakpoints
from tiergate.config.reading import Reader, Resolved, Sections
from tiergate.config.routing import read_routing
from tiergate.config.section import Section, as_section
from tiergate.config.sinks import read_sinks
from tiergate.config.source import read
from tiergate.config.stores import EXTRAS, read_stores
from tiergate.config.tree import MapNode
from tiergate.config.typed import Typed
from tiergate.core.catalog import Settings
from tiergate.core.rules import StoreKind

NO_ORIGINS: Final[Mapping[DeploymentId, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Known:
    """What the configuration is read with: knowledge that is not in the file.

    Attributes:
        hosts: The table of provider hosts.
        prices: The price list.
        keys: The table of configuration keys.
        guard_facts: Knows the patterns of guards.
        extras: The optional parts of the installation that are there (`config.stores.EXTRAS`).
    """

    hosts: Hosts
    prices: PriceBook
    keys: KeyTable
    guard_facts: GuardFacts
    extras: frozenset[str] = EXTRAS


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

    @property
    def money_lines(self) -> tuple[str, ...]:
        """What a start states of money: where it is kept, each budget, and what holds without.

        Lines such as `stores: budgets, keys, escalations and ledger in SQLite in /srv/t`.
        """
        return tuple(
            f"{row.path}: {row.value}"
            for row in self.report
            if row.path == "stores" or row.path.startswith("budget of ")
        )


def load(
    paths: Sequence[Path],
    environ: Mapping[str, str],
    *,
    known: Known,
    env: bool = True,
    lenient: bool = False,
    strict: bool = False,
    toolkit: Toolkit = BESIDE,
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
        toolkit: Where `backlog.config.json` is, and by which port the toolkit should call.
    """
    findings = Findings(lenient=lenient, strict=strict)
    source = read(paths, findings)
    if source.root is None:
        return Loaded(None, findings.result(), files=source.files)
    variables = with_file_variables(source.root, environ, findings, look_up=env)
    root = Expander(variables, env, findings).expand_map(source.root)
    reader = Reader(findings, Typed(findings))
    beside = find_backlog(source.files, toolkit.file) if toolkit.looked_for else None
    ops = read_ops(beside, findings) if beside is not None else None
    merged = _with_toolkit(root, ops.node) if ops is not None else root
    settings, origins = _resolve(merged, variables, known, reader, look_up=env)
    if ops is not None:
        names = Names(frozenset(d.alias for d in settings.deployments), settings.router.alias_of)
        against = Against(
            root,
            settings.access,
            variables,
            look_up=env,
            port=toolkit.port,
            in_memory=settings.stores.kind is StoreKind.MEMORY,
        )
        settings = replace(settings, work=read_policy(ops, names, reader, against))
    found = findings.result()
    kept = replace(settings, remarks=tuple(each.remark for each in found))
    return Loaded(
        settings=None if findings.failed else kept,
        findings=found,
        report=tuple(reader.rows),
        files=source.files if beside is None else (*source.files, str(beside)),
        draft=settings,
        key_origins=origins,
    )


def _with_toolkit(root: MapNode, ops: MapNode) -> MapNode:
    """Return the YAML with what the toolkit's file says and it does not."""
    return with_prompts(with_meaning(with_cache(root, ops), ops), ops)


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
    life = read_life(sections, reader)
    routing = read_routing(sections, aliases, reader, check)
    reader.show("litellm_settings.drop_params", drop_params, drop_spot)
    stores = read_stores(sections, environ, known.extras, reader, check, look_up=look_up)
    names = Names(aliases, routing.policy.alias_of)
    budget_reader = BudgetReader.of(
        sections, reader, check, names, known.hosts, stores.plan.on_failure
    )
    budgets = budget_reader.read(entries)
    timezone = budget_reader.timezone()
    key_reader = KeyDefaultsReader.of(reader, check, names)
    key_defaults = key_reader.read(sections, stores.plan.on_failure)
    options = OptionGround(reader, environ, look_up, known.extras, known.guard_facts)
    guards = read_guards(top, sections, options, reader, check)
    prompts = read_prompt_caching(sections, environ, reader, look_up=look_up)
    entries = with_breakpoints(entries, prompts, reader)
    cache = read_cache(
        sections,
        environ,
        known.extras,
        reader,
        check,
        shared=stores.plan.redis,
        look_up=look_up,
        aliases=aliases,
    )
    sinks = read_sinks(sections, environ, known.extras, reader, check, look_up=look_up)
    metrics = read_metrics(sections, reader, check)
    traffic_shares = read_traffic_shares(sections, aliases, reader)
    for section in (top, sections.router, sections.litellm, sections.general):
        check.left(section)
    if entries:
        run_checks(Subject(entries, routing, budgets, stores, known.prices, findings))
    deployments = tuple(entry.deployment for entry in entries)
    settings = Settings(
        deployments=deployments,
        router=routing.policy,
        access=access,
        budgets=tuple(budget.rule for budget in budgets.named),
        each_budgets=tuple(each.budget for each in budgets.each),
        key_defaults=key_defaults,
        stores=stores.plan,
        budget_timezone=timezone,
        sinks=sinks,
        environment_names=frozenset(name for d in deployments for name in d.environments),
        drop_params=drop_params,
        environment=ground.process,
        cache=cache,
        guards=guards,
        life=life,
        metrics=metrics,
        traffic_shares=traffic_shares,
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
