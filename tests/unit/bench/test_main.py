from bench import __main__ as command
from bench import machines


def test_a_machine_without_the_tools_is_told_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(machines, "find_program", lambda _: None)

    assert command.main(["--quick"]) == 2
    assert "apt-get install nginx wrk" in capsys.readouterr().err


def test_a_peer_that_is_not_installed_stops_the_run_before_it_begins(monkeypatch, capsys):
    tools = machines.Tools("nginx", "wrk")
    monkeypatch.setattr(machines, "find_tools", lambda: tools)

    status = command.main(["--tiergate", "sh {port}", "--peer", "no-such-gateway {port}"])

    assert status == 2
    assert "no program 'no-such-gateway'" in capsys.readouterr().err
