"""Formats figures as the cells of Markdown tables.

It decides how a number looks and what stands where there is none. Which cells make a table is
decided in `report`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.figures import Spread, paired_ratio, spread
from bench.record import Metric, Record, Role
from bench.scenarios import SCENARIOS, Kind, Scenario

NOTHING = "-"
FAILED = "failed"


def amount(value: float) -> str:
    """A number with about three digits that carry meaning, and commas in thousands."""
    if abs(value) >= 99.95:
        return f"{value:,.0f}"
    if abs(value) >= 9.995:
        return f"{value:.1f}"
    return f"{value:.2f}"


def ranged(figure: Spread | None, unit: str = "") -> str:
    """A figure as its median, with least and greatest where there was more than one round."""
    if figure is None:
        return NOTHING
    shown = f"{amount(figure.median)}{unit}"
    if figure.rounds == 1:
        return shown
    return f"{shown} ({amount(figure.least)} to {amount(figure.greatest)})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> str:
    """A Markdown table; its first `words` columns stand left, the others right."""
    rule = ["---" if number < words else "---:" for number in range(len(head))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *rows))


@dataclass(frozen=True, slots=True)
class Row:
    """One gateway in one scenario of a record: where the figures of a table's row come from."""

    record: Record
    scenario: Scenario
    gateway: str

    @property
    def failed(self) -> bool:
        """Whether any round failed, so that none of the figures is shown."""
        return self.record.failure(self.scenario.name, self.gateway) is not None

    def figure(self, metric: Metric, scale: float = 1.0) -> Spread | None:
        """A metric over its rounds, multiplied by `scale`; None where there is none."""
        values = self.record.figures(self.scenario.name, self.gateway, metric)
        return spread([value * scale for value in values.values()]) if values else None

    def full(self, metric: Metric, scale: float = 1.0, unit: str = "") -> str:
        """Median, least and greatest; or that the scenario failed."""
        return FAILED if self.failed else ranged(self.figure(metric, scale), unit)

    def middle(self, metric: Metric, scale: float = 1.0) -> str:
        """The median alone."""
        found = self.figure(metric, scale)
        return NOTHING if found is None else amount(found.median)

    def count(self, metric: Metric) -> str:
        """The median of a figure that counts things."""
        found = self.figure(metric)
        return NOTHING if found is None else f"{found.median:,.0f}"

    def percent(self, metric: Metric) -> str:
        """The median of a share, as whole percents."""
        found = self.figure(metric)
        return NOTHING if found is None else f"{found.median:.0%}"

    def milliseconds(self, metric: Metric) -> str:
        """The median of a time kept in microseconds."""
        return self.middle(metric, 1e-3)

    def times_nginx(self, metric: Metric) -> str:
        """The figure as a multiple of the yardstick's, round by round."""
        for yardstick in self.record.named(Role.YARDSTICK):
            if yardstick != self.gateway:
                return ranged(
                    paired_ratio(
                        self.record.figures(self.scenario.name, self.gateway, metric),
                        self.record.figures(self.scenario.name, yardstick, metric),
                    )
                )
        return NOTHING


def rows_of(record: Record, kind: Kind) -> tuple[Row, ...]:
    """Every scenario of a kind with every gateway that was measured, or failed, in it."""
    told = {(sample.scenario, sample.gateway) for sample in record.samples}
    told |= {(failure.scenario, failure.gateway) for failure in record.failures}
    return tuple(
        Row(record, scenario, contender.name)
        for scenario in SCENARIOS
        if scenario.kind is kind
        for contender in record.contenders
        if (scenario.name, contender.name) in told
    )
