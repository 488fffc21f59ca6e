"""What request tags mean: parsing, sorting, and the choice they make."""

from __future__ import annotations

import pytest

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json
from tiergate.core import tags
from tiergate.core.tags import (
    LONGEST_TAG,
    MOST_TAGS,
    NO_TAGS,
    RequestTags,
    allows_environments,
    choose_by_tags,
    parse_tag_header,
    parse_tags,
    sort_tags,
)

ENVIRONMENTS = frozenset({"interactive", "offline", "critical"})


def carried(*tags: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(words.split()) for words in tags)


@pytest.mark.parametrize(
    ("value", "tags"), [(None, ()), ([], ()), (["a", " b "], ("a", "b")), (["a:b"], ("a:b",))]
)
def test_a_list_of_strings_is_a_list_of_tags(value: Json, tags: tuple[str, ...]) -> None:
    assert parse_tags(value, "tags") == tags


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("interactive", "a string"),
        (5, "a number"),
        (1.5, "a number"),
        (True, "a boolean"),
        ({"a": 1}, "an object"),
        ([1], "a number"),
        ([None], "null"),
        ([["a"]], "a list"),
        ([""], "empty"),
        (["  "], "empty"),
        (["a\nb"], "printed"),
        (["x" * (LONGEST_TAG + 1)], "257 characters"),
        (["a"] * (MOST_TAGS + 1), "65 tags"),
    ],
)
def test_a_malformed_tag_is_a_400_that_names_the_place(value: Json, word: str) -> None:
    with pytest.raises(Refused) as told:
        parse_tags(value, "metadata.tags")

    assert told.value.status == 400
    assert told.value.param == "metadata.tags"
    assert "metadata.tags" in told.value.message
    assert word in told.value.message


def test_a_header_is_a_comma_list() -> None:
    assert parse_tag_header(" a, b,,c ") == ("a", "b", "c")
    assert parse_tag_header("") == ()


@pytest.mark.parametrize("value", ["a,b\x07", "a," * (MOST_TAGS + 1)])
def test_a_malformed_header_is_a_400(value: str) -> None:
    with pytest.raises(Refused) as told:
        parse_tag_header(value)

    assert (told.value.status, told.value.param) == (400, "x-litellm-tags")


def test_tags_are_sorted_by_what_they_do() -> None:
    raw = ("paid", "interactive", "&fast", "!slow", "paid", "&critical", "!offline", "!", "&")

    assert sort_tags(raw, ENVIRONMENTS) == RequestTags(
        tags=("paid", "!", "&"),
        environments=("interactive", "critical"),
        required=("fast",),
        excluded=("slow", "offline"),
    )
    assert sort_tags((), ENVIRONMENTS) is NO_TAGS


def test_tags_are_shown_as_they_were_written_and_cut_when_long() -> None:
    assert str(sort_tags(("paid", "&fast", "!slow", "offline"), ENVIRONMENTS)) == (
        "offline, paid, &fast, !slow"
    )
    assert str(NO_TAGS) == "none"
    assert len(str(RequestTags(tags=tuple("x" * 50 for _ in range(9))))) == LONGEST_TAG


@pytest.mark.parametrize(
    ("listed", "asked", "allowed"),
    [
        ((), RequestTags(environments=("critical",)), True),
        (("interactive",), NO_TAGS, True),
        (("interactive", "offline"), RequestTags(environments=("interactive",)), True),
        (("interactive",), RequestTags(environments=("critical",)), False),
        (("interactive",), RequestTags(environments=("interactive", "critical")), False),
        (("interactive",), RequestTags(excluded=("interactive",)), False),
        ((), RequestTags(excluded=("interactive",)), True),
    ],
)
def test_environments_constrain(
    listed: tuple[str, ...], asked: RequestTags, allowed: bool
) -> None:
    assert allows_environments(listed, asked) is allowed


@pytest.mark.parametrize(
    ("tags", "asked", "chosen"),
    [
        # tagged: those that share a tag, else the default ones
        (("fast", "slow", "default"), RequestTags(tags=("fast",)), "a"),
        (("fast", "slow", "default"), RequestTags(tags=("fast", "slow")), "ab"),
        (("fast", "slow", "default"), RequestTags(tags=("gone",)), "c"),
        (("fast", "slow"), RequestTags(tags=("gone",)), ""),
        (("fast", ""), RequestTags(tags=("gone",)), ""),
        # untagged: the default ones, else the untagged ones
        (("fast", "slow", "default"), NO_TAGS, "c"),
        (("fast", "slow", ""), NO_TAGS, "c"),
        (("fast", "slow"), NO_TAGS, ""),
        # excluded
        (("fast", "slow", "default"), RequestTags(excluded=("slow",)), "c"),
        (("fast", "slow"), RequestTags(excluded=("slow",)), "a"),
        (("fast eu", "fast us"), RequestTags(tags=("fast",), excluded=("us",)), "a"),
        (("fast", "default eu"), RequestTags(tags=("gone",), excluded=("eu",)), ""),
        # required
        (("fast eu", "fast us", "default"), RequestTags(required=("fast", "us")), "b"),
        (("fast eu", "fast us"), RequestTags(tags=("fast",), required=("us",)), "b"),
        (("fast", "default"), RequestTags(required=("gone",)), ""),
        # an environment's name that deployments carry as a tag selects as well
        (("interactive", "default"), RequestTags(environments=("interactive",)), "a"),
        (("fast", "default"), RequestTags(environments=("interactive",)), "b"),
    ],
)
def test_tags_select(tags: tuple[str, ...], asked: RequestTags, chosen: str) -> None:
    fits = choose_by_tags(carried(*tags), asked, match_any=True)

    assert "".join(name for name, fit in zip("abcdef", fits, strict=False) if fit) == chosen


def test_all_tags_must_match_where_the_file_says_so() -> None:
    asked = RequestTags(tags=("fast", "eu"))

    assert choose_by_tags(carried("fast", "fast eu"), asked, match_any=False) == (False, True)
    assert choose_by_tags(carried("fast", "default"), asked, match_any=False) == (False, True)


# ------------------------------------------------------------------ what is remembered


def test_a_reader_reads_as_the_functions_do_again_and_again():
    reader = tags.TagReader(frozenset({"critical"}))
    for _ in range(3):
        assert reader.header(" a, critical ,,!b") == tags.parse_tag_header(" a, critical ,,!b")
        raw = ("a", "critical", "!b")
        assert reader.sort(raw) == tags.sort_tags(raw, frozenset({"critical"}))
    assert reader.sort(raw) is reader.sort(tuple(raw))


def test_a_reader_refuses_what_cannot_be_read_every_time():
    reader = tags.TagReader(frozenset())
    for _ in range(2):
        with pytest.raises(Refused):
            reader.header("a,\x00")


def test_a_reader_remembers_a_bounded_number_of_lists():
    reader = tags.TagReader(frozenset())
    for number in range(5000):
        assert reader.header(f"t{number}") == (f"t{number}",)
        assert reader.sort((f"t{number}",)).tags == (f"t{number}",)
    reader.header("x" * 200 + "," + "y" * 200)
    reader.sort(tuple(f"t{number}" for number in range(60)))
    assert max(len(reader._headers), len(reader._sorted)) <= 1000
    assert all(len(text) <= 256 for text in reader._headers)
    assert all(len(raw) <= 8 for raw in reader._sorted)
