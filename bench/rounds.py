"""Takes the gateways in turn, scenario by scenario and round by round, and collects samples.

A round in which anything went wrong gives a failure and no figure. How one figure is taken is in
`measures`.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import assert_never

from bench import measures
from bench.client import WrongAnswerError
from bench.gateways import Config, Gateway, Site, gateway
from bench.load import LoadFailedError
from bench.measures import Metrics, Pacer
from bench.processes import ProcessFailedError
from bench.record import Contender, Effort, Failure, Metric, Role, Sample
from bench.scenarios import Kind, Pace, Scenario
from bench.streams import StreamRun

_FAULTS = (LoadFailedError, WrongAnswerError, ProcessFailedError, OSError)


@dataclass(slots=True)
class Results:
    """Samples and failures as they come, each told to the reader at once."""

    tell: Callable[[str], None]
    samples: list[Sample] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def take(
        self, scenario: Scenario, name: str, number: int, work: Callable[[], Metrics]
    ) -> None:
        """Do one round's work; keep its figures, or the reason why there are none."""
        place = f"  {scenario.name} #{number + 1} {name}: "
        try:
            metrics = work()
        except _FAULTS as error:
            reason = str(error) or type(error).__name__
            self.failures.append(Failure(scenario.name, name, number, reason))
            self.tell(f"{place}FAILED: {reason}")
        else:
            self.samples.append(Sample(scenario.name, name, number, metrics))
            shown = ", ".join(f"{metric.value} {value:,.4g}" for metric, value in metrics.items())
            self.tell(f"{place}{shown}")


def run_all(
    site: Site,
    contenders: Sequence[Contender],
    scenarios: Sequence[Scenario],
    effort: Effort,
    results: Results,
) -> None:
    """Run the scenarios, those of each configuration together.

    Gateways of one configuration run side by side for all its scenarios, and are taken in turn.
    """
    for config in Config:
        chosen = [scenario for scenario in scenarios if scenario.config is config]
        if chosen:
            with contextlib.ExitStack() as stack:
                gateways = _start_all(stack, site, contenders, config, chosen, results)
                _run_scenarios(site, gateways, chosen, effort, results)


def _start_all(
    stack: contextlib.ExitStack,
    site: Site,
    contenders: Sequence[Contender],
    config: Config,
    scenarios: Sequence[Scenario],
    results: Results,
) -> tuple[Gateway, ...]:
    """Start every gateway.

    A peer that cannot be started fails its scenarios, and the others go on. Without Tiergate or
    nginx there is nothing to compare, so that ends the run.
    """
    started: list[Gateway] = []
    for contender in contenders:
        results.tell(f"starting {contender.name} ({config.value})")
        try:
            started.append(stack.enter_context(gateway(site, contender, config)))
        except _FAULTS as error:
            if contender.role is not Role.PEER:
                raise
            results.tell(f"  FAILED: {error}")
            results.failures.extend(
                Failure(scenario.name, contender.name, 0, f"it did not start: {error}")
                for scenario in scenarios
            )
    return tuple(started)


def _run_scenarios(
    site: Site,
    gateways: tuple[Gateway, ...],
    scenarios: Sequence[Scenario],
    effort: Effort,
    results: Results,
) -> None:
    # What needs no load comes first, while the gateways are fresh.
    for scenario in scenarios:
        if scenario.kind is Kind.START:
            _starts(scenario, site, gateways, effort, results)
        elif scenario.kind is Kind.REST:
            for each in gateways:
                results.take(scenario, each.name, 0, partial(measures.at_rest, each, scenario))
    loaded = [s for s in scenarios if s.kind not in {Kind.START, Kind.REST}]
    if not loaded:
        return
    able, pacer = _try_out(gateways, effort, loaded, results)
    for scenario in loaded:
        _loaded(scenario, site, able, pacer, results)


def _try_out(
    gateways: tuple[Gateway, ...],
    effort: Effort,
    scenarios: Sequence[Scenario],
    results: Results,
) -> tuple[tuple[Gateway, ...], Pacer]:
    rates: dict[str, float] = {}
    for each in gateways:
        try:
            rates[each.name] = measures.try_out(each)
        except _FAULTS as error:
            results.tell(f"  trial of {each.name}: FAILED: {error}")
            results.failures.extend(
                Failure(scenario.name, each.name, 0, f"the trial failed: {error}")
                for scenario in scenarios
            )
        else:
            results.tell(f"  trial of {each.name}: about {rates[each.name]:,.0f} calls per second")
    return tuple(each for each in gateways if each.name in rates), Pacer(effort, rates)


def _starts(
    scenario: Scenario,
    site: Site,
    gateways: Sequence[Gateway],
    effort: Effort,
    results: Results,
) -> None:
    """The first start has been timed already; a peer may take half a minute, so once is all."""
    for each in gateways:
        results.take(scenario, each.name, 0, partial(_started, each))
        repeats = 1 if each.contender.role is Role.PEER else effort.starts
        for number in range(1, repeats):
            results.take(scenario, each.name, number, partial(_start_once, site, each, scenario))


def _started(running: Gateway) -> Metrics:
    return {Metric.START_S: running.start_seconds}


def _start_once(site: Site, running: Gateway, scenario: Scenario) -> Metrics:
    with gateway(site, running.contender, scenario.config) as again:
        return {Metric.START_S: again.start_seconds}


def _loaded(
    scenario: Scenario,
    site: Site,
    gateways: Sequence[Gateway],
    pacer: Pacer,
    results: Results,
) -> None:
    if scenario.pace is Pace.SLOWEST and not pacer.has_slow():
        return
    rounds = 1 if scenario.kind is Kind.HOLD else pacer.effort.rounds
    for number in range(rounds):
        direct = _Direct(scenario, site)
        for each in in_turn(gateways, number):
            results.take(
                scenario,
                each.name,
                number,
                partial(_measure, scenario, each, site, pacer, number, direct),
            )


@dataclass(slots=True)
class _Direct:
    """The direct streams of one round, played once for each number of streams at once."""

    scenario: Scenario
    site: Site
    runs: dict[int, StreamRun] = field(default_factory=dict)

    def run(self, at_once: int, total: int) -> StreamRun:
        if at_once not in self.runs:
            self.runs[at_once] = measures.direct_streams(self.scenario, self.site, at_once, total)
        return self.runs[at_once]


def _measure(
    scenario: Scenario, each: Gateway, site: Site, pacer: Pacer, number: int, direct: _Direct
) -> Metrics:
    match scenario.kind:
        case Kind.CLOSED:
            return measures.closed_loop(each, scenario, site, pacer)
        case Kind.PACED:
            return measures.paced(each, scenario, site, pacer, seed=number)
        case Kind.STREAM:
            at_once = pacer.streams_at_once(each.name)
            total = pacer.streams_per_round(each.name, scenario.script.seconds)
            return measures.streamed(each, scenario, direct.run(at_once, total), at_once, total)
        case Kind.HOLD:
            return measures.held(each, scenario, site, pacer)
        case Kind.START | Kind.REST:
            raise ValueError(f"{scenario.name} is measured without load")
        case _:
            assert_never(scenario.kind)


def in_turn(gateways: Sequence[Gateway], number: int) -> tuple[Gateway, ...]:
    """The order of a round: every other round goes backwards, so that a drift cancels out."""
    return tuple(gateways) if number % 2 == 0 else tuple(reversed(gateways))
