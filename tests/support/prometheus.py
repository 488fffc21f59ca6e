"""A real Prometheus that scrapes a gateway, and answers questions."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import yaml

from support.http_client import fetch
from support.servers import Server
from tiergate.base.jsontypes import Json, JsonObject

_QUERY = "/api/v1/query"


class Prometheus(Server):
    """A Prometheus with a target, the shipped rules, and a memory for examples of calls.

    Args:
        folder: An empty folder.
        target: The port of the gateway.
        key: The bearer token of the scrape.
        rules: A rule file.
    """

    def __init__(self, folder: Path, target: int, key: str, rules: Path) -> None:
        super().__init__()
        self._folder = folder
        job: JsonObject = {
            "job_name": "tiergate",
            "static_configs": [{"targets": [f"127.0.0.1:{target}"]}],
            "authorization": {"credentials": key},
        }
        config: JsonObject = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "scrape_configs": [job],
        }
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), "utf-8")

    def start(self) -> None:
        """Start it."""
        command = [
            "prometheus",
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--enable-feature=exemplar-storage",
        ]
        self._run(command, self._folder)

    async def ask(self, path: str, **query: str) -> Json:
        """Ask its API; the `data` of the answer."""
        answer = await fetch(self.port, "GET", f"{path}?{urlencode(query)}", timeout=10.0)
        assert answer.status == 200, answer.text
        found = answer.json
        assert found["status"] == "success", found
        return found["data"]

    async def values(self, expr: str) -> dict[str, float]:
        """The values of a query, by those of its labels that say something."""
        data = await self.ask(_QUERY, query=expr)
        return {
            ",".join(v for k, v in sorted(row["metric"].items()) if k not in _PLACES and v): float(
                row["value"][1]
            )
            for row in data["result"]
        }

    async def ready(self, seconds: float = 20.0) -> None:
        """Wait until it answers questions."""
        deadline = asyncio.get_running_loop().time() + seconds
        status = 0
        while status != 200:
            assert asyncio.get_running_loop().time() < deadline, "Prometheus is not ready"
            await asyncio.sleep(0.05)
            with contextlib.suppress(OSError):  # it has just been started
                status = (await fetch(self.port, "GET", "/-/ready", timeout=5.0)).status

    async def becomes(self, expr: str, wanted: dict[str, float], seconds: float = 20.0) -> None:
        """Wait until a query has these values."""
        deadline = asyncio.get_running_loop().time() + seconds
        while (found := await self.values(expr)) != wanted:
            assert asyncio.get_running_loop().time() < deadline, f"{expr}: {found}"
            await asyncio.sleep(0.1)


_PLACES = frozenset({"__name__", "instance", "job"})


@contextlib.asynccontextmanager
async def running_prometheus(
    folder: Path, target: int, key: str, rules: Path
) -> AsyncIterator[Prometheus]:
    """A Prometheus for as long as the block lasts."""
    server = Prometheus(folder, target, key, rules)
    try:
        server.start()
        await server.ready()
        yield server
    finally:
        server.kill()
