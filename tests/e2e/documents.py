"""Reads the commands and examples out of README and docs, so that tests run what people read."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(
    r"(?:^<!-- (?P<marker>[a-z]+: [a-z]+) -->\n)?"
    r"^```(?P<language>[a-z]*)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block.

    Attributes:
        language: What follows the fence.
        title: File that the block is the content of, if it has one.
        marker: Text of the HTML comment on the line before.
        text: The content, with its last line end.
    """

    language: str
    title: str | None
    marker: str | None
    text: str


def blocks(path: str) -> list[Block]:
    """Return the fenced blocks of a document, in order."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return [
        Block(match["language"], match["title"], match["marker"], match["text"])
        for match in _FENCE.finditer(text)
    ]


def marked(path: str, marker: str) -> str:
    """Return the one block that a comment ``<!-- marker -->`` stands before."""
    (found,) = [block for block in blocks(path) if block.marker == marker]
    return found.text.strip()
