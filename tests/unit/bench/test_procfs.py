import os
import socket

import pytest
from bench import procfs
from bench.procfs import CpuTime, ProcessStat
from hypothesis import given
from hypothesis import strategies as st

TICKS = os.sysconf("SC_CLK_TCK")
STAT = "4711 ({name}) S 12 4711 99 0 -1 4194304 7 0 0 0 {u} {s} {cu} {cs} 20 0 3 0 1 2 3"
ROLLUP = """55d0-7ffe ---p 00000000 00:00 0                          [rollup]
Rss:               82000 kB
Pss:               61500 kB
Pss_Dirty:         40000 kB
Pss_Anon:          39000 kB
Shared_Clean:      20000 kB
"""
TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1111 1 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 2222 1 0
   2: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3333 1 0
   3: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4444 1 0
"""


def process(pid: int, parent: int, session: int) -> ProcessStat:
    return ProcessStat(pid, "S", parent, session, 0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("name", ["python", "tmux: server", "a) S 1 (b", ""])
def test_a_stat_line_is_read_whatever_the_process_is_called(name):
    found = procfs.parse_stat(STAT.format(name=name, u=TICKS, s=TICKS * 2, cu=TICKS * 3, cs=0))

    assert found == ProcessStat(4711, "S", 12, 99, 1.0, 2.0, 3.0, 0.0)


def test_a_process_that_waits_to_be_noticed_has_ended():
    assert procfs.parse_stat(
        STAT.format(name="a", u=0, s=0, cu=0, cs=0).replace(" S ", " Z ")
    ).ended
    assert not process(1, 1, 1).ended


def test_memory_is_read_from_the_rollup_in_bytes():
    assert procfs.parse_rollup(ROLLUP) == (61_500 * 1024, 82_000 * 1024)


def test_the_machine_is_busy_with_all_but_idling_and_waiting():
    text = "cpu  10 1 20 600 60 2 3 4 0 0\ncpu0 5 0 10 300 30 1 1 2 0 0\n"

    assert procfs.parse_busy(text) == (40, 700)


def test_only_listening_sockets_of_the_port_are_found():
    assert procfs.parse_listeners(TCP, 8080) == frozenset({1111, 4444})


def test_a_tree_has_children_and_grandchildren():
    stats = [process(10, 1, 10), process(11, 10, 10), process(12, 11, 10), process(20, 1, 20)]

    assert procfs.select_tree(stats, 10) == frozenset({10, 11, 12})


def test_a_worker_whose_parent_has_gone_is_found_by_its_session():
    stats = [process(10, 1, 10), process(12, 1, 10), process(13, 12, 13)]

    assert procfs.select_tree(stats, 10) == frozenset({10, 12, 13})


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)), max_size=20))
def test_the_search_for_a_tree_ends_even_in_a_ring(links):
    found = procfs.select_tree([process(*link) for link in links], 1)

    assert 1 in found


def test_cpu_time_between_two_readings_is_their_difference():
    used = CpuTime(5.0, 3.0, 1.0).since(CpuTime(2.0, 1.0, 0.5))

    assert used == CpuTime(3.0, 2.0, 0.5)
    assert used.system_share == 0.2


def test_no_time_has_no_share_in_the_kernel():
    assert CpuTime(0.0, 0.0, 0.0).system_share == 0.0


def test_work_done_by_this_process_shows_in_its_cpu_time():
    before = procfs.cpu_time((os.getpid(),))
    sum(number * number for number in range(300_000))
    used = procfs.cpu_time((os.getpid(),)).since(before)

    assert 0 < used.total < 60


def test_a_process_that_has_ended_costs_nothing():
    gone = 2**22 + 1

    assert procfs.cpu_time((gone,)) == CpuTime(0.0, 0.0, 0.0)
    assert procfs.memory((gone,)) == procfs.Memory(0, 0)


def test_this_process_has_memory_and_belongs_to_its_own_tree():
    memory = procfs.memory((os.getpid(),))

    assert memory.proportional > 1_000_000
    assert memory.largest_resident >= memory.proportional
    assert os.getpid() in procfs.tree_of(os.getpid())


def test_a_port_belongs_to_the_process_that_listens_on_it():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        assert procfs.listens_on((os.getpid(),), port)
        assert not procfs.listens_on((), port)
    assert not procfs.listens_on((os.getpid(),), port)
