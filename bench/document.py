"""Puts generated text between two marks of a Markdown file and touches nothing else in it."""

from dataclasses import dataclass
from pathlib import Path


class MarkError(Exception):
    """The file has not exactly one pair of the marks, in the right order."""


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a document between `<!-- NAME:begin -->` and `<!-- NAME:end -->`."""

    name: str

    @property
    def begin(self) -> str:
        """The line that opens the region."""
        return f"<!-- {self.name}:begin -->"

    @property
    def end(self) -> str:
        """The line that closes it."""
        return f"<!-- {self.name}:end -->"

    def filled(self, document: str, text: str) -> str:
        """The document with the region's content replaced.

        Raises:
            MarkError: the marks are missing, repeated or in the wrong order.
        """
        if document.count(self.begin) != 1 or document.count(self.end) != 1:
            raise MarkError(f"the file needs exactly one {self.begin} and one {self.end}")
        head, _, rest = document.partition(self.begin)
        _, found, tail = rest.partition(self.end)
        if not found:
            raise MarkError(f"{self.end} stands before {self.begin}")
        return f"{head}{self.begin}\n\n{text.strip()}\n\n{self.end}{tail}"


RESULTS = Region("bench")
PROFILE = Region("profile")


def write(file: Path, region: Region, text: str) -> None:
    """Replace a region's content in a file.

    Raises:
        MarkError: the file has no such region.
    """
    file.write_text(region.filled(file.read_text(encoding="utf-8"), text), encoding="utf-8")
