"""Options of each kind of guard, as the configuration gives them. Values only.

What a guard does with its options is decided in `guards`; what a file may say, in `config`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias

from tiergate.base.jsontypes import Json
from tiergate.base.values import Secret


class Reaction(Enum):
    """What is to be done about a finding."""

    BLOCK = "block"
    MASK = "mask"
    LOG = "log"


class Direction(Enum):
    """Which side of a call a guard looks at, where its stages do not say it."""

    INPUT = "input"
    OUTPUT = "output"
    BOTH = "both"


# ------------------------------------------------------------------ patterns and words


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternRule:
    """One pattern to look for.

    Attributes:
        name: What a finding is called: the built-in pattern's name, or the user's own.
        reaction: What is to be done.
        pattern: The user's regular expression; empty for the built-in pattern `name`.
        ignore_case: Capital and small letters count as the same in the user's expression.
    """

    name: str
    reaction: Reaction
    pattern: str = ""
    ignore_case: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WordRule:
    """One word or phrase to look for; case does not count.

    Attributes:
        word: The word.
        reaction: What is to be done.
        whole: It counts as a whole word only, not inside a longer one.
    """

    word: str
    reaction: Reaction
    whole: bool = True


class Nearness(Enum):
    """How the words of a phrase may stand in a text."""

    EXACT = "exact"
    FUZZY = "fuzzy"
    PROXIMITY = "proximity"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseRule:
    """Several words that count together.

    Attributes:
        words: The words, in order.
        nearness: How they may stand.
        distance: Most words between two of them, for `PROXIMITY`.
    """

    words: tuple[str, ...]
    nearness: Nearness
    distance: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryRule:
    """Words and phrases of one subject, from a file of the user's.

    Attributes:
        name: The subject.
        reaction: What is to be done.
        keywords: Single words.
        phrases: Several words together.
        exceptions: A finding inside one of these texts does not count.
    """

    name: str
    reaction: Reaction
    keywords: tuple[str, ...] = ()
    phrases: tuple[PhraseRule, ...] = ()
    exceptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterOptions:
    """`litellm_content_filter`, `regex`, `deny_words`.

    Attributes:
        patterns: Patterns to look for.
        words: Words to look for.
        categories: Subjects to look for.
        pattern_format: What masks a pattern; `{pattern_name}` is its name in capitals.
        word_tag: What masks a word.
        seconds: How long one look may take.
    """

    patterns: tuple[PatternRule, ...] = ()
    words: tuple[WordRule, ...] = ()
    categories: tuple[CategoryRule, ...] = ()
    pattern_format: str = "[{pattern_name}_REDACTED]"
    word_tag: str = "[KEYWORD_REDACTED]"
    seconds: float = 1.0


# ------------------------------------------------------------------ secrets and personal data


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsOptions:
    """`secrets`, `hide-secrets`.

    Attributes:
        reaction: What is to be done.
        instead: What masks a secret.
        ignored: Names of built-in patterns that are not looked for.
        plugins: Detectors of the package detect-secrets that join in, each with its options;
            none named means all but the noisy ones, None that the package is not used.
        seconds: How long one look may take.
    """

    reaction: Reaction = Reaction.MASK
    instead: str = "[REDACTED]"
    ignored: frozenset[str] = frozenset()
    plugins: tuple[Mapping[str, Json], ...] | None = None
    seconds: float = 1.0


class PiiEngine(Enum):
    """What finds personal data."""

    PATTERNS = "patterns"
    PRESIDIO = "presidio"
    SERVICE = "service"


_NO_ENTITIES: Mapping[str, Reaction] = MappingProxyType({})
_NO_SCORES: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class PiiOptions:
    """`pii`, `presidio`.

    Attributes:
        engine: What finds personal data.
        entities: What to look for, in Presidio's names, with what is to be done; empty for all
            that the engine knows, masked.
        ignored: What is never a finding.
        scores: The least score of a finding by entity; `ALL` is for those not named.
        allowed: Texts that are no finding; case does not count.
        language: Of the texts, for Presidio.
        model: The spaCy model of Presidio in this process: a package or a folder.
        address: Of Presidio's analyzer, for the service.
        recognizers: Further recognizers in Presidio's JSON form.
        restores: Masked values are put back into the answer.
        direction: Which side is looked at.
        skip_system: System and developer messages are not looked at.
        seconds: How long one look may take.
    """

    engine: PiiEngine
    entities: Mapping[str, Reaction] = field(default_factory=lambda: _NO_ENTITIES)
    ignored: frozenset[str] = frozenset()
    scores: Mapping[str, float] = field(default_factory=lambda: _NO_SCORES)
    allowed: frozenset[str] = frozenset()
    language: str = "en"
    model: str = ""
    address: str = ""
    recognizers: tuple[Mapping[str, Json], ...] = ()
    restores: bool = False
    direction: Direction = Direction.BOTH
    skip_system: bool = False
    seconds: float = 1.0


# ------------------------------------------------------------------ the others


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthOptions:
    """`max_tokens`: how long a request may be; None where there is no limit.

    Attributes:
        tokens: Most tokens of the prompt.
        characters: Most characters of all its texts together.
        reaction: `BLOCK` or `LOG`.
    """

    tokens: int | None = None
    characters: int | None = None
    reaction: Reaction = Reaction.BLOCK


class Sensitivity(Enum):
    """Which rules count: with `LOW` only those that are hardly ever wrong."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectionOptions:
    """`prompt_injection`.

    Attributes:
        sensitivity: Which rules count.
        reaction: `BLOCK` or `LOG`.
        seconds: How long one look may take.
    """

    sensitivity: Sensitivity = Sensitivity.MEDIUM
    reaction: Reaction = Reaction.BLOCK
    seconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModerationOptions:
    """`openai_moderation`.

    Attributes:
        address: Of the endpoint, complete.
        key: For it; None where it asks for none.
        model: Which model judges.
        reaction: `BLOCK` or `LOG`.
    """

    address: str
    key: Secret | None = None
    model: str = "omni-moderation-latest"
    reaction: Reaction = Reaction.BLOCK


_NO_PARAMS: Mapping[str, Json] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteOptions:
    """`generic_guardrail_api`.

    Attributes:
        address: Of the endpoint, complete.
        key: Sent as `x-api-key`; None where it asks for none.
        headers: Sent with every request; values may be secret.
        forwarded: Names of the caller's headers that are sent on, in small letters.
        params: Sent as `additional_provider_specific_params`.
    """

    address: str
    key: Secret | None = None
    headers: tuple[tuple[str, Secret], ...] = ()
    forwarded: tuple[str, ...] = ()
    params: Mapping[str, Json] = field(default_factory=lambda: _NO_PARAMS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRule:
    """What is said of some tools.

    Attributes:
        id: Its name.
        tool: The tool's name: a regular expression for the whole name, or with `*` in it.
        allow: Whether they may be called.
        arguments: What the arguments at a path (`to[]`, `mail.subject`) must look like.
    """

    id: str
    tool: str
    allow: bool
    arguments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOptions:
    """`tool_permission`.

    Attributes:
        rules: In order; the first that fits a tool decides.
        allow: What holds where none fits.
        message: What a blocked caller is told, with `{tool_name}`, `{rule_id}` and
            `{default_message}`; empty for the guard's own words.
    """

    rules: tuple[ToolRule, ...] = ()
    allow: bool = False
    message: str = ""


GuardOptions: TypeAlias = (
    FilterOptions
    | SecretsOptions
    | PiiOptions
    | LengthOptions
    | InjectionOptions
    | ModerationOptions
    | RemoteOptions
    | ToolOptions
)
"""The options of one guard that Tiergate brings along."""
