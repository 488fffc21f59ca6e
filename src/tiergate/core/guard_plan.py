"""What the configuration says of guards: which there are, when each looks, and whom each binds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from tiergate.base.jsontypes import Json
from tiergate.base.values import Position


class Stage(Enum):
    """When a guard looks."""

    PRE_CALL = "pre_call"
    """Before everything, also before the response cache; what it masks reaches no provider."""
    DURING_CALL = "during_call"
    """Beside the call; the answer waits until it has decided."""
    POST_CALL = "post_call"
    """At the answer, plain or streamed, from a provider or from a cache."""
    LOGGING_ONLY = "logging_only"
    """At both, when all is over; it changes and stops nothing."""


class OnError(Enum):
    """What becomes of a call whose guard could not decide."""

    BLOCK = "block"
    ALLOW = "allow"


_NO_STAGES: Mapping[str, frozenset[Stage]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Modes:
    """When a guard looks, by the tags of a request.

    Tags of a request are the caller's own word, so they only add stages; the usual ones are left
    out only where a tag of the key, which its administrator has set, says so.

    Attributes:
        usual: The stages where no tag says otherwise.
        by_tag: The stages of requests with a tag.
    """

    usual: frozenset[Stage]
    by_tag: Mapping[str, frozenset[Stage]] = field(default_factory=lambda: _NO_STAGES)

    def of(self, tags: Collection[str], key_tags: Collection[str]) -> frozenset[Stage]:
        """Return the stages of a request.

        Args:
            tags: All tags of the request, those of its key included.
            key_tags: Those of its key.
        """
        if not self.by_tag:
            return self.usual
        found = self.usual if self.by_tag.keys().isdisjoint(key_tags) else frozenset[Stage]()
        return found.union(*(self.by_tag[tag] for tag in tags if tag in self.by_tag))

    @property
    def all(self) -> tuple[Stage, ...]:
        """Every stage that can be, in the order of a call."""
        found = self.usual.union(*self.by_tag.values())
        return tuple(stage for stage in Stage if stage in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which texts of a request a guard is shown.

    Attributes:
        skip_system: Not the system prompt.
        skip_tools: Not the results of tools.
        only_tool_results: The results of tools and nothing else.
        only_new: Only what stands behind the last message of the assistant.
    """

    skip_system: bool = False
    skip_tools: bool = False
    only_tool_results: bool = False
    only_new: bool = False


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class ClassOptions:
    """A guard that is a Python class.

    Attributes:
        target: `module.Class`.
        folder: Where its module stands: the folder of the configuration file.
        arguments: What its constructor gets beside what LiteLLM gives each of them.
    """

    target: str
    folder: str
    arguments: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardPlan:
    """One guard of the configuration.

    Attributes:
        name: By which requests and keys ask for it.
        kind: What it is, in the file's word: `regex`, `presidio`, `my_guards.Mine`.
        modes: When it looks.
        default_on: It binds every request.
        options: Of its kind; opaque to all but who builds it.
        on_error: What becomes of a call when it could not decide.
        timeout: Seconds that one look may take; None for the kind's own.
        message: What a blocked caller is told; empty for the engine's own words.
        scope: Which texts it is shown.
        info: `guardrail_info` of the file, for `/guardrails/list`.
        source: Where it stands.
    """

    name: str
    kind: str
    modes: Modes
    default_on: bool = False
    options: object = field(default=None, repr=False)
    on_error: OnError = OnError.BLOCK
    timeout: float | None = None
    message: str = ""
    scope: Scope = EVERYTHING
    info: Json = None
    source: Position = field(default_factory=lambda: Position("config", 0))


def unknown_names(asked: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    """Return the names that are no guard's, in their order."""
    return tuple(name for name in dict.fromkeys(asked) if name not in known)
