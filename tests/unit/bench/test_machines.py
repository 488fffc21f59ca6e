import os
import resource

import pytest
from bench import machines
from bench.machines import CoreLayout, MissingToolError

CPU_INFO = "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC 7B13\n"


@pytest.mark.parametrize(
    ("cores", "gateway", "upstream", "generator"),
    [((3,), {3}, {3}, {3}), ((0, 1), {0}, {1}, {1}), ((0, 1, 2, 3), {0}, {1}, {2})],
)
def test_the_gateway_has_a_core_for_itself_where_there_are_two(
    cores, gateway, upstream, generator
):
    layout = machines.lay_out(cores)

    assert layout == CoreLayout(frozenset(gateway), frozenset(upstream), frozenset(generator))


@pytest.mark.parametrize(
    ("cores", "words"),
    [
        ((0,), "one core for everything: the load generator disturbs the gateway"),
        ((0, 1), "gateway on core 0, upstream and load generator on core 1"),
        ((0, 1, 2), "gateway on core 0, upstream on core 1, load generator on core 2"),
    ],
)
def test_the_layout_is_said_in_words(cores, words):
    assert machines.lay_out(cores).words() == words


def test_the_processor_is_named():
    assert machines.processor_name(CPU_INFO) == "AMD EPYC 7B13"


def test_a_processor_without_a_name_is_called_by_its_architecture():
    assert machines.processor_name("processor\t: 0\n") == os.uname().machine


def test_memory_is_read_in_bytes():
    assert machines.memory_size("MemTotal:       24000 kB\nMemFree: 1 kB\n") == 24_576_000
    assert machines.memory_size("MemFree: 1 kB\n") == 0


@pytest.mark.parametrize(
    ("output", "version"),
    [("nginx version: nginx/1.22.1 (Debian)\n", "1.22.1"), ("", "unknown"), ("nginx/", "unknown")],
)
def test_a_version_is_the_word_after_the_marker(output, version):
    assert machines.version_in(output, "nginx/") == version


def test_a_missing_program_is_named_with_the_way_to_install_it(monkeypatch):
    monkeypatch.setattr(machines, "find_program", lambda _: None)

    with pytest.raises(MissingToolError, match="apt-get install nginx wrk"):
        machines.find_tools()


def test_a_program_of_the_system_is_found_and_an_unknown_one_is_not():
    assert machines.find_program("sh") is not None
    assert machines.find_program("no-such-program-of-ours") is None


def test_a_thread_comes_back_to_its_cores():
    before = os.sched_getaffinity(0)
    with machines.running_on(frozenset({min(before)})):
        assert os.sched_getaffinity(0) == {min(before)}

    assert os.sched_getaffinity(0) == before


def test_other_work_is_a_share():
    assert 0 <= machines.other_work(0.05) <= 1


def test_the_open_file_limit_never_sinks():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        assert machines.raise_open_file_limit() >= before[0]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
