"""Where answers are in a bucket, and what is said when it does not answer.

The battery (tests/battery/stores/test_answers.py) asks a real server that speaks S3.
"""

from __future__ import annotations

import pytest

from tiergate.base.values import Secret
from tiergate.core.cache_plan import BucketPlan
from tiergate.ports import StoreDownError
from tiergate.stores.answers_s3 import BucketAnswers

NOBODY = BucketPlan(
    name="b",
    path="some/path",
    endpoint="http://127.0.0.1:1",
    key_id="id",
    secret=Secret("secret-key"),
    token=Secret("token"),
)


@pytest.mark.parametrize(
    ("path", "expected"), [("", "ns/t1/abc"), ("some/path", "some/path/ns/t1/abc")]
)
def test_the_parts_of_a_key_are_folders(path, expected):
    assert BucketAnswers(BucketPlan(name="b", path=path))._path("ns:t1:abc") == expected


def test_it_is_called_by_bucket_and_address():
    assert BucketAnswers(NOBODY).place == "bucket b at http://127.0.0.1:1"
    assert BucketAnswers(BucketPlan(name="b")).place == "bucket b at S3 in us-east-1"
    region = BucketPlan(name="b", region="eu-west-1")
    assert BucketAnswers(region).place == "bucket b at S3 in eu-west-1"


async def test_a_server_that_is_not_there_is_told_without_the_login():
    store = BucketAnswers(NOBODY, 0.5)
    for asking in (
        store.read("ns:k"),
        store.write("ns:k", b"x", 5),
        store.remove(["ns:k"]),
        store.clear("ns"),
        store.ping(),
    ):
        with pytest.raises(StoreDownError) as caught:
            await asking
        assert str(caught.value).startswith("bucket b at http://127.0.0.1:1: ")
        assert "secret-key" not in str(caught.value)
        assert "\n" not in str(caught.value)
    assert (await store.figures()).kind == "s3"
    await store.aclose()
