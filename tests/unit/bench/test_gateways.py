import sys
from pathlib import Path

import pytest
import yaml
from bench import gateways
from bench.gateways import Config, Site
from bench.machines import Tools, lay_out, usable_cores
from bench.processes import Launch, ProcessFailedError, running
from bench.record import Contender, Role
from bench.scenarios import SCENARIOS, Kind
from bench.wire import Dialect, chat_body

COMMAND = "gate --config {config} --port {port} --host {host}"
SITE = Site(Tools("nginx", "wrk"), lay_out((0,)), Path("/run"), 81, 82)


def words(role: Role, config: Config) -> list[str]:
    found = gateways.command_words(Contender("g", role, COMMAND), config, 8080)
    return [Path(word).name if "/" in word else word for word in found]


def test_a_peer_gets_the_one_file():
    assert words(Role.PEER, Config.EVERYTHING) == (
        ["gate", "--config", "everything.yaml", "--port", "8080", "--host", "127.0.0.1"]
    )


def test_tiergate_gets_the_environments_beside_it():
    assert words(Role.SUBJECT, Config.EVERYTHING)[1:5] == (
        ["--config", "everything.yaml", "--config", "environments.yaml"]
    )


def test_a_bare_gateway_gets_the_bare_file_alone():
    assert words(Role.SUBJECT, Config.BARE)[1:4] == ["--config", "bare.yaml", "--port"]


def test_a_command_without_config_is_left_as_it_is():
    found = gateways.command_words(
        Contender("g", Role.SUBJECT, "gate {port}"), Config.EVERYTHING, 1
    )

    assert found == ("gate", "1")


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("", "no program ''"),
        ("no-such-gateway {port}", "no program 'no-such-gateway'"),
        ("sh -c true", "must say {port}"),
    ],
)
def test_a_command_that_cannot_work_is_refused_before_the_run(command, fault):
    assert fault in (gateways.check_command(Contender("g", Role.PEER, command)) or "")


def test_a_command_that_may_work_is_accepted():
    assert gateways.check_command(Contender("g", Role.PEER, "sh {port}")) is None
    assert gateways.check_command(gateways.yardstick()) is None


def test_tiergate_is_the_program_beside_this_python_unless_told():
    assert str(Path(sys.executable).parent) in gateways.subject(None).command
    assert gateways.subject("other {port}").command == "other {port}"


@pytest.mark.parametrize("config", Config)
def test_every_alias_that_is_measured_is_configured(config):
    text = (Path(gateways.__file__).with_name("configs") / config.value).read_text()
    aliases = {entry["model_name"] for entry in yaml.safe_load(text)["model_list"]}
    asked = {s.alias for s in SCENARIOS if s.config is config and s.kind is not Kind.START}

    assert asked <= aliases


@pytest.mark.parametrize("name", [config.value for config in Config])
def test_every_variable_a_configuration_refers_to_is_set(name):
    text = (Path(gateways.__file__).with_name("configs") / name).read_text()
    asked = {
        line.partition("os.environ/")[2].strip()
        for line in text.splitlines()
        if "os.environ/" in line
    }

    assert asked
    assert asked <= set(SITE.environment())


def test_the_environments_name_only_aliases_of_the_main_file():
    folder = Path(gateways.__file__).with_name("configs")
    files = [
        yaml.safe_load((folder / name).read_text())
        for name in ("environments.yaml", "everything.yaml")
    ]
    small, large = ({entry["model_name"] for entry in file["model_list"]} for file in files)

    assert small == large


def test_the_first_answer_is_timed_from_the_start(tmp_path):
    root = str(Path(gateways.__file__).parents[1])
    (port,) = gateways.free_ports(1)
    command = (sys.executable, "-m", "bench.upstream", str(port))
    cores = lay_out(usable_cores()).gateway
    with running(Launch("up", command, {"PYTHONPATH": root}, cores, tmp_path / "log")) as server:
        target = gateways.Target(port, Dialect.OPENAI, chat_body("a", 2_048))
        seconds = gateways.first_answer(server, target, seconds=30)

    assert 0 < seconds < 30


def test_a_gateway_that_never_answers_rightly_is_given_up(tmp_path):
    (port,) = gateways.free_ports(1)
    command = (
        sys.executable,
        "-c",
        "import time; print('still loading', flush=True); time.sleep(60)",
    )
    cores = lay_out(usable_cores()).gateway
    with running(Launch("slow", command, {}, cores, tmp_path / "log")) as server:
        target = gateways.Target(port, Dialect.OPENAI, chat_body("a", 2_048))
        with pytest.raises(ProcessFailedError, match="slow gave no right answer"):
            gateways.first_answer(server, target, seconds=0.05)
