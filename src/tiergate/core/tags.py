"""What a request says of itself, and which deployments that selects; not how one is picked.

Two kinds of names travel in one list. *Environments* (the names that occur in
`model_info.supported_environments`) constrain: a deployment that lists environments may only be
used by requests that name none, or only listed ones. *Tags* (`litellm_params.tags`) select: a
tagged request goes to deployments that share a tag. A leading `!` excludes and `&` requires, as
in LiteLLM (BerriAI/litellm pull requests 31728 and 36193); the rest of such a tag is compared
literally, never as a pattern.
"""

from __future__ import annotations

from dataclasses import dataclass

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json
from tiergate.base.remembering import remember

DEFAULT_TAG = "default"
"""LiteLLM's name for the deployments that take whatever no other tag claims."""

MOST_TAGS = 64
LONGEST_TAG = 256

_MOST_REMEMBERED = 1000
_SHORT = 8
"""A list of more tags than this is read anew each time, so that what is remembered stays small."""


@dataclass(frozen=True, slots=True)
class RequestTags:
    """The tags of one request, sorted by what they do.

    Attributes:
        tags: Tags that select; one common tag is enough, unless `tag_filtering_match_any: false`.
        environments: Environments the request names; a deployment must allow every one.
        required: Tags written `&x`; a deployment must carry every one.
        excluded: Tags written `!x`; a deployment must carry none.
    """

    tags: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the tags as the caller wrote them, for messages; cut when very long."""
        words = [
            *self.environments,
            *self.tags,
            *(f"&{tag}" for tag in self.required),
            *(f"!{tag}" for tag in self.excluded),
        ]
        text = ", ".join(words) or "none"
        return text if len(text) <= LONGEST_TAG else text[: LONGEST_TAG - 3] + "..."


NO_TAGS = RequestTags()


def parse_tags(value: Json, place: str) -> tuple[str, ...]:
    """Read a JSON list of tags; null and absent mean none.

    Args:
        value: What the request holds at that place.
        place: Where it stands (`metadata.tags`), for the message.

    Raises:
        Refused: 400, when the value is not a list of non-empty printable strings.
    """
    if value is None:
        return ()
    if not isinstance(value, list):
        raise _malformed(place, f"it must be a list of strings, not {_kind(value)}")
    if len(value) > MOST_TAGS:
        raise _malformed(place, f"it has {len(value)} tags; at most {MOST_TAGS} are taken")
    return tuple(_one(tag, place) for tag in value)


def parse_tag_header(value: str, place: str = "x-litellm-tags") -> tuple[str, ...]:
    """Read a comma list of tags from a header; spaces around a tag and empty places are dropped.

    Raises:
        Refused: 400, when a tag is not printable or there are too many.
    """
    parts = [part for part in value.split(",") if part.strip()]
    if len(parts) > MOST_TAGS:
        raise _malformed(place, f"it has {len(parts)} tags; at most {MOST_TAGS} are taken")
    return tuple(_one(part, place) for part in parts)


def sort_tags(raw: tuple[str, ...], environment_names: frozenset[str]) -> RequestTags:
    """Sort raw tags by what they do; repetitions are dropped, the order is kept.

    `&x` with an environment's name is that environment: it is a requirement already.
    """
    if not raw:
        return NO_TAGS
    tags: dict[str, None] = {}
    environments: dict[str, None] = {}
    required: dict[str, None] = {}
    excluded: dict[str, None] = {}
    for tag in raw:
        bare = tag[1:] if tag[0] in "!&" and len(tag) > 1 else tag
        if bare is not tag and tag[0] == "!":
            excluded[bare] = None
        elif bare in environment_names:
            environments[bare] = None
        elif bare is not tag:
            required[bare] = None
        else:
            tags[tag] = None
    return RequestTags(tuple(tags), tuple(environments), tuple(required), tuple(excluded))


class TagReader:
    """Reads tags by one configuration's environments, and remembers what it has read.

    The requests of one program carry the same few tags, so most are read once.
    """

    __slots__ = ("_environments", "_headers", "_sorted")

    def __init__(self, environment_names: frozenset[str]) -> None:
        self._environments = environment_names
        self._headers: dict[str, tuple[str, ...]] = {}
        self._sorted: dict[tuple[str, ...], RequestTags] = {}

    def header(self, text: str) -> tuple[str, ...]:
        """Read the header `x-litellm-tags`; see `parse_tag_header`."""
        known = self._headers.get(text)
        if known is None:
            known = parse_tag_header(text)
            if len(text) <= LONGEST_TAG:
                remember(self._headers, text, known, _MOST_REMEMBERED)
        return known

    def sort(self, raw: tuple[str, ...]) -> RequestTags:
        """Sort raw tags by what they do; see `sort_tags`."""
        known = self._sorted.get(raw)
        if known is None:
            known = sort_tags(raw, self._environments)
            if len(raw) <= _SHORT:
                remember(self._sorted, raw, known, _MOST_REMEMBERED)
        return known


def allows_environments(listed: tuple[str, ...], asked: RequestTags) -> bool:
    """Tell whether a deployment with these `supported_environments` may serve the request."""
    if not listed:
        return True
    if any(name in listed for name in asked.excluded):
        return False
    return all(name in listed for name in asked.environments)


def choose_by_tags(
    carried: tuple[frozenset[str], ...], asked: RequestTags, *, match_any: bool
) -> tuple[bool, ...]:
    """Tell for each deployment of an alias whether the request's tags lead to it.

    Args:
        carried: The tags of each deployment (`litellm_params.tags`).
        asked: The request's tags.
        match_any: True when one common tag is enough; False when all the request's tags must
            be carried (`tag_filtering_match_any`).

    A tagged request goes to deployments that share a tag, else to the `default` ones. An untagged
    one goes to the `default` ones, else to untagged deployments; never to a tagged one by chance.
    A request that only excludes may use every other deployment, `default` ones first. What is
    required or excluded holds for the `default` deployments too.
    """
    known = frozenset[str]().union(*carried)
    wanted = frozenset((*asked.tags, *(name for name in asked.environments if name in known)))
    may = tuple(_may(tags, asked) for tags in carried)
    default = tuple(ok and DEFAULT_TAG in tags for ok, tags in zip(may, carried, strict=True))
    if wanted:
        shared = tuple(
            ok and bool(wanted & tags if match_any else wanted <= tags)
            for ok, tags in zip(may, carried, strict=True)
        )
        return shared if any(shared) else default
    if asked.required:
        return may
    if any(default):
        return default
    if asked.excluded:
        return may
    return tuple(ok and not tags for ok, tags in zip(may, carried, strict=True))


def _may(carried: frozenset[str], asked: RequestTags) -> bool:
    return carried.issuperset(asked.required) and carried.isdisjoint(asked.excluded)


def _one(tag: Json, place: str) -> str:
    if not isinstance(tag, str):
        raise _malformed(place, f"each tag must be a string, not {_kind(tag)}")
    text = tag.strip()
    if not text:
        raise _malformed(place, "a tag is empty")
    if len(text) > LONGEST_TAG:
        raise _malformed(
            place, f"a tag has {len(text)} characters; at most {LONGEST_TAG} are taken"
        )
    if not text.isprintable():
        raise _malformed(place, "a tag holds a character that cannot be printed")
    return text


def _malformed(place: str, what: str) -> Refused:
    return Refused(
        400,
        f'`{place}` cannot be read: {what}. Send for example ["interactive"].',
        code="malformed_tags",
        param=place,
    )


def _kind(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case dict():
            return "an object"
