"""The gateway as a process of its own, as a user starts it: clean environment, real signals."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import yaml

from support.http_client import Answer, Exchange, fetch
from tiergate.base.jsontypes import Json, JsonObject

KEY = "sk-test-9hQ2vK7xLw4ZpTb8RmYc3NfD6gJsE1aU"
START_SECONDS = 20.0
STOP_SECONDS = 10.0

_KEPT_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "TMPDIR")


class StartError(AssertionError):
    """The gateway ended, or did not answer in time.

    Attributes:
        code: its exit status; `None` if it was still running.
        output: all it wrote.
    """

    def __init__(self, what: str, code: int | None, output: str) -> None:
        super().__init__(f"{what}\n{output}")
        self.code = code
        self.output = output


class Gateway:
    """`tiergate serve` on a free port: `async with Gateway(config, folder) as gateway:`.

    Args:
        config: the YAML file's text, or a value that is written as YAML.
        folder: an empty folder; it is the process's working folder and home.
        env: environment variables beside the few that are always there.
        command: what is run instead of `tiergate serve`; the words `{config}`, `{host}` and
            `{port}` are filled in.
        arguments: added to the command.
    """

    def __init__(
        self,
        config: str | JsonObject,
        folder: Path,
        *,
        env: Mapping[str, str] | None = None,
        command: Sequence[str] = (),
        arguments: Sequence[str] = (),
    ) -> None:
        self.port = free_port()
        self.folder = folder
        self.config_path = folder / "config.yaml"
        self._env = dict(env or {})
        self.command = (*(command or _serve_command()), *arguments)
        self._ready = "" if command else "serving"
        self._process: subprocess.Popen[bytes] | None = None
        self.write_config(config)

    @property
    def url(self) -> str:
        """Address without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        """All of standard output, then all of standard error, so far."""
        files = (self.folder / "stdout.log", self.folder / "stderr.log")
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    @property
    def pid(self) -> int:
        """Of the process started."""
        assert self._process is not None, "the gateway is not running"
        return self._process.pid

    def write_config(self, config: str | JsonObject) -> None:
        """Replace the config file."""
        text = config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False)
        self.config_path.write_text(text)

    # Life

    async def __aenter__(self) -> Gateway:
        for tries_left in (2, 1, 0):
            try:
                await self.start()
            except StartError as error:
                # Another test may have taken the port since it was found free.
                if not tries_left or "--port" not in error.output:
                    raise
                self.port = free_port()
            else:
                break
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, seconds: float = START_SECONDS) -> None:
        """Start the process and wait until it answers.

        Raises:
            StartError: it ended, or did not answer in time; then it is stopped.
        """
        said = len(self.output)
        self._process = self._spawn()
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            code = self._process.poll()
            if code is not None:
                self._process = None
                raise StartError(f"The gateway ended with status {code}.", code, self.output)
            # Its own word counts too: on a port that is taken, somebody else would answer.
            if self._ready in self.output[said:] and await self._is_alive():
                return
            await asyncio.sleep(0.02)
        await self.kill()
        raise StartError(f"The gateway did not answer in {seconds} s.", None, self.output)

    async def stop(self, seconds: float = STOP_SECONDS) -> int | None:
        """Send SIGTERM and wait; SIGKILL for what is left then. Gives the exit status."""
        if self._process is None:
            return None
        self.signal(signal.SIGTERM)
        deadline = asyncio.get_running_loop().time() + seconds
        while self._process.poll() is None and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        return await self.kill()

    async def ended(self, seconds: float = STOP_SECONDS) -> int:
        """Wait until the process has ended by itself; give the exit status."""
        assert self._process is not None, "the gateway is not running"
        deadline = asyncio.get_running_loop().time() + seconds
        while self._process.poll() is None:
            if asyncio.get_running_loop().time() > deadline:
                await self.kill()
                raise AssertionError(f"The gateway did not end:\n{self.output}")
            await asyncio.sleep(0.01)
        status = await self.kill()
        assert status is not None
        return status

    async def kill(self) -> int | None:
        """Send SIGKILL to the process and its children. Gives the exit status."""
        process, self._process = self._process, None
        if process is None:
            return None
        with contextlib.suppress(ProcessLookupError):  # all of them may have ended already
            os.killpg(process.pid, signal.SIGKILL)
        return await asyncio.to_thread(process.wait)

    async def restart(self, *, crash: bool = False) -> None:
        """Stop (or kill) and start again: same port, folder and config file."""
        await (self.kill() if crash else self.stop())
        await self.start()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        assert self._process is not None, "the gateway is not running"
        self._process.send_signal(number)

    def reload(self, config: str | JsonObject) -> None:
        """Replace the config file and send SIGHUP; see `said` for when it has taken effect."""
        self.write_config(config)
        self.reload_signal()

    def reload_signal(self) -> None:
        """Send SIGHUP, with the config file as it is."""
        self.signal(signal.SIGHUP)

    async def said(self, text: str, seconds: float = 5.0) -> str:
        """Wait until the output contains a text; give the output."""
        deadline = asyncio.get_running_loop().time() + seconds
        while text not in self.output:
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"The gateway never said {text!r}:\n{self.output}")
            await asyncio.sleep(0.02)
        return self.output

    # Calls

    async def get(self, target: str, *, key: str | None = KEY) -> Answer:
        """GET with a key."""
        return await fetch(self.port, "GET", target, headers=bearer(key))

    async def post(
        self,
        target: str,
        body: bytes | Json,
        *,
        key: str | None = KEY,
        headers: Iterable[tuple[str, str]] = (),
    ) -> Answer:
        """POST JSON (or bytes as they are) with a key."""
        pairs = (*bearer(key), *headers)
        return await fetch(self.port, "POST", target, body=body, headers=pairs)

    def posting(
        self,
        target: str,
        body: bytes | Json,
        *,
        key: str | None = KEY,
        headers: Iterable[tuple[str, str]] = (),
    ) -> Exchange:
        """The same as an `Exchange`, to read piece by piece or leave in the middle."""
        pairs = (*bearer(key), *headers)
        return Exchange(self.port, "POST", target, body=body, headers=pairs)

    def _spawn(self) -> subprocess.Popen[bytes]:
        filled = {
            "{config}": str(self.config_path),
            "{host}": "127.0.0.1",
            "{port}": str(self.port),
        }
        words = [filled.get(word, word) for word in self.command]
        env = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        env |= {"HOME": str(self.folder), "PYTHONUNBUFFERED": "1", **self._env}
        with (
            (self.folder / "stdout.log").open("ab") as out,
            (self.folder / "stderr.log").open("ab") as err,
        ):
            return subprocess.Popen(
                words,
                env=env,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    async def _is_alive(self) -> bool:
        try:
            answer = await fetch(self.port, "GET", "/health/liveliness", timeout=2.0)
        except (OSError, TimeoutError):
            return False
        return answer.status == 200


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def bearer(key: str | None) -> tuple[tuple[str, str], ...]:
    """The header that carries a key; none for no key."""
    return () if key is None else (("authorization", f"Bearer {key}"),)


def _serve_command() -> tuple[str, ...]:
    tiergate = str(Path(sys.executable).with_name("tiergate"))
    return (tiergate, "serve", "--config", "{config}", "--host", "{host}", "--port", "{port}")
