"""HiGHS on one core. The one file that knows the solver; where it is not installed plans are made greedily."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridhall.energy.plan.program import Program

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

AT_LOWER, BASIC = 0, 1
"""Status of a column or row in a basis, as HiGHS counts them; others are passed on unread."""


@dataclass(frozen=True)
class Basis:
    """Which bounds hold at an optimum: a status for each column and row, from which a like program can start."""

    columns: Ints
    rows: Ints


@dataclass(frozen=True)
class Solution:
    """Values of the columns and shadow prices of the rows at the optimum, and its basis."""

    values: Floats
    shadow: Floats
    basis: Basis


class NoSolution(Exception):
    """The solver gave no optimum; the text says why."""


def solve(program: Program, limit_s: float, start: Basis | None = None) -> Solution:
    """The optimum. Raises NoSolution when there is none, when it was not found in `limit_s`, or without a solver."""
    try:
        highspy: Any = import_module("highspy")
        core: Any = import_module("highspy._core")
    except ImportError as error:
        raise NoSolution("the solver is not installed: pip install 'gridhall[energy]'") from error
    model: Any = core._Highs()  # the public class writes a banner on standard output, where commands print JSON
    for option, value in (("output_flag", False), ("threads", 1), ("time_limit", limit_s)):
        model.setOptionValue(option, value)
    model.passModel(_lp(highspy, program))
    if start is not None:
        model.setBasis(_basis(highspy, start))
    model.run()
    if model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise NoSolution(f"the solver stopped: {model.modelStatusToString(model.getModelStatus()).lower()}")
    found, basis = model.getSolution(), model.getBasis()
    return Solution(np.array(found.col_value), np.array(found.row_dual), Basis(*map(_numbers, _statuses(basis))))


def _lp(highspy: Any, program: Program) -> Any:
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = program.matrix.shape
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = program.cost, program.low, program.high
    lp.row_lower_, lp.row_upper_ = program.row_low, program.row_high
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = program.matrix.indptr, program.matrix.indices
    lp.a_matrix_.value_ = program.matrix.data
    return lp


def _basis(highspy: Any, start: Basis) -> Any:
    """A basis that the solver repairs where it does not fit (`alien`)."""
    by_number = {int(status): status for status in highspy.HighsBasisStatus.__members__.values()}
    basis = highspy.HighsBasis()
    basis.valid = basis.alien = True
    basis.col_status = [by_number[status] for status in start.columns.tolist()]
    basis.row_status = [by_number[status] for status in start.rows.tolist()]
    return basis


def _statuses(basis: Any) -> tuple[Any, Any]:
    return basis.col_status, basis.row_status


def _numbers(statuses: Any) -> Ints:
    return np.fromiter((int(status) for status in statuses), np.int64, len(statuses))
