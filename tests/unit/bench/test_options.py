import pytest
from bench import options
from bench.options import Task
from bench.record import Role


def test_a_peer_is_named_by_the_word_before_the_equals_sign():
    peer = options.peer_of("litellm-1.108.7=env A=b litellm --port {port}")

    assert (peer.name, peer.command) == ("litellm-1.108.7", "env A=b litellm --port {port}")
    assert peer.role is Role.PEER


def test_a_peer_without_a_name_is_called_by_its_program():
    assert options.peer_of("/opt/bin/other-gateway --port={port}").name == "other-gateway"


@pytest.mark.parametrize("text", ["", "  "])
def test_a_peer_needs_a_command(text):
    with pytest.raises(ValueError, match="needs a command"):
        options.peer_of(text)


def test_seconds_are_divided_into_rounds_of_at_least_one():
    assert options.effort_of(60, quick=False).round_seconds == 12
    assert options.effort_of(2, quick=False).round_seconds == 1


def test_a_quick_run_is_small():
    quick, full = options.parse(["--quick"]).effort, options.parse([]).effort

    assert quick.rounds * quick.round_seconds <= 4
    assert quick.rounds < full.rounds
    assert full.streams_held == 1_000


def test_everything_asked_for_is_taken_over(tmp_path):
    file = tmp_path / "r.json"
    found = options.parse(
        [
            *("profile", "--only", "rest", "--only", "start", "--json", str(file), "--write"),
            *("--tiergate", "t {port}", "--peer", "a {port}", "--peer", "b=a {port}"),
        ]
    )

    assert found.task is Task.PROFILE
    assert [scenario.name for scenario in found.scenarios] == ["start", "rest"]
    assert [peer.name for peer in found.peers] == ["a", "b"]
    assert (found.json_file, found.write, found.subject_command) == (file, True, "t {port}")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "everything"], "unknown scenario 'everything'"),
        (["--peer", "a {port}", "--peer", "a {port}"], "a name of its own"),
        (["--peer", "nginx=a {port}"], "a name of its own"),
        (["--peer", ""], "needs a command"),
        (["guess"], "invalid choice"),
    ],
)
def test_arguments_without_sense_end_with_status_two(arguments, words, capsys):
    with pytest.raises(SystemExit) as stopped:
        options.parse(arguments)

    assert stopped.value.code == 2
    assert words in capsys.readouterr().err
