"""The alert rules and the board: they ring when they should, and name what the gateway serves."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from tiergate.core.metric_names import LABELS
from tiergate.telemetry.exposition import Family, Kind
from tiergate.telemetry.metrics import Metrics
from tiergate.telemetry.page import Scene, families
from tiergate.telemetry.reports import Others

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
BOARD = ROOT / "deploy" / "grafana" / "tiergate.json"
ENDINGS = {
    Kind.COUNTER: ("_total",),
    Kind.GAUGE: ("",),
    Kind.HISTOGRAM: ("_bucket", "_count", "_sum"),
}
OF_PROMETHEUS = {"instance", "job", "le"}


def promtool(*words: str, folder: Path) -> None:
    done = subprocess.run(
        ["promtool", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def generator() -> ModuleType:
    """`scripts/board.py`, which is no package."""
    spec = importlib.util.spec_from_file_location("board", ROOT / "scripts" / "board.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["board"] = module  # its dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def served() -> dict[str, Family]:
    """Every name that a query can use."""
    scene = Scene(others=Others((), serving=1, silent=0, ended=0))
    return {
        family.name + ending: family
        for family in families(Metrics(), scene)
        for ending in ENDINGS[family.kind]
    }


def rules() -> Iterator[tuple[str, str]]:
    for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"]:
        for rule in group["rules"]:
            yield rule.get("alert") or rule["record"], rule["expr"]


def queries() -> Iterator[tuple[str, str]]:
    for panel in json.loads(BOARD.read_text("utf-8"))["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def settled(expr: str) -> str:
    """A query as Grafana sends it."""
    expr = expr.replace("$__rate_interval", "5m").replace("$__range", "6h")
    return expr.replace("$alias", ".*")


def test_the_rules_are_valid():
    promtool("check", "rules", RULES.name, folder=RULES.parent)


def test_each_alert_rings_when_it_should_and_not_before(tmp_path):
    for file in (RULES, ROOT / "tests" / "deploy" / "rules_test.yml"):
        (tmp_path / file.name).write_text(file.read_text("utf-8"), "utf-8")
    promtool("test", "rules", "rules_test.yml", folder=tmp_path)


def test_every_alert_is_tried():
    tried = (ROOT / "tests" / "deploy" / "rules_test.yml").read_text("utf-8")
    alerts = [name for name, _ in rules() if name.startswith("Tiergate")]
    assert len(alerts) >= 12
    for name in alerts:
        assert f"alertname: {name}" in tried, name


def test_the_board_is_what_its_generator_writes():
    assert BOARD.read_text("utf-8") == generator().text(), "run `make docs`"


def test_the_board_has_no_panel_over_another_and_a_name_for_each():
    panels = json.loads(BOARD.read_text("utf-8"))["panels"]
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells
    ids = [panel["id"] for panel in panels]
    assert len(set(ids)) == len(ids)
    assert all(panel["title"] for panel in panels)


def test_every_query_of_the_board_is_promql(tmp_path):
    groups = [
        {"name": "board", "rules": [
            {"record": f"board:{at}", "expr": settled(expr)}
            for at, (_, expr) in enumerate(queries())
        ]},
    ]  # fmt: skip
    (tmp_path / "board.yml").write_text(yaml.safe_dump({"groups": groups}), "utf-8")
    promtool("check", "rules", "board.yml", folder=tmp_path)


@pytest.mark.parametrize(("name", "expr"), [*rules(), *queries()])
def test_queries_name_only_metrics_and_labels_that_are_served(name, expr):
    recorded = {each for each, _ in rules() if ":" in each}
    known = served()
    bare = re.sub(r'"[^"]*"', '""', settled(expr))
    for word in re.findall(r"\b(?:litellm|tiergate)[\w:]*", bare):
        assert word in known or word in recorded, f"{name}: {word}"
    for inside in re.findall(r"\{([^}]*)\}", bare):
        for label in re.findall(r"(\w+)\s*(?:=|!)", inside):
            assert label in LABELS, f"{name}: {label}"
    for inside in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", bare):
        for label in filter(None, (each.strip() for each in inside.split(","))):
            assert label in LABELS | OF_PROMETHEUS, f"{name}: {label}"


@pytest.mark.parametrize(("name", "expr"), [*rules(), *queries()])
def test_labels_of_a_query_are_labels_of_its_metrics(name, expr):
    """A matcher on a label that a metric does not have finds nothing, for ever."""
    known = served()
    for metric, inside in re.findall(r"\b((?:litellm|tiergate)_\w+)\{([^}]*)\}", settled(expr)):
        for label in re.findall(r'(\w+)\s*(?:=~|!~|=|!=)\s*"', inside):
            assert label in known[metric].labels, f"{name}: {metric} has no {label}"
