"""What is said of the metrics page."""

from __future__ import annotations

from tiergate.core.metrics_plan import (
    ALL_METRICS,
    MetadataLabel,
    MetricGroup,
    MetricsPlan,
    TagLabel,
)


def test_without_a_word_everything_is_shown_and_nothing_added():
    assert not ALL_METRICS.selects
    assert ALL_METRICS.label_names == ()
    assert not ALL_METRICS.end_users


def test_added_labels_are_in_the_order_of_the_file():
    plan = MetricsPlan(
        tags=(TagLabel("tag_prod", "prod"),), metadata=(MetadataLabel("metadata_a", ("a",)),)
    )
    assert plan.label_names == ("metadata_a", "tag_prod")
    assert not plan.selects


def test_whatever_leaves_something_out_selects():
    for plan in (
        MetricsPlan(groups=(MetricGroup(frozenset({"x"})),)),
        MetricsPlan(without=frozenset({"x"})),
        MetricsPlan(without_labels=frozenset({"x"})),
    ):
        assert plan.selects
