import pytest
from bench import scenarios
from bench.scenarios import SCENARIOS, Kind


def test_every_scenario_has_a_name_and_a_title_of_its_own():
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)
    assert len({scenario.title for scenario in SCENARIOS}) == len(SCENARIOS)


def test_every_kind_of_measurement_is_used():
    assert {scenario.kind for scenario in SCENARIOS} == set(Kind)


def test_no_names_mean_all_scenarios():
    assert scenarios.named(()) == SCENARIOS


def test_chosen_scenarios_keep_the_tables_order():
    assert [s.name for s in scenarios.named(("hold", "start"))] == ["start", "hold"]


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="unknown scenario 'fast'; there are: bare, hold"):
        scenarios.named(("fast",))


def test_a_scenario_speaks_anthropic_only_to_an_anthropic_alias():
    for scenario in SCENARIOS:
        if scenario.dialect is scenarios.Dialect.ANTHROPIC:
            assert scenario.alias.endswith("-anthropic")
