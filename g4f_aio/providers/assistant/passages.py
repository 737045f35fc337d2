"""Documents and the passages that are quoted from them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs

#: a longer section becomes several passages
PASSAGE_LIMIT = 1800
_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*$")
_FENCE = re.compile(r"\s*(```+|~~~+)")
_LINK = re.compile(r"\[([^\]\[]*)\]\([^)\s]*\)")


@attrs.frozen
class Document:
    """A Markdown text and the name it is cited by."""

    name: str
    text: str


@attrs.frozen
class Passage:
    """A part of a document: its heading, its text, and the lines it is on, counted from 1."""

    document: str
    heading: str
    first_line: int
    last_line: int
    text: str

    @property
    def citation(self) -> str:
        """Where to read it."""
        return f'{self.document}, lines {self.first_line}-{self.last_line} "{self.heading}"'


def passages(document: Document) -> Iterator[Passage]:
    """The sections of a Markdown document; a long one in pieces, cut between paragraphs."""
    section = _Section(document.name, document.name)
    fence: str | None = None
    for number, line in enumerate(document.text.splitlines(), start=1):
        title = _HEADING.fullmatch(line) if fence is None else None
        if title is not None:
            yield from section.passage()
            plain = _LINK.sub(r"\1", title[2]).replace("`", "")
            section = _Section(document.name, plain, first=number)
            continue
        if fence is None and not line.strip() and section.size > PASSAGE_LIMIT:
            yield from section.passage()
            section = _Section(document.name, section.heading)
        fence = _fence(fence, line)
        section.add(number, line)
    yield from section.passage()


@attrs.define
class _Section:
    """Lines under a heading; *first* is the number of the first one that belongs to it."""

    document: str
    heading: str
    first: int = 0
    last: int = 0
    size: int = 0
    lines: list[str] = attrs.field(factory=list)

    def add(self, number: int, line: str) -> None:
        """Take the next line in; blank ones count only between others."""
        if line.strip():
            self.first = self.first or number
            self.last = number
        elif not self.last:
            return
        self.lines.append(line)
        self.size += len(line) + 1

    def passage(self) -> Iterator[Passage]:
        """The passage it makes; none when there is nothing under the heading."""
        if self.last:
            text = "\n".join(self.lines).rstrip()
            yield Passage(self.document, self.heading, self.first, self.last, text)


def _fence(open_fence: str | None, line: str) -> str | None:
    """The code fence that is open after *line*, when *open_fence* was before it."""
    match = _FENCE.match(line)
    if match is None:
        return open_fence
    if open_fence is None:
        return match[1]
    return None if line.strip().startswith(open_fence) else open_fence
