"""The command `python -m bench`: sets up the run, hands it over, prints and keeps the report.

Exit status: 0 when every round gave figures, 1 when one failed, 2 when something is missing.
"""

import datetime as dt
import importlib.metadata
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import document, gateways, machines, profiling, report, rounds
from bench.client import WrongAnswerError
from bench.load import LoadFailedError
from bench.machines import Machine, MissingToolError
from bench.options import Options, Task, parse
from bench.processes import ProcessFailedError, stopping_on_signals
from bench.record import Contender, Disturbance, Record
from bench.rounds import Results

_ROOT = Path(__file__).resolve().parent.parent
_PAGE = _ROOT / "docs" / "performance.md"
_WATCH_SECONDS = 2.0
_FAULTS = (ProcessFailedError, LoadFailedError, WrongAnswerError)
_NOT_WRITTEN = " The page keeps its last good run."


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments ask; returns the exit status."""
    options = parse(arguments)
    try:
        tools = machines.find_tools()
        contenders = _contenders(options)
        with stopping_on_signals((signal.SIGTERM, signal.SIGHUP)):
            return _run(options, tools, contenders)
    except MissingToolError as error:
        _tell(str(error))
        return 2
    except (*_FAULTS, document.MarkError, OSError) as error:
        _tell(f"The run failed: {error}")
        return 1
    except KeyboardInterrupt:
        _tell("Stopped before the end; nothing was written.")
        return 1


def _contenders(options: Options) -> tuple[Contender, ...]:
    """The gateways to measure, all of them startable as far as one can see.

    Raises:
        MissingToolError: a gateway's program is not there.
    """
    found = (gateways.yardstick(), gateways.subject(options.subject_command), *options.peers)
    for contender in found:
        fault = gateways.check_command(contender)
        if fault is not None:
            raise MissingToolError(fault)
    return found


def _run(options: Options, tools: machines.Tools, contenders: tuple[Contender, ...]) -> int:
    machines.raise_open_file_limit()
    cores = machines.usable_cores()
    layout = machines.lay_out(cores)
    machine = machines.describe(tools, len(cores))
    _tell(f"Cores: {layout.words()}.")
    with (
        tempfile.TemporaryDirectory(prefix="tiergate-bench-") as folder,
        gateways.upstreams(tools, layout, Path(folder)) as site,
        machines.running_on(layout.generator),
    ):
        if options.task is Task.PROFILE:
            return _profile(options, site, contenders[1])
        return _bench(options, site, contenders, machine)


def _profile(options: Options, site: gateways.Site, subject: Contender) -> int:
    text = profiling.profile(site, subject, _tell)
    sys.stdout.write(text + "\n")
    if options.write:
        document.write(_PAGE, document.PROFILE, text)
    return 0


def _bench(
    options: Options, site: gateways.Site, contenders: tuple[Contender, ...], machine: Machine
) -> int:
    begun = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
    results = Results(_tell)
    before = machines.other_work(_WATCH_SECONDS)
    rounds.run_all(site, contenders, options.scenarios, options.effort, results)
    after = machines.other_work(_WATCH_SECONDS)
    record = Record(
        begun=begun,
        version=_version(),
        machine=machine,
        layout=site.layout.words(),
        disturbance=Disturbance(before, after),
        effort=options.effort,
        contenders=contenders,
        samples=tuple(results.samples),
        failures=tuple(results.failures),
    )
    text = report.markdown(record)
    sys.stdout.write("\n" + text)
    if options.json_file is not None:
        options.json_file.write_text(record.as_json(), encoding="utf-8")
    if record.disturbance.serious:
        _tell("The machine was busy with other work: repeat the run before believing it.")
    if record.failures:
        _tell(f"{len(record.failures)} rounds failed." + (_NOT_WRITTEN if options.write else ""))
        return 1
    if options.write:
        document.write(_PAGE, document.RESULTS, text)
    return 0


def _version() -> str:
    """The installed version of Tiergate, with the commit where this is a checkout."""
    try:
        version = importlib.metadata.version("tiergate")
    except importlib.metadata.PackageNotFoundError:
        version = "not installed"
    try:
        done = subprocess.run(
            ("git", "-C", str(_ROOT), "describe", "--always", "--dirty"),
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return version
    commit = done.stdout.strip()
    return f"{version}, commit {commit}" if done.returncode == 0 and commit else version


def _tell(message: str) -> None:
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
