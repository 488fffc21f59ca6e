"""Names of metrics and labels; that they are those of the page is told in its own test."""

from __future__ import annotations

from tiergate.core.metric_names import LABELS, LITELLM_LABELS, NOT_SERVED, SERVED


def test_a_name_is_either_served_or_not():
    assert not SERVED & NOT_SERVED
    assert not LABELS & LITELLM_LABELS


def test_counters_are_named_without_their_ending():
    assert not [name for name in SERVED | NOT_SERVED if name.endswith("_total")]
    assert all(name.startswith(("litellm_", "tiergate_")) for name in SERVED | NOT_SERVED)
