"""What is recorded of a request that nobody served."""

from __future__ import annotations

from support.attempts import deployments, routes
from tiergate.base.errors import Failure, FailureClass
from tiergate.base.values import AliasName, Dialect, Operation
from tiergate.core.caller import Caller
from tiergate.core.entries import entry_of
from tiergate.core.plan import Call, Machine, Wish
from tiergate.core.purpose import Purpose
from tiergate.core.record import Outcome
from tiergate.core.routing import View
from tiergate.pipeline.course import Course
from tiergate.ports import Inbound
from tiergate.wire.members import Members

DOWN = Failure(FailureClass.UPSTREAM, 503, "It is down.", type="overloaded_error")
CALLER = Caller(name="build", key="ab" * 32, team="red")


def course() -> Course:
    alias = AliasName("cheap")
    inbound = Inbound(
        call_id="call-1",
        received=100.0,
        wall=1_790_000_000.0,
        dialect=Dialect.ANTHROPIC,
        operation=Operation.CHAT,
        asked="cheap",
        alias=alias,
        stream=True,
        include_usage=False,
        members=Members.read(b"{}"),
        tags=("critical",),
        user="anna",
        caller=CALLER,
        purpose=Purpose(ticket="T-1"),
    )
    wish = Wish(alias=alias)
    return Course(Machine(routes(deployments(cheap="a")), wish, inbound.received), inbound, wish)


def failed() -> Course:
    made = course()
    step = made.machine.next(View(marks={}), 100.0, lambda: 0.0)
    assert isinstance(step, Call)
    made.last = step
    made.machine.failed(DOWN, 101.0)
    made.upstream = 0.75
    return made


def test_a_request_that_called_nobody_names_no_deployment():
    record = course().record(Outcome.REFUSED, 429, None, 100.5)
    assert record.deployment is None
    assert (record.outcome, record.status, record.cost) == (Outcome.REFUSED, 429, None)
    assert (record.failure, record.error_type, record.message) == (None, None, None)


def test_a_failure_is_told_with_who_failed_last_and_why():
    record = failed().record(Outcome.FAILURE, 503, DOWN, 102.0)
    assert record.deployment is not None
    assert record.deployment.id == "a"
    assert (record.failure, record.error_type) == (FailureClass.UPSTREAM, "overloaded_error")
    assert record.message == "It is down."
    assert "cheap/a" in record.why


def test_time_is_told_apart_into_providers_and_gateway():
    record = failed().record(Outcome.FAILURE, 503, DOWN, 102.0)
    assert (record.seconds, record.upstream_seconds, record.overhead_seconds) == (2.0, 0.75, 1.25)


def test_overhead_is_never_below_nothing():
    """The upstream clock is read more often than the request's."""
    made = course()
    made.upstream = 3.0
    assert made.record(Outcome.CANCELLED, 499, None, 102.0).overhead_seconds == 0.0


def test_who_asked_and_what_for_goes_into_the_books():
    record = course().record(Outcome.REFUSED, 429, None, 100.5)
    assert (record.call_id, record.asked, record.dialect) == ("call-1", "cheap", Dialect.ANTHROPIC)
    assert (record.tags, record.user, record.caller) == (("critical",), "anna", CALLER)
    assert (record.purpose.ticket, record.stream) == ("T-1", True)


def test_refusals_on_the_way_are_in_the_cost_and_not_in_the_own_charge():
    made = failed()
    made.paid, made.parts = 700, 2
    record = made.record(Outcome.FAILURE, 503, DOWN, 102.0)
    assert (record.cost, record.paid) == (700, 700)
    assert entry_of(record).cost == 0


def test_failed_calls_labels_and_the_time_until_the_first_choice_are_told():
    made = failed()
    assert made.last is not None
    made.failed.append((made.last.deployment, DOWN))
    made.inbound.labels = (("squad", "blue"),)
    made.started = 100.25
    record = made.record(Outcome.FAILURE, 503, DOWN, 103.0)
    assert [(deployment.id, failure) for deployment, failure in record.failed] == [("a", DOWN)]
    assert (record.labels, record.queue_seconds) == ((("squad", "blue"),), 0.25)


def test_a_request_that_never_came_so_far_has_waited_all_its_time():
    record = course().record(Outcome.REFUSED, 429, None, 100.5)
    assert (record.failed, record.queue_seconds) == ([], 0.5)
