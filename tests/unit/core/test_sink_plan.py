"""Plans of sinks: words are taken only where a sink wants them; logins are not shown."""

from __future__ import annotations

from tiergate.core.sink_plan import (
    NO_SINKS,
    AlertPlan,
    FilePlace,
    SinkPlan,
    SinkPlans,
    WebhookPlace,
)


def test_words_are_wanted_as_soon_as_one_sink_wants_them():
    plain = SinkPlan(name="file", place=FilePlace())
    wordy = SinkPlan(name="f2", place=FilePlace(), words=True)

    assert not NO_SINKS.words
    assert not SinkPlans(sinks=(plain,)).words
    assert SinkPlans(sinks=(plain, wordy)).words


def test_addresses_and_headers_are_not_shown():
    place = WebhookPlace(url="http://h/secret", headers=(("a", "secret"),))
    assert "secret" not in repr(SinkPlan(name="webhook", place=place))
    assert "secret" not in repr(AlertPlan(address="http://h/secret"))
