"""A real Chroma server for tests, from the package `chromadb`: on a free port of 127.0.0.1."""

from __future__ import annotations

import contextlib
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from support.servers import PATIENCE, Server


class ChromaServer(Server):
    """A server that keeps its files in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [str(Path(sys.executable).with_name("chroma")), "run", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--path", str(self._folder / "data")]
        self._run(command, self._folder)
        end = time.monotonic() + PATIENCE
        while not self._answers():
            assert time.monotonic() < end, "Chroma does not answer"
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/api/v2/heartbeat", timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False


@contextlib.contextmanager
def running_chroma(folder: Path) -> Iterator[ChromaServer]:
    """A server that runs inside the block."""
    server = ChromaServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
