"""Where a gateway may listen, and what a reload does with good and bad files."""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import replace
from pathlib import Path

import pytest

from support.attempts import deployments, settings
from support.jumping import play
from tiergate.base.values import Secret
from tiergate.core.catalog import Access
from tiergate.core.life import Life
from tiergate.wiring import process
from tiergate.wiring.process import Plan, choose_host, is_loopback, run_gateway
from tiergate.wiring.server import PortTakenError

STRONG = Secret("sk-9hQ2vK7xLw4ZpTb8RmYc3NfD")
WEAK = Secret("sk-1234")


def keyed(key: Secret | None):
    return settings(deployments(cheap="a"), access=Access(master_key=key))


@pytest.mark.parametrize(
    ("key", "host", "chosen"),
    [
        (None, None, "127.0.0.1"),
        (None, "localhost", "localhost"),
        (None, "::1", "::1"),
        (STRONG, None, "0.0.0.0"),
        (STRONG, "10.1.2.3", "10.1.2.3"),
        (WEAK, "127.0.0.1", "127.0.0.1"),
    ],
)
def test_a_gateway_is_open_to_others_only_with_a_key(key, host, chosen):
    assert choose_host(keyed(key), host) == chosen


def test_the_toolkits_file_is_watched_before_it_is_there():
    beside = Plan((Path("etc/c.yaml"), Path("d.yaml")))
    assert beside.watched == (*beside.paths, Path("etc/backlog.config.json"))
    assert Plan(beside.paths, backlog=Path("b.json")).watched == (*beside.paths, Path("b.json"))


def test_options_win_over_what_the_file_says_of_the_end():
    given = replace(keyed(None), life=Life(drain_timeout=20.0, drain_delay=5.0))
    assert Plan((Path("c.yaml"),)).life(given) == given.life
    told = Plan((Path("c.yaml"),), drain_seconds=0.0, drain_delay=1.0).life(given)
    assert (told.drain_timeout, told.drain_delay) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("key", "host", "told"),
    [
        (None, "0.0.0.0", "without a master key"),
        (None, "::", "without a master key"),
        (None, "gateway.example", "without a master key"),
        (WEAK, None, "too weak"),
        (WEAK, "10.1.2.3", "too weak"),
    ],
)
def test_it_refuses_to_be_open_without_one_and_says_what_to_do(key, host, told):
    with pytest.raises(PortTakenError, match=told) as caught:
        choose_host(keyed(key), host)
    assert "--host 127.0.0.1" in str(caught.value)
    assert "sk-1234" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("example.com", False),
    ],
)
def test_what_is_reached_from_this_machine_only(host, loopback):
    assert is_loopback(host) is loopback


# ------------------------------------------------------------------ reload

GOOD = """
model_list:
  - model_name: {name}
    litellm_params: {{model: anthropic/claude-haiku-4-5, api_key: k-0123456789}}
"""


class House:
    """Stands where a gateway would."""

    def __init__(self) -> None:
        self.settings = None

    def reload(self, new) -> None:
        self.settings = new


@pytest.fixture
def said(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("tiergate"), "propagate", True)
    caplog.set_level(logging.INFO, "tiergate")
    return caplog


def test_a_good_file_is_taken_over(tmp_path, said):
    path = tmp_path / "c.yaml"
    path.write_text(GOOD.format(name="cheap"))
    house = House()

    process._reload(house, Plan((path,)), {}, None)

    assert house.settings.deployments[0].alias == "cheap"
    assert said.records[-1].message == "reloaded"


@pytest.mark.parametrize("text", ["model_list: [", "nonsense: 1\n", "", None])
def test_a_bad_file_changes_nothing_and_says_why(tmp_path, said, text):
    path = tmp_path / "c.yaml"
    if text is not None:
        path.write_text(text)
    house = House()

    process._reload(house, Plan((path,)), {}, None)

    assert house.settings is None
    assert "reload refused" in said.records[-1].message
    assert "c.yaml" in said.records[0].finding


def test_a_configuration_that_cannot_be_built_changes_nothing_and_the_process_goes_on(
    tmp_path, said
):
    class Picky(House):
        def reload(self, new) -> None:
            raise ValueError("no such place")

    path = tmp_path / "c.yaml"
    path.write_text(GOOD.format(name="cheap"))

    process._reload(Picky(), Plan((path,)), {}, None)

    assert said.records[-1].levelno == logging.ERROR
    assert "no such place" in said.records[-1].why


def test_the_watch_sees_a_change_and_only_a_change(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("a")
    times: list[float] = []

    async def work() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        task = loop.create_task(process._watch((path,), lambda: times.append(loop.time() - began)))
        await asyncio.sleep(5.5)
        assert times == []
        path.write_text("other")
        await asyncio.sleep(3.0)
        assert len(times) == 1
        path.unlink()
        await asyncio.sleep(3.0)
        os.utime(tmp_path)
        path.write_text("other")
        await asyncio.sleep(3.0)
        assert len(times) == 3
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    play(work())


async def test_a_port_that_is_taken_is_an_error_and_nothing_is_left_open(unused_tcp_port):
    holder = await asyncio.start_server(lambda r, w: None, "127.0.0.1", unused_tcp_port)
    try:
        with pytest.raises(PortTakenError, match=str(unused_tcp_port)):
            await run_gateway(keyed(None), Plan((Path("c.yaml"),), port=unused_tcp_port), {})
    finally:
        holder.close()
        await holder.wait_closed()
