"""The gateways of a run and how each is started, and the two upstreams they all stand before.

A gateway is a command with `{config}`, `{host}` and `{port}` in it; nginx is the one exception,
being configured for the run. What is asked of a running gateway is said in `scenarios`.
"""

import contextlib
import shlex
import sys
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import assert_never

from bench import nginx, wire
from bench.client import Target, WrongAnswerError, checked_call
from bench.machines import CoreLayout, Tools, find_program
from bench.processes import Launch, ProcessFailedError, Server, free_ports, running
from bench.record import Contender, Role

_CONFIGS = Path(__file__).with_name("configs")
_ROOT = Path(__file__).resolve().parent.parent
_START_SECONDS_MOST = 180.0
_ASK_AGAIN_SECONDS = 0.005
YARDSTICK = "nginx"
SUBJECT = "tiergate"


class Config(Enum):
    """Which configuration a gateway runs with."""

    EVERYTHING = "everything.yaml"
    BARE = "bare.yaml"


@dataclass(frozen=True, slots=True)
class Site:
    """Where a run takes place: tools, cores, the folder for its files, and the upstream ports."""

    tools: Tools
    layout: CoreLayout
    folder: Path
    plain_port: int
    stream_port: int

    def environment(self) -> dict[str, str]:
        """The variables that the configurations refer to."""
        plain, stream = (
            f"http://127.0.0.1:{port}" for port in (self.plain_port, self.stream_port)
        )
        return {
            "BENCH_PLAIN_OPENAI": f"{plain}/v1",
            "BENCH_PLAIN_ANTHROPIC": plain,
            "BENCH_STREAM_OPENAI": f"{stream}/v1",
            "BENCH_STREAM_ANTHROPIC": stream,
            "BENCH_PROVIDER_KEY": wire.PROVIDER_KEY,
            "BENCH_MASTER_KEY": wire.CLIENT_KEY,
        }


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway: its process tree and the ports of its plain and streamed calls."""

    contender: Contender
    server: Server
    plain_port: int
    stream_port: int
    start_seconds: float

    @property
    def name(self) -> str:
        """The name used in messages and tables."""
        return self.contender.name


def yardstick() -> Contender:
    """Nginx with `proxy_pass`."""
    return Contender(YARDSTICK, Role.YARDSTICK, "nginx (proxy_pass, one worker)")


def subject(command: str | None) -> Contender:
    """Tiergate: the program installed beside this Python, unless another command is given."""
    program = Path(sys.executable).with_name("tiergate")
    chosen = command or (
        f"{shlex.quote(str(program))} serve --config {{config}} --host {{host}} --port {{port}}"
    )
    return Contender(SUBJECT, Role.SUBJECT, chosen)


def check_command(contender: Contender) -> str | None:
    """What is wrong with a gateway's command; None if it can be tried."""
    if contender.role is Role.YARDSTICK:
        return None
    words = shlex.split(contender.command)
    if not words or find_program(words[0]) is None:
        return f"{contender.name}: there is no program {words[0] if words else ''!r}"
    if "{port}" not in contender.command:
        return f"{contender.name}: the command must say {{port}} where the port goes"
    return None


def command_words(contender: Contender, config: Config, port: int) -> tuple[str, ...]:
    """A gateway's command with its places filled in.

    Tiergate is given the file of environments too, by a second `--config`; see that file for why a
    peer is not.
    """
    words = shlex.split(contender.command)
    if contender.role is Role.SUBJECT and config is Config.EVERYTHING:
        words = _with_second_config(words)
    places = {
        "config": str(_CONFIGS / config.value),
        "environments": str(_CONFIGS / "environments.yaml"),
        "host": "127.0.0.1",
        "port": str(port),
    }
    return tuple(_filled(word, places) for word in words)


@contextlib.contextmanager
def upstreams(tools: Tools, layout: CoreLayout, folder: Path) -> Generator[Site, None, None]:
    """Both upstreams, for the length of a block.

    Raises:
        ProcessFailedError: one of them does not answer as it should.
    """
    plain_port, stream_port = free_ports(2)
    site = Site(tools, layout, folder, plain_port, stream_port)
    home = _folder(folder, "upstream")
    config = home / "nginx.conf"
    config.write_text(nginx.upstream_config(home, plain_port))
    plain = Launch(
        "plain upstream",
        nginx.command(tools.nginx, home, config),
        {},
        layout.upstream,
        home / "log",
    )
    stream = Launch(
        "stream upstream",
        (sys.executable, "-m", "bench.upstream", str(stream_port)),
        {"PYTHONPATH": str(_ROOT)},
        layout.upstream,
        home / "stream.log",
    )
    with running(plain) as plain_server, running(stream) as stream_server:
        for server, port in ((plain_server, plain_port), (stream_server, stream_port)):
            for dialect in wire.Dialect:
                body = wire.chat_body("plain-openai", 2_048)
                first_answer(server, Target(port, dialect, body), seconds=10.0)
        yield site


@contextlib.contextmanager
def gateway(site: Site, contender: Contender, config: Config) -> Generator[Gateway, None, None]:
    """A running gateway that has given its first right answer, for the length of a block.

    Raises:
        ProcessFailedError: it ended, or did not answer in time.
    """
    plain_port, stream_port = free_ports(2)
    home = _folder(site.folder, f"{contender.name}-{config.name.lower()}")
    launch = _launch(site, contender, config, home, plain_port, stream_port)
    if contender.role is not Role.YARDSTICK:
        stream_port = plain_port
    body = wire.chat_body("plain-openai", 2_048)
    with running(launch) as server:
        seconds = first_answer(
            server, Target(plain_port, wire.Dialect.OPENAI, body), seconds=_START_SECONDS_MOST
        )
        yield Gateway(contender, server, plain_port, stream_port, seconds)


def first_answer(server: Server, target: Target, seconds: float) -> float:
    """Ask until the first right answer; returns the seconds from the process's start to it.

    Raises:
        ProcessFailedError: the server ended, answered wrongly to the last, or not at all.
    """
    end = time.monotonic() + seconds
    while True:
        server.check_alive()
        try:
            checked_call(target, timeout=10.0)
            return time.monotonic() - server.started_at
        except WrongAnswerError as error:
            if time.monotonic() > end:
                raise ProcessFailedError(
                    f"{server.name} gave no right answer in {seconds:.0f} s: {error}\n"
                    f"{server.log_end()}"
                ) from error
        time.sleep(_ASK_AGAIN_SECONDS)


def _launch(
    site: Site, contender: Contender, config: Config, home: Path, plain_port: int, stream_port: int
) -> Launch:
    match contender.role:
        case Role.YARDSTICK:
            file = home / "nginx.conf"
            file.write_text(
                nginx.proxy_config(
                    home,
                    plain_port=plain_port,
                    stream_port=stream_port,
                    plain_upstream=site.plain_port,
                    stream_upstream=site.stream_port,
                )
            )
            command = nginx.command(site.tools.nginx, home, file)
        case Role.SUBJECT | Role.PEER:
            command = command_words(contender, config, plain_port)
        case _:
            assert_never(contender.role)
    return Launch(contender.name, command, site.environment(), site.layout.gateway, home / "log")


def _with_second_config(words: list[str]) -> list[str]:
    """Repeat `--config {config}` for the second file, where the command has it."""
    if "--config" not in words:
        return words
    place = words.index("--config") + 2
    return [*words[:place], "--config", "{environments}", *words[place:]]


def _filled(word: str, places: Mapping[str, str]) -> str:
    for name, value in places.items():
        word = word.replace(f"{{{name}}}", value)
    return word


def _folder(parent: Path, name: str) -> Path:
    made = parent / "".join(c if c.isalnum() or c in "-." else "_" for c in name)
    made.mkdir(exist_ok=True)
    return made
