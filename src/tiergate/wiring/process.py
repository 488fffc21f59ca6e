"""One gateway process: build, listen, reload on SIGHUP or file change, take leave on SIGTERM."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tiergate.config.access import is_weak
from tiergate.config.backlog import backlog_place
from tiergate.config.backlog_check import Toolkit
from tiergate.config.findings import Severity
from tiergate.core.catalog import Settings
from tiergate.core.life import Life
from tiergate.ports import StoreDownError
from tiergate.pricing import PriceList
from tiergate.wiring.build import Gateway
from tiergate.wiring.configuration import read_configuration
from tiergate.wiring.crew import PATIENCE_SECONDS, marks
from tiergate.wiring.leaving import Leaving
from tiergate.wiring.notify import Notifier
from tiergate.wiring.places import state_directory
from tiergate.wiring.server import Hooks, Listener, PortTakenError, serve
from tiergate.wiring.siblings import Gatewayside, Siblings
from tiergate.wiring.state import State, open_state

LOG = logging.getLogger("tiergate")

EVERYWHERE = "0.0.0.0"  # noqa: S104 - with a master key, as LiteLLM does
LOOPBACK = "127.0.0.1"
WATCH_SECONDS = 1.0


class StateError(ValueError):
    """What must outlive the process cannot be opened; `str()` says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to run.

    `drain_seconds` and `drain_delay` win over what the configuration says of them.
    """

    paths: tuple[Path, ...]
    host: str | None = None
    port: int = 4000
    lenient: bool = False
    strict: bool = False
    watch: bool = False
    drain_seconds: float | None = None
    backlog: Path | None = None
    drain_delay: float | None = None

    @property
    def watched(self) -> tuple[Path, ...]:
        """The files whose change is a reload: the configuration, and the toolkit's file."""
        beside = backlog_place(self.paths, self.backlog)
        return self.paths if beside is None else (*self.paths, beside)

    def life(self, settings: Settings) -> Life:
        """Return how the gateway stops."""
        found = settings.life
        if self.drain_seconds is not None:
            found = replace(found, drain_timeout=self.drain_seconds)
        if self.drain_delay is not None:
            found = replace(found, drain_delay=self.drain_delay)
        return found


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


async def run_gateway(
    settings: Settings,
    plan: Plan,
    environ: Mapping[str, str],
    siblings: Siblings | None = None,
) -> bool:
    """Serve until told to stop.

    Args:
        settings: What the configuration means.
        plan: How to run. A worker among several leaves the port and the files to its supervisor.
        environ: The environment.
        siblings: The other workers, if this is one of several.

    Returns:
        Whether it ended in good order; False where it was told twice to end.

    Raises:
        PortTakenError: The address cannot be listened on, or must not be.
        StateError: What must outlive the process cannot be opened.
        ValueError: The gateway cannot be built.
    """
    host = choose_host(settings, plan.host) if siblings is None else siblings.host
    prices = PriceList()
    state = await _open_state(settings, plan, environ)
    gateway = Gateway(
        settings,
        environ,
        prices,
        on_loopback=is_loopback(host),
        state=state,
        siblings=siblings,
    )
    try:
        await gateway.start()
        if siblings is None:
            told = {"url": f"http://{host}:{plan.port}", **describe(settings)}
            told["stores"] = state.place
            return await _serve_alone(gateway, replace(plan, host=host), environ, prices, told)
        return await _serve_among(gateway, plan, environ, prices, siblings)
    finally:
        await gateway.aclose()


async def _serve_among(
    gateway: Gateway,
    plan: Plan,
    environ: Mapping[str, str],
    prices: PriceList,
    siblings: Siblings,
) -> bool:
    """Serve as one of several workers: port, files and signals are the supervisor's."""
    leaving = Leaving(supervised=True)

    def adopt(new: Settings) -> None:
        _adopt(gateway, new)
        siblings.tell_leave(plan.life(new).longest_leave)

    def ready() -> None:
        siblings.ready(gateway.place)
        siblings.tell_leave(plan.life(gateway.serving.settings).longest_leave)

    def leave() -> Life:
        gateway.leaving = True
        return plan.life(gateway.serving.settings)

    siblings.attend(
        Gatewayside(
            report=gateway.report,
            inherit=gateway.inherit,
            adopt=adopt,
            read=lambda: _read(plan, environ, prices),
            stop=leaving.say,
        )
    )
    listener = Listener(siblings.host, plan.port, sockets=siblings.sockets)
    hooks = Hooks(reload=lambda: None, ready=ready, leave=leave)
    return await serve(gateway.plane(), listener, hooks, leaving)


async def _serve_alone(
    gateway: Gateway,
    plan: Plan,
    environ: Mapping[str, str],
    prices: PriceList,
    told: Mapping[str, str],
) -> bool:
    """Serve as the only process: it listens, looks at the files and reloads by itself."""
    host = plan.host or LOOPBACK
    notifier = Notifier(environ)

    def reload() -> None:
        notifier.reloading()
        _reload(gateway, plan, environ, prices)
        notifier.ready()

    def ready() -> None:
        LOG.info("serving", extra=dict(told))
        notifier.ready()
        if notifier.pulse_seconds is not None:
            tasks.append(loop.create_task(_pulse(notifier, notifier.pulse_seconds)))

    def leave() -> Life:
        gateway.leaving = True
        life = plan.life(gateway.serving.settings)
        notifier.stopping(life.longest_leave + PATIENCE_SECONDS)
        return life

    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(_watch(plan.watched, reload))] if plan.watch else []
    hooks = Hooks(reload=reload, ready=ready, leave=leave)
    try:
        return await serve(gateway.plane(), Listener(host, plan.port), hooks, Leaving())
    finally:
        for task in tasks:
            task.cancel()


async def _pulse(notifier: Notifier, seconds: float) -> None:
    """Tell the service manager that the event loop goes round."""
    while True:
        notifier.alive()
        await asyncio.sleep(seconds)


def describe(settings: Settings) -> dict[str, str]:
    """Return what the log says when the gateway serves."""
    guarded = settings.access.master_key is not None
    return {
        "aliases": ",".join(dict.fromkeys(d.alias for d in settings.deployments)),
        "access": "master key required" if guarded else "no key asked (loopback)",
    }


async def _open_state(settings: Settings, plan: Plan, environ: Mapping[str, str]) -> State:
    """Open the stores.

    Raises:
        StateError: It says what cannot be opened, and what to do.
    """
    directory = state_directory(settings.stores.directory, plan.paths, environ)
    try:
        return await open_state(settings.stores, directory)
    except StoreDownError as exc:
        raise StateError(f"a store cannot be opened: {exc}") from None
    except OSError as exc:
        raise StateError(
            f"the state directory {directory} cannot be used: {exc.strerror or exc}. Set "
            "general_settings.state_dir or TIERGATE_STATE_DIR to one that this user can write, "
            "or to :memory: to keep nothing."
        ) from None


def _reload(gateway: Gateway, plan: Plan, environ: Mapping[str, str], prices: PriceList) -> None:
    """Read the files again; a bad new configuration changes nothing and says why."""
    settings = _read(plan, environ, prices)
    if settings is None:
        return
    try:
        _adopt(gateway, settings)
    except ValueError as exc:  # what reading should have found; the file watch must live on
        LOG.error("reload refused: the old configuration goes on serving", extra={"why": str(exc)})  # noqa: TRY400 - a sentence, no traceback


def _adopt(gateway: Gateway, settings: Settings) -> None:
    """Serve a new configuration.

    Raises:
        ValueError: It cannot be built; the old one goes on serving.
    """
    gateway.reload(settings)
    LOG.info("reloaded", extra={"aliases": describe(settings)["aliases"]})


def _read(plan: Plan, environ: Mapping[str, str], prices: PriceList) -> Settings | None:
    """Read the files; None if they have errors, which are logged."""
    loaded = read_configuration(
        plan.paths,
        environ,
        lenient=plan.lenient,
        strict=plan.strict,
        prices=prices,
        toolkit=Toolkit(plan.backlog, plan.port),
    )
    for finding in loaded.findings:
        if finding.severity is not Severity.NOTICE:
            LOG.warning("configuration", extra={"finding": str(finding)})
    if loaded.settings is None:
        LOG.error("reload refused: the old configuration goes on serving")
    return loaded.settings


async def _watch(paths: tuple[Path, ...], reload: Callable[[], None]) -> None:
    """Reload when a file's modification time or size changes."""
    seen = marks(paths)
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        now = marks(paths)
        if now != seen:
            seen = now
            reload()
