import pytest
from bench import profiling
from bench.profiling import Hotspot

STACKS = """\
process 9:"python -m thing";main (cli.py:1);serve (web.py:5) 30
process 9:"python -m thing";main (cli.py:1);serve (web.py:5);parse (sse.py:2) 60
process 9:"python -m thing";main (cli.py:1);parse (sse.py:2);parse (sse.py:2) 10
process 9:"python -m thing" 50

not a stack
"""


def test_hotspots_come_with_own_and_total_shares_most_own_time_first():
    assert profiling.parse_stacks(STACKS) == (
        Hotspot("parse (sse.py:2)", own=0.7, total=0.7),
        Hotspot("serve (web.py:5)", own=0.3, total=0.9),
        Hotspot("main (cli.py:1)", own=0.0, total=1.0),
    )


@pytest.mark.parametrize("text", ["", "nothing here"])
def test_no_stacks_are_no_hotspots(text):
    assert profiling.parse_stacks(text) == ()


def test_a_perf_report_is_stripped_of_its_comments():
    report = "# Samples: 5\n#\n\n    40.00%  [kernel]\n     5.00%  libc.so.6  \n\n"

    assert profiling.perf_lines(report) == ("40.00%  [kernel]", "5.00%  libc.so.6")


def test_a_missing_profiler_is_said_and_left_out(monkeypatch):
    said = []
    monkeypatch.setattr(profiling, "find_program", lambda _: None)

    text = profiling.profile(None, None, said.append)

    assert text == "No profile: neither py-spy nor perf is installed."
    assert [line.partition(" ")[0] for line in said] == ["py-spy", "perf"]
