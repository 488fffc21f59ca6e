"""The gateway fixture starts, reloads and ends a process; here a tiny stand-in for it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.gateway import Gateway, StartError

STAND_IN = """
import http.server, os, signal, sys
config = open(sys.argv[1]).read()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        key = self.headers["authorization"]
        self.wfile.write(f"{key}|{config}|{dict(os.environ)}".encode())
    def log_message(self, *_): pass
signal.signal(signal.SIGHUP, lambda *_: print("reloaded " + open(sys.argv[1]).read(), flush=True))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print("started", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
"""

COMMAND = (sys.executable, "-c", STAND_IN, "{config}", "{port}")


async def test_a_process_is_started_reloaded_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_MACHINE", "1")
    gateway = Gateway({"a": 1}, tmp_path, env={"MINE": "2"}, command=COMMAND)
    async with gateway:
        answer = await gateway.get("/x", key="k")
        assert answer.text.startswith("Bearer k|a: 1\n|")
        assert "'MINE': '2'" in answer.text
        assert "SECRET_OF_THE_MACHINE" not in answer.text
        gateway.reload("b: 2\n")
        assert "reloaded b: 2" in await gateway.said("reloaded")
        first = gateway.pid
        await gateway.restart(crash=True)
        assert gateway.pid != first
        assert await gateway.stop() == 7
    assert gateway.output.count("started") == 2


async def test_a_process_that_ends_at_once_tells_its_status_and_output(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import sys; sys.exit('no such key')")
    with pytest.raises(StartError, match="no such key") as caught:
        await Gateway("", tmp_path, command=command).start()
    assert caught.value.code == 1


async def test_a_process_that_never_answers_is_ended(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import time; time.sleep(60)")
    gateway = Gateway("", tmp_path, command=command)
    with pytest.raises(StartError, match="did not answer") as caught:
        await gateway.start(seconds=0.3)
    assert caught.value.code is None
    assert await gateway.stop() is None
