"""One gateway process: build, listen, reload on SIGHUP or file change, drain on SIGTERM."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tiergate.config.access import is_weak
from tiergate.config.findings import Severity
from tiergate.core.catalog import Settings
from tiergate.pricing import PriceList
from tiergate.wiring.build import Gateway
from tiergate.wiring.configuration import read_configuration
from tiergate.wiring.server import Hooks, Listener, PortTakenError, serve

LOG = logging.getLogger("tiergate")

EVERYWHERE = "0.0.0.0"  # noqa: S104 - with a master key, as LiteLLM does
LOOPBACK = "127.0.0.1"
WATCH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How to run."""

    paths: tuple[Path, ...]
    host: str | None = None
    port: int = 4000
    lenient: bool = False
    strict: bool = False
    watch: bool = False
    drain_seconds: float = 30.0


def choose_host(settings: Settings, host: str | None) -> str:
    """Return the address to listen on.

    Raises:
        PortTakenError: The address is open to others and no key, or a weak one, guards it.
    """
    key = settings.access.master_key
    if host is None:
        return LOOPBACK if key is None else _guarded(settings, EVERYWHERE)
    return host if is_loopback(host) else _guarded(settings, host)


def is_loopback(host: str) -> bool:
    """Tell whether an address is reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _guarded(settings: Settings, host: str) -> str:
    key = settings.access.master_key
    if key is None:
        raise PortTakenError(
            f"listening on {host} without a master key would let anybody spend your money. "
            "Set general_settings.master_key (or TIERGATE_MASTER_KEY), or use --host 127.0.0.1."
        )
    if is_weak(key):
        raise PortTakenError(
            f"the master key is too weak for {host}: it is short or a well-known example. "
            "Use at least 16 random characters, or --host 127.0.0.1."
        )
    return host


async def run_gateway(settings: Settings, plan: Plan, environ: Mapping[str, str]) -> None:
    """Serve until told to stop.

    Raises:
        PortTakenError: The address cannot be listened on, or must not be.
    """
    host = choose_host(settings, plan.host)
    loop = asyncio.get_running_loop()
    prices = PriceList()
    gateway = Gateway(settings, environ, prices, on_loopback=is_loopback(host))

    def reload() -> None:
        _reload(gateway, plan, environ, prices)

    def ready() -> None:
        key = "master key required" if settings.access.master_key else "no key asked (loopback)"
        LOG.info(
            "serving",
            extra={
                "url": f"http://{host}:{plan.port}",
                "aliases": ",".join(dict.fromkeys(d.alias for d in settings.deployments)),
                "access": key,
            },
        )

    watcher = loop.create_task(_watch(plan.paths, reload)) if plan.watch else None
    try:
        await serve(
            gateway.plane(),
            Listener(host, plan.port, drain_seconds=plan.drain_seconds),
            Hooks(reload=reload, ready=ready),
        )
    finally:
        if watcher is not None:
            watcher.cancel()
        await gateway.aclose()


def _reload(gateway: Gateway, plan: Plan, environ: Mapping[str, str], prices: PriceList) -> None:
    """Read the files again; a bad new configuration changes nothing and says why."""
    loaded = read_configuration(
        plan.paths, environ, lenient=plan.lenient, strict=plan.strict, prices=prices
    )
    for finding in loaded.findings:
        if finding.severity is not Severity.NOTICE:
            LOG.warning("configuration", extra={"finding": str(finding)})
    if loaded.settings is None:
        LOG.error("reload refused: the old configuration goes on serving")
        return
    try:
        gateway.reload(loaded.settings)
    except ValueError as exc:  # what reading should have found; the file watch must live on
        LOG.error("reload refused: the old configuration goes on serving", extra={"why": str(exc)})  # noqa: TRY400 - a sentence, no traceback
        return
    LOG.info("reloaded", extra={"files": ",".join(loaded.files)})


async def _watch(paths: tuple[Path, ...], reload: Callable[[], None]) -> None:
    """Reload when a file's modification time or size changes."""
    seen = _marks(paths)
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        now = _marks(paths)
        if now != seen:
            seen = now
            reload()


def _marks(paths: tuple[Path, ...]) -> list[tuple[int, int]]:
    marks: list[tuple[int, int]] = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            marks.append((0, 0))
        else:
            marks.append((status.st_mtime_ns, status.st_size))
    return marks
