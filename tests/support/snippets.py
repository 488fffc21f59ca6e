"""Reads the fenced blocks of a Markdown page, and what is to be done with each of them.

A block is run, unless a comment right above it says otherwise:

- `<!-- snippet: not run: REASON -->`: nobody runs it; a page may say so of a few.
- `<!-- snippet: tested by PATH -->`: the test file of that name takes care of it.
- `<!-- snippet: keeps running -->`: it is started and goes on until the page ends, or until a
  later block starts the same command again.
- `<!-- snippet: fails -->`: it ends with an error, as the page says.
- `<!-- snippet: as NAME -->`: it is written to the file of that name.
- `<!-- snippet: output -->`: the command before it has printed this.
- `<!-- snippet: warns -->`: a configuration that can be served, with warnings.

`<!-- run: ... -->` holds commands that readers do not see: what a page takes for granted, and what
must be so after its commands; `<!-- keep running: ... -->` holds one that goes on. At the top of a
page `<!-- snippets: gateway -->` asks for something that runs before its first block (see
`support.stories`), and `<!-- snippets: not run: REASON -->` says that none of its blocks is run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
"""Every page whose blocks are run."""

SHELL = frozenset({"sh", "bash"})
DRAWINGS = frozenset({"mermaid"})
RUN = SHELL | {"console", "python", "yaml", "json", "toml"}
"""Languages that can be run, checked or parsed without a word above the block."""

_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,})(?P<language>[\w-]*) *$")
_MARK = re.compile(r"^ *<!-- snippet: (?P<mark>.+?) -->$")
_HIDDEN = re.compile(r"^ *<!-- (?P<mark>run|keep running):$")
_WHOLE_PAGE = re.compile(r"^<!-- snippets: (?P<said>.+) -->$", re.MULTILINE)
_FIRST_LINE_NAME = re.compile(r"^# (?P<name>[\w.-]+\.(?:ya?ml|toml|json|py|env))$")


@dataclass(frozen=True, slots=True)
class Snippet:
    """One fenced block, or the commands of a hidden one.

    Attributes:
        page: the file it stands in.
        line: of its first fence, counted from 1.
        language: the word behind the fence; `sh` for hidden commands.
        text: without the fences and their indentation.
        mark: what the comment above says; empty without one.
        hidden: whether readers do not see it.
    """

    page: Path
    line: int
    language: str
    text: str
    mark: str = ""
    hidden: bool = False

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def reason(self) -> str | None:
        """Why nobody runs it; None if it is run."""
        return self.mark.removeprefix("not run: ") if self.mark.startswith("not run: ") else None

    @property
    def test(self) -> str | None:
        """The test file that takes care of it, relative to the root."""
        return self.mark.removeprefix("tested by ") if self.mark.startswith("tested by ") else None

    @property
    def file(self) -> str | None:
        """The name it is written under, if it is a file."""
        if self.mark.startswith("as "):
            return self.mark.removeprefix("as ")
        named = _FIRST_LINE_NAME.match(self.text.partition("\n")[0])
        return named["name"] if named and self.language not in SHELL else None

    @property
    def is_run(self) -> bool:
        """Whether the story of its page does something with it."""
        return self.reason is None and self.test is None and self.language not in DRAWINGS


def snippets_of(page: Path) -> tuple[Snippet, ...]:
    """Return the blocks of a page in their order, hidden commands among them."""
    found: list[Snippet] = []
    lines = page.read_text("utf-8").splitlines()
    every = _of_the_page(page)
    every = every if every.startswith("not run: ") else ""
    mark, number = "", 0
    while number < len(lines):
        line = lines[number]
        if fence := _FENCE.match(line):
            end = _end(lines, number, fence["indent"] + fence["fence"])
            body = [each.removeprefix(fence["indent"]) for each in lines[number + 1 : end]]
            text = "".join(f"{each}\n" for each in body)
            found.append(Snippet(page, number + 1, fence["language"], text, mark or every))
            mark, number = "", end
        elif hidden := _HIDDEN.match(line):
            end = _end(lines, number, "-->")
            text = "".join(f"{each}\n" for each in lines[number + 1 : end])
            kept = "keeps running" if hidden["mark"] == "keep running" else ""
            found.append(Snippet(page, number + 1, "sh", text, kept, hidden=True))
            number = end
        elif marked := _MARK.match(line):
            mark = marked["mark"]
        elif line.strip():
            mark = ""
        number += 1
    return tuple(found)


def world_of(page: Path) -> str:
    """Return what a page asks for before its first block; empty if it asks for nothing."""
    said = _of_the_page(page)
    return "" if said.startswith("not run: ") else said


def _of_the_page(page: Path) -> str:
    found = _WHOLE_PAGE.search(page.read_text("utf-8"))
    return found["said"] if found else ""


def _end(lines: list[str], start: int, closing: str) -> int:
    for number in range(start + 1, len(lines)):
        if lines[number].rstrip() == closing:
            return number
    raise AssertionError(f"the block that begins in line {start + 1} has no end")
