"""Fenced blocks of a page, the commands in them, and whether what they print is what the page says."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"(?:^<!-- (?P<mark>[^\n]*) -->\n)?^```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    where: str
    kind: str
    mark: str
    body: str


@dataclass(frozen=True)
class Command:
    line: str
    expected: list[str]


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text()
    return [
        Block(
            where=f"{page.relative_to(ROOT)}:{text.count(chr(10), 0, match.start('kind')) + 1}",
            kind=match["kind"],
            mark=match["mark"] or "",
            body=match["body"],
        )
        for match in BLOCK.finditer(text)
    ]


def commands_of(block: Block) -> list[Command]:
    commands: list[Command] = []
    for line in block.body.replace("\\\n", " ").splitlines():
        if line.startswith("$ "):
            commands.append(Command(line[2:], []))
        elif line.strip():
            commands[-1].expected.append(line)
    return commands


def tidy(text: str) -> str:
    return " ".join(text.split())


def missing_lines(expected: list[str], output: str) -> list[str]:
    """Expected lines that do not follow one another in the output; spacing does not count."""
    lines = iter([tidy(line) for line in output.splitlines()])
    missing: list[str] = []
    for wanted in expected:
        pattern = re.compile(".*".join(re.escape(part.strip()) for part in tidy(wanted).split("...")))
        if not any(pattern.search(line) for line in lines):
            missing.append(wanted)
    return missing
