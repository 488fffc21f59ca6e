"""Spans are read by OpenTelemetry's own classes as they were written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tiergate.telemetry.otlp import (
    Kind,
    Parent,
    Span,
    read_parent,
    span_id,
    trace_id,
    write_request,
    write_resource,
    write_span,
)

TRACE, OWN, ABOVE = b"t" * 16, b"s" * 8, b"p" * 8


def read_back(*spans: Span):
    resource = write_resource({"service.name": "tiergate"})
    data = write_request(resource, [write_span(span) for span in spans], "1.0")
    return ExportTraceServiceRequest.FromString(data)


def test_a_span_arrives_whole():
    attributes = {
        "text": "é",
        "flag": True,
        "whole": -3,
        "real": 0.25,
        "list": ("a", "b"),
        "absent": None,
    }
    span = Span(TRACE, OWN, ABOVE, "chat cheap", Kind.SERVER, 1.5, 2.0, attributes, "it broke")

    found = read_back(span)

    (resource,) = found.resource_spans
    assert resource.resource.attributes[0].value.string_value == "tiergate"
    (scope,) = resource.scope_spans
    assert (scope.scope.name, scope.scope.version) == ("tiergate", "1.0")
    (read,) = scope.spans
    assert (read.trace_id, read.span_id, read.parent_span_id) == (TRACE, OWN, ABOVE)
    assert (read.name, read.kind) == ("chat cheap", 2)
    assert (read.start_time_unix_nano, read.end_time_unix_nano) == (1_500_000_000, 2_000_000_000)
    assert (read.status.code, read.status.message) == (Status.STATUS_CODE_ERROR, "it broke")
    values = {each.key: each.value for each in read.attributes}
    assert values.keys() == {"text", "flag", "whole", "real", "list"}
    assert values["text"].string_value == "é"
    assert values["flag"].bool_value is True
    assert values["whole"].int_value == -3
    assert values["real"].double_value == 0.25
    assert [each.string_value for each in values["list"].array_value.values] == ["a", "b"]


def test_a_good_span_without_a_parent_says_neither():
    (read,) = (
        read_back(Span(TRACE, OWN, b"", "x", Kind.CLIENT, 1.0, 1.0))
        .resource_spans[0]
        .scope_spans[0]
        .spans
    )
    assert read.parent_span_id == b""
    assert read.status.code == Status.STATUS_CODE_UNSET


@given(st.dictionaries(st.text(), st.text() | st.integers(-(2**63), 2**63 - 1) | st.booleans()))
def test_any_attributes_can_be_read_back(attributes):
    span = Span(TRACE, OWN, b"", "x", Kind.CLIENT, 1.0, 1.0, attributes)
    (read,) = read_back(span).resource_spans[0].scope_spans[0].spans
    assert len(read.attributes) == len(attributes)


def test_a_traceparent_names_trace_span_and_sampling():
    header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert read_parent(header) == Parent(
        bytes.fromhex("0af7651916cd43dd8448eb211c80319c"), bytes.fromhex("b7ad6b7169203331"), True
    )
    found = read_parent(header[:-1] + "0")
    assert found is not None
    assert not found.sampled


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
        "00-zzf7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ],
)
def test_what_is_no_traceparent_is_no_parent(header: str):
    assert read_parent(header) is None


def test_a_later_version_of_the_header_is_read_by_its_known_part():
    header = "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"
    assert read_parent(header) is not None


def test_a_trace_that_is_named_by_its_id_has_it():
    own = "0af7651916cd43dd8448eb211c80319c"
    assert trace_id(own).hex() == own
    for other in ("my trace", "0" * 32, "z" * 32):
        assert len(trace_id(other)) == 16
        assert any(trace_id(other))
    assert trace_id("a") == trace_id("a") != trace_id("b")
    assert len(span_id("a")) == 8
