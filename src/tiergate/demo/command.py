"""`tiergate demo`: start everything, walk through it, and leave it running if asked."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping
from importlib import resources
from pathlib import Path

import click
import uvloop

from tiergate.config.findings import Severity
from tiergate.config.load import Loaded
from tiergate.demo.tour import Tour, take
from tiergate.mock import MockServer
from tiergate.pricing import PriceList
from tiergate.telemetry.logs import configure_logging
from tiergate.wiring.build import Gateway
from tiergate.wiring.configuration import read_configuration
from tiergate.wiring.server import Listener, PortTakenError, listen

HOST = "127.0.0.1"


@click.command()
@click.option("--port", default=0, help="Port of the gateway; 0: a free one.")
@click.option("--stay", is_flag=True, help="Keep everything running after the tour.")
def demo(port: int, stay: bool) -> None:
    """A guided tour with built-in scripted providers: no keys, no services, no network.

    Shows a production configuration at work: what start-up finds in it, answers in both
    protocols, a fallback, a context overflow that moves up a tier, a tag that is refused, and a
    cooldown, each with what happened and why.
    """
    configure_logging({"TIERGATE_LOG": "error"})
    sys.exit(uvloop.run(_run(port or _free_port(), stay=stay)))


async def _run(port: int, *, stay: bool) -> int:
    async with MockServer() as mock:
        environ = {"ANTHROPIC_API_KEY": "demo", "ANTHROPIC_API_BASE": mock.url}
        loaded = _read(environ)
        _show_start(loaded)
        if loaded.settings is None:
            return 1
        gateway = Gateway(loaded.settings, environ, PriceList(), on_loopback=True)
        try:
            async with _serving(gateway, port):
                failed = await take(Tour(mock, HOST, port))
                if stay:
                    await _stay(port, mock.url)
        except PortTakenError as exc:
            click.echo(f"tiergate demo: {exc}", err=True)
            return 1
    return failed


@contextlib.asynccontextmanager
async def _serving(gateway: Gateway, port: int) -> AsyncGenerator[None]:
    """Serve while the block runs."""
    try:
        front = await listen(gateway.plane(), Listener(HOST, port))
        try:
            yield
        finally:
            await front.aclose()
    finally:
        await gateway.aclose()


def _read(environ: Mapping[str, str]) -> Loaded:
    """Read the configuration that the package brings."""
    text = resources.files("tiergate.demo").joinpath("demo.yaml").read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text(text, "utf-8")
        return read_configuration((path,), environ)


def _show_start(loaded: Loaded) -> None:
    click.secho("\n  Production settings in LiteLLM's format, started unchanged.", bold=True)
    click.echo("  What start-up has to say of them (tiergate check says the same):\n")
    colours = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTICE: "cyan"}
    for finding in loaded.findings:
        folder = f"{Path(finding.position.file).parent}/"
        line = str(finding).replace(folder, "")
        click.secho(click.wrap_text(line, 96, "  ", "      "), fg=colours[finding.severity])


async def _stay(port: int, mock_url: str) -> None:
    click.secho("\n  Everything keeps running; stop with Ctrl-C.", bold=True)
    click.echo(
        f"""
    curl http://{HOST}:{port}/v1/chat/completions -H 'content-type: application/json' \\
      -d '{{"model": "cheap", "messages": [{{"role": "user", "content": "hello"}}]}}'

    ANTHROPIC_BASE_URL=http://{HOST}:{port} ANTHROPIC_API_KEY=any claude -p "hi" --model cheap

  The scripted provider listens on {mock_url}; a prompt with mock:500, mock:overflow or mock:hang
  makes it fail that way."""
    )
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
