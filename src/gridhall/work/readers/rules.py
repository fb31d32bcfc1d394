"""What may not be in a trace, as rules over its rows: each row that breaks one becomes a fault with its cure."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from gridhall.errors import Fault, InputError, fault

MOST_FAULTS = 20
"""Faults shown of one file; the rest are counted."""
ROW = "row"
"""Column of a reader's frame with the place of each row in its file: the line of a text, the row of a parquet table."""


@dataclass(frozen=True)
class Rule:
    """Rows where `bad` holds are refused. `problem` may name {value}, what stands in the file under `field`."""

    field: str
    bad: pl.Expr
    problem: str
    mend: str


def refuse(frame: pl.DataFrame, path: Path, rules: Sequence[Rule]) -> None:
    """Raise InputError with the first MOST_FAULTS faults in order of rows and a count of the rest, if there is any."""
    found: list[tuple[int, Fault]] = []
    total = 0
    for rule in rules:
        rows = frame.filter(rule.bad.fill_null(False))
        total += rows.height
        found += [_fault(path, rule, row) for row in rows.head(MOST_FAULTS).iter_rows(named=True)]
    if not found:
        return
    shown = [one for _, one in sorted(found, key=lambda pair: pair[0])[:MOST_FAULTS]]
    if total > len(shown):
        shown.append(
            Fault(str(path), "", f"{total - len(shown)} more faults of the same kinds", "mend the rows above first")
        )
    raise InputError(shown)


def require(frame: pl.DataFrame, path: Path, columns: Sequence[str], cure: str) -> None:
    """Raise InputError naming every column of `columns` that the frame lacks."""
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise InputError([Fault(f"{path}:1", name, "the column is missing", cure) for name in missing])


def existing(path: Path) -> Path:
    """The path, if a file with something in it is there; else InputError."""
    if not path.is_file():
        raise fault(str(path), "", "there is no such file", "check the path")
    if path.stat().st_size == 0:
        raise fault(str(path), "", "the file is empty", "write it again; nothing was read")
    return path


def lines(path: Path) -> pl.DataFrame:
    """The lines of a text file as `row` (from 1) and `text`; InputError where it is missing, empty or not text."""
    try:
        text = existing(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        place = f"byte {error.start} is not UTF-8"
        raise fault(
            str(path), "", f"this is not a text file: {place}", "check the format, or unpack it first"
        ) from None
    frame = pl.DataFrame({"text": text.split("\n")}).with_row_index(ROW, offset=1)
    frame = frame.with_columns(pl.col(ROW).cast(pl.Int64), pl.col("text").str.strip_chars_end("\r"))
    frame = frame.filter(pl.col("text").str.strip_chars() != "")
    if frame.height == 0:
        raise fault(str(path), "", "the file holds only blank lines", "write it again; nothing was read")
    return frame


def split(rows: pl.DataFrame, path: Path, names: Sequence[str], separator: str) -> pl.DataFrame:
    """Each line's fields as text columns; a line with too few or too many is a fault (a truncated file has one)."""
    twice = sorted({name for name in names if list(names).count(name) > 1 or name == ROW})
    if twice:
        raise fault(f"{path}:1", twice[0], "the column is named twice or has a reserved name", "name each column once")
    rows = rows.with_columns(fields=pl.col("text").str.count_matches(separator, literal=True) + 1)
    refuse(
        rows,
        path,
        [
            Rule(
                "fields",
                pl.col("fields") != len(names),
                f"{{value}} fields where {len(names)} belong",
                f"the file is cut off here, or a field holds the separator {separator!r}: write it again",
            )
        ],
    )
    parts = pl.col("text").str.split_exact(separator, len(names) - 1).struct.rename_fields(list(names))
    return rows.select(ROW, parts.alias("parts")).unnest("parts").with_columns(pl.col(*names).str.strip_chars())


def _fault(path: Path, rule: Rule, row: dict[str, object]) -> tuple[int, Fault]:
    place = int(str(row[ROW]))
    return place, Fault(f"{path}:{place}", rule.field, rule.problem.format(value=repr(row.get(rule.field))), rule.mend)
