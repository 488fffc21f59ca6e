import os
import signal
import sys

import pytest
from bench import processes, procfs
from bench.processes import Launch, ProcessFailedError

# A server that starts a child which ignores the polite signal, then waits.
STUBBORN = """
import subprocess, sys, time
code = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)"
child = subprocess.Popen([sys.executable, "-c", code + "\\ntime.sleep(600)"])
time.sleep(600)
"""


def launch(tmp_path, *command: str) -> Launch:
    return Launch("thing", command, {"GREETING": "hello"}, frozenset({_core()}), tmp_path / "log")


def _core() -> int:
    return min(os.sched_getaffinity(0))


def _until(condition):
    for _ in range(2_000):
        if condition():
            return True
        os.sched_yield()
        signal.sigtimedwait((), 0.005)
    return False


def test_a_server_is_born_on_its_cores_with_its_environment(tmp_path):
    code = "import os; print(os.environ['GREETING'], sorted(os.sched_getaffinity(0)))"
    server = processes.start(launch(tmp_path, sys.executable, "-c", code))

    assert _until(lambda: "hello" in server.log_end())
    assert f"hello [{_core()}]" in server.log_end()
    server.stop()


def test_stopping_ends_the_whole_tree_even_what_ignores_the_polite_signal(tmp_path):
    with processes.running(launch(tmp_path, sys.executable, "-c", STUBBORN)) as server:
        assert _until(lambda: "up" in server.log_end())
        tree = server.tree()
        assert len(tree) == 2
        assert server.memory().proportional > 0
        assert server.cpu().total > 0

    assert not tree & {stat.pid for stat in procfs.read_stats() if not stat.ended}


def test_a_server_that_ended_is_reported_with_its_log(tmp_path):
    server = processes.start(
        launch(tmp_path, sys.executable, "-c", "import sys; sys.exit('no config')")
    )
    server._popen.wait(30)

    with pytest.raises(ProcessFailedError, match=r"thing ended with status 1.\n  no config"):
        server.check_alive()
    server.stop()


def test_a_program_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ProcessFailedError, match="no-such-program"):
        processes.start(launch(tmp_path, "no-such-program"))


def test_a_silent_server_has_an_empty_log(tmp_path):
    with processes.running(launch(tmp_path, sys.executable, "-c", STUBBORN)) as server:
        server.launch.log.unlink()

        assert server.log_end() == "  (it wrote nothing)"


def test_free_ports_are_all_different():
    assert len(set(processes.free_ports(5))) == 5


def test_a_signal_interrupts_the_run_and_the_handler_comes_back():
    before = signal.getsignal(signal.SIGTERM)
    with (
        pytest.raises(KeyboardInterrupt, match="SIGTERM"),
        processes.stopping_on_signals((signal.SIGTERM,)),
    ):
        signal.raise_signal(signal.SIGTERM)

    assert signal.getsignal(signal.SIGTERM) is before
