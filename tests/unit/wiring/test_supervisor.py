"""The supervisor stays small. What it does with real workers is in tests/process/test_workers."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"asyncio", "ssl", "yaml", "msgspec", "click", "prometheus_client", "uvloop", "httptools"}
OURS = {"tiergate.core", "tiergate.providers", "tiergate.config", "tiergate.front", "tiergate.web"}


def test_it_loads_nothing_that_only_serving_needs():
    done = subprocess.run(
        [sys.executable, "-c", "import sys, tiergate.wiring.supervisor; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert set(done.stdout.split()) & (HEAVY | OURS) == set()
