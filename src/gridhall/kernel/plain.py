"""Kernels as plain Python: what `compiled` offers, without a compiler."""

from collections.abc import Callable
from typing import Any, TypeVar

from gridhall.kernel.columns import Columns

_KernelFunction = TypeVar("_KernelFunction", bound=Callable[..., Any])


def state_cast(state: type[Columns]) -> Callable[[Any], Any]:
    """The function with which an entry kernel turns `state.handle` into the state `w`."""
    return lambda handle: handle


def trailing_zeros(word: int) -> int:
    """Index of the lowest set bit; the word must not be zero."""
    number = int(word)
    return (number & -number).bit_length() - 1


def count_ones(word: int) -> int:
    """Number of set bits."""
    return int(word).bit_count()


def kernel(function: _KernelFunction) -> _KernelFunction:
    """Leave a kernel as plain Python."""
    return function
