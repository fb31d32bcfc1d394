"""Size classes of gangs, used wherever jobs are told apart by size."""

import polars as pl

BOUNDS = (1, 8, 64, 512, 4096)
"""Largest GPU count of each class but the last."""
CLASSES = ("1", "2-8", "9-64", "65-512", "513-4,096", "over 4,096")


def size_class(gpus: str = "gpus") -> pl.Expr:
    """Index into CLASSES of a column of GPU counts."""
    expression = pl.lit(0, dtype=pl.Int64)
    for bound in BOUNDS:
        expression = expression + (pl.col(gpus) > bound).cast(pl.Int64)
    return expression.alias("size_class")
