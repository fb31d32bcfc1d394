"""What every command prints: JSON for machines, tables for people, and status on standard error."""

import json
import sys
from collections.abc import Sequence
from typing import Any

FILE_WIDTH = 160
"""Columns of a table that goes to a file or another program."""


def status(text: str) -> None:
    """One line on standard error, at once."""
    print(f"gridhall: {text}", file=sys.stderr, flush=True)


def as_json(value: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def as_table(head: Sequence[str], rows: Sequence[Sequence[str]], align: str = "") -> None:
    """A table on standard output; `align` has one letter a column, `r` for right. Plain lines when not a terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name, letter in zip(head, align.ljust(len(head), "l"), strict=True):
        table.add_column(name, justify="right" if letter == "r" else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else FILE_WIDTH
    Console(markup=False, highlight=False, width=width).print(table)
