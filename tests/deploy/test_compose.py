"""The stack is a valid Compose file whose parts fit together, and its configuration is good."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from support.deploy import DEPLOY, ROOT, TOOLS, check_configuration, run
from tiergate.base.jsontypes import JsonObject
from tiergate.cli.serve_command import serve
from tiergate.config.durations import seconds

FOLDER = DEPLOY / "compose"
FILE = FOLDER / "compose.yml"
STYLE = (
    "service-keys-order", "services-alphabetical-order", "top-level-properties-order",
    "require-quotes-in-ports",
)  # fmt: skip
"""Rules about the order of lines; ours is that of a reader."""


def stack() -> JsonObject:
    found: JsonObject = yaml.safe_load(FILE.read_text())
    return found


def lint(path: Path):
    program = TOOLS / "node" / "node_modules" / ".bin" / "dclint"
    assert program.exists(), "scripts/deploy_tools.sh"
    words = [word for rule in STYLE for word in ("--disable-rule", rule)]
    return run(program, path, "--max-warnings", "0", *words)


def test_the_file_has_the_form_of_the_specification() -> None:
    done = lint(FILE)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_file_of_another_form_would_be_found(tmp_path: Path) -> None:
    bad = tmp_path / "compose.yml"
    bad.write_text(FILE.read_text().replace("restart:", "restrat:"))
    assert "restrat" in bad.read_text()
    assert "invalid-schema" in lint(bad).stdout


def test_every_file_that_is_mounted_is_there() -> None:
    for service in stack()["services"].values():
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (FOLDER / source).exists(), source
            else:
                assert source in stack()["volumes"]


def test_every_variable_is_in_the_example() -> None:
    used = set(re.findall(r"\$\{(\w+)", FILE.read_text()))
    given = set(re.findall(r"^(\w+)=", (FOLDER / "example.env").read_text(), re.MULTILINE))
    assert used == given


def test_no_image_floats() -> None:
    for name, service in stack()["services"].items():
        if "image" in service:
            assert re.search(r":v?\d+\.\d+\.\d+|:\d+\.\d+-", service["image"]), name


def test_only_the_gateway_is_open_to_other_machines() -> None:
    services = stack()["services"]
    opened = [p for service in services.values() for p in service.get("ports", [])]
    assert [port for port in opened if not port.startswith("127.0.0.1:")] == ["0.0.0.0:4000:4000"]
    for name in ("redis", "postgres"):
        assert services[name]["networks"] == ["inside"]
    assert stack()["networks"]["inside"] == {"internal": True}


def test_the_gateway_is_started_with_our_options_and_without_rights() -> None:
    gateway = stack()["services"]["tiergate"]
    known = {option for parameter in serve.params for option in parameter.opts}
    assert {word for word in gateway["command"] if word.startswith("--")} <= known
    assert gateway["read_only"] is True
    assert gateway["cap_drop"] == ["ALL"]


@pytest.fixture
def environ() -> dict[str, str]:
    names = stack()["services"]["tiergate"]["environment"]
    return {
        **dict.fromkeys(names, "value-of-the-test-7Hq2"),
        "DATABASE_URL": "postgresql://tiergate:p@postgres:5432/tiergate",
    }


def test_the_configuration_is_good(environ: dict[str, str]) -> None:
    done = check_configuration(FOLDER / "config.yaml", environ)
    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("error", "warning"):
        assert f": {word}:" not in done.stdout + done.stderr


def test_docker_waits_longer_than_the_gateway_drains() -> None:
    config = yaml.safe_load((FOLDER / "config.yaml").read_text())
    patience = seconds(stack()["services"]["tiergate"]["stop_grace_period"])
    assert patience > seconds(config["general_settings"]["drain_timeout"]) + 20


def test_prometheus_reads_its_configuration_and_the_rules(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("x")
    text = (FOLDER / "prometheus.yml").read_text()
    text = text.replace("/etc/prometheus/rules.yml", str(DEPLOY / "prometheus" / "rules.yml"))
    text = text.replace("/run/secrets/master_key", str(tmp_path / "key"))
    (tmp_path / "prometheus.yml").write_text(text)
    done = run("promtool", "check", "config", tmp_path / "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_board_is_where_grafana_looks_for_it() -> None:
    grafana = stack()["services"]["grafana"]
    (mounted,) = (v.split(":") for v in grafana["volumes"] if v.startswith("../grafana"))
    provider = yaml.safe_load(
        (FOLDER / "grafana/provisioning/dashboards/tiergate.yml").read_text()
    )
    assert provider["providers"][0]["options"]["path"] == mounted[1]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (ROOT / "deploy" / "grafana" / Path(home).name).exists()
    source = yaml.safe_load(
        (FOLDER / "grafana/provisioning/datasources/prometheus.yml").read_text()
    )
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
