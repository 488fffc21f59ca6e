"""What is written here, Google's own library reads."""

from __future__ import annotations

import pytest
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.wrappers_pb2 import BytesValue, Int64Value, StringValue
from hypothesis import given
from hypothesis import strategies as st

from tiergate.telemetry import protobuf as pb


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_numbers(value: int):
    assert Int64Value.FromString(pb.number(1, value)).value == value


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_texts(value: str):
    assert StringValue.FromString(pb.text(1, value)).value == value


@given(st.binary(max_size=300))
def test_bytes_and_messages(value: bytes):
    assert BytesValue.FromString(pb.message(1, value)).value == value


@given(st.floats(allow_nan=False))
def test_floating_point_numbers(value: float):
    assert Value.FromString(pb.double(2, value)).number_value == value


def test_a_message_in_a_message():
    entry = pb.text(1, "name") + pb.message(2, pb.double(2, 1.5))
    assert dict(Struct.FromString(pb.message(1, entry)).fields)["name"].number_value == 1.5


def test_a_lone_surrogate_does_not_stop_the_batch():
    assert StringValue.FromString(pb.text(1, "a\ud800b")).value == "a?b"


@pytest.mark.parametrize("value", [0, 1, 2**64 - 1])
def test_64_bits(value: int):
    assert pb.fixed64(1, value)[1:] == value.to_bytes(8, "little")
