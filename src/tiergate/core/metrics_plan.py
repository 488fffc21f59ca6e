"""What the configuration says of the metrics page: labels, bounds, what is hidden. Values only."""

from __future__ import annotations

from dataclasses import dataclass

MOST_SERIES = 5000
"""Sets of caller, alias and deployment that are counted apart; LiteLLM has no bound by default."""

MOST_TIMED = 200
"""The same for histograms, which have some twenty lines for each set."""


@dataclass(frozen=True, slots=True)
class MetadataLabel:
    """A label whose value stands in the metadata of requests, keys or teams.

    Attributes:
        name: Of the label, such as `metadata_squad`.
        path: Where the value stands: the names from the outermost object inwards.
    """

    name: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TagLabel:
    """A label that says `true` where a request carries a tag, else `false`.

    Attributes:
        name: Of the label, such as `tag_batch_job`.
        pattern: The tag; `*` stands for any text.
    """

    name: str
    pattern: str


@dataclass(frozen=True, slots=True)
class MetricGroup:
    """Metrics that are shown, and with which labels (None: all of theirs)."""

    metrics: frozenset[str]
    labels: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsPlan:
    """Everything that is said of the page.

    Attributes:
        end_users: Whether `end_user` is filled.
        email_label: Whether deployments and times tell callers apart by `user_email` too.
        alias_label: Whether they do so by `api_key_alias`.
        stream_label: Whether requests are told apart by whether a stream was asked for.
        metadata: Labels out of metadata.
        tags: Labels for tags.
        groups: What is shown; empty for everything.
        without: Metrics that are never shown.
        without_labels: Labels that no metric has.
        most_series: See `MOST_SERIES`.
        most_timed: See `MOST_TIMED`.
    """

    end_users: bool = False
    email_label: bool = False
    alias_label: bool = True
    stream_label: bool = False
    metadata: tuple[MetadataLabel, ...] = ()
    tags: tuple[TagLabel, ...] = ()
    groups: tuple[MetricGroup, ...] = ()
    without: frozenset[str] = frozenset()
    without_labels: frozenset[str] = frozenset()
    most_series: int = MOST_SERIES
    most_timed: int = MOST_TIMED

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of the labels that the configuration adds."""
        return (*(each.name for each in self.metadata), *(each.name for each in self.tags))

    @property
    def selects(self) -> bool:
        """Whether anything is left out of the page."""
        return bool(self.groups or self.without or self.without_labels)


ALL_METRICS = MetricsPlan()
"""What holds where the file says nothing."""
