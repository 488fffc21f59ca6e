"""Several sinks hear the same, in order."""

from __future__ import annotations

from support.engine import Witness
from support.records import DEPLOYMENT, FAILURE, SERVED
from tiergate.base.values import Dialect, Operation
from tiergate.wiring.observers import Observers


def test_every_sink_hears_everything():
    one, other = Witness(), Witness()
    both = Observers([one, other])

    both.began()
    both.attempt_failed(DEPLOYMENT, FAILURE)
    both.cooled(DEPLOYMENT, FAILURE, 5.0)
    both.refused(Dialect.OPENAI, Operation.CHAT, 401, 0.0)
    both.ended(SERVED)

    for sink in (one, other):
        assert sink.in_flight == 0
        assert sink.failures == [("dep-b", FAILURE)]
        assert sink.cooldowns == [("dep-b", 5.0)]
        assert sink.refusals == [401]
        assert sink.records == [SERVED]


def test_nobody_need_listen():
    Observers([]).ended(SERVED)
