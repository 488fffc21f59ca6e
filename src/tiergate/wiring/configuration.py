"""Find and read the configuration with everything this program knows: hosts, prices, keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tiergate.config.keys import load_key_table
from tiergate.config.load import Known, Loaded, load
from tiergate.pricing import PriceList
from tiergate.wiring.adapters import HostTable

DEFAULT_FILE = Path("config.yaml")
PATH_VARIABLE = "CONFIG_FILE_PATH"
"""LiteLLM's variable for the configuration file."""


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
) -> Loaded:
    """Read configuration files; see `config.load.load`."""
    return load(paths, environ, known=known(prices), env=env, lenient=lenient, strict=strict)


def known(prices: PriceList | None = None) -> Known:
    """Return what configurations are read with."""
    return Known(
        hosts=HostTable(),
        prices=prices if prices is not None else PriceList(),
        keys=load_key_table(),
    )
