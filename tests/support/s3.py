"""A real server that speaks S3, for tests: moto's, as a process of its own on a free port."""

from __future__ import annotations

import contextlib
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from support.servers import PATIENCE, Server
from tiergate.base.values import Secret
from tiergate.core.cache_plan import BucketPlan


class S3Server(Server):
    """It keeps everything in memory and takes any login."""

    BUCKET = "answers-of-the-tests"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def plan(self, path: str = "") -> BucketPlan:
        """Where its bucket is."""
        return BucketPlan(
            name=self.BUCKET,
            path=path,
            endpoint=self.url,
            key_id="any",
            secret=Secret("secret-of-the-tests"),
        )

    def start(self) -> None:
        """Start it, wait until it answers, and make the bucket."""
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self._run(command, self._folder)
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self._make_bucket()
            except (urllib.error.URLError, ConnectionError):
                assert time.monotonic() < end, "the S3 server is not ready"
                time.sleep(0.05)
            else:
                return

    def flush(self) -> None:
        """Forget everything but the bucket."""
        request = urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")
        urllib.request.urlopen(request, timeout=5).close()
        self._make_bucket()

    def _make_bucket(self) -> None:
        request = urllib.request.Request(f"{self.url}/{self.BUCKET}", method="PUT")
        urllib.request.urlopen(request, timeout=5).close()


@contextlib.contextmanager
def running_s3(folder: Path) -> Iterator[S3Server]:
    """A running server."""
    server = S3Server(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
