"""States: named int64 columns in one buffer."""

import hashlib
from typing import Any, ClassVar, Protocol, Self, cast, overload

import numpy as np
from numpy.typing import NDArray

from gridhall.kernel.switch import COMPILED

Ints = NDArray[np.int64]


class Column:
    """The declaration of one column: its length as a product of named sizes and numbers."""

    def __init__(self, factors: tuple[str | int, ...], derived: bool) -> None:
        self.factors = factors
        self.derived = derived

    def length(self, sizes: dict[str, int]) -> int:
        """Entries of this column in a state of these sizes."""
        product = 1
        for factor in self.factors:
            product *= factor if isinstance(factor, int) else sizes[factor]
        return max(1, product)


class IntColumn(Protocol):
    """A column of a state as kernels use it: integers by place. Outside kernels, `State.view` gives the array."""

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> Ints: ...
    def __setitem__(self, place: int | slice, value: Any) -> None:
        """Write one entry, or several."""
        ...

    def __len__(self) -> int:
        """Number of entries."""
        ...


def column(*factors: str | int, derived: bool = False) -> IntColumn:
    """Declare an int64 column whose length is the product of `factors` (names of sizes, or numbers).

    A `derived` column is an index over facts: it can be rebuilt, and stays out of the digest.
    """
    return cast(IntColumn, Column(factors, derived))


class Columns:
    """Base of every state. Subclasses declare columns; an instance owns the buffer behind them.

    `sizes` gives each named size its number. All columns start at zero.
    """

    declared: ClassVar[dict[str, Column]] = {}
    """Every column of this state, in the order of their names, which is their order in the buffer."""

    def __init_subclass__(cls) -> None:
        found: dict[str, Column] = {}
        for base in reversed(cls.__mro__):
            found.update({name: value for name, value in vars(base).items() if isinstance(value, Column)})
        cls.declared = dict(sorted(found.items()))

    def __init__(self, sizes: dict[str, int]) -> None:
        self.sizes = dict(sizes)
        offset = len(self.declared)
        spans: list[tuple[str, int, int]] = []
        for name, kind in self.declared.items():
            spans.append((name, offset, kind.length(sizes)))
            offset += spans[-1][2]
        self._attach(np.zeros(offset, dtype=np.int64), spans)

    def _attach(self, buffer: Ints, spans: list[tuple[str, int, int]]) -> None:
        self._buffer = buffer
        self._address = buffer.ctypes.data
        self._spans = spans
        for position, (name, offset, length) in enumerate(spans):
            buffer[position] = offset
            setattr(self, name, buffer[offset : offset + length])

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}={number:,}" for name, number in self.sizes.items())
        return f"<{type(self).__name__} {len(self.declared)} columns, {self._buffer.nbytes / 1e6:.1f} MB; {sizes}>"

    @property
    def handle(self) -> Any:
        """What an entry kernel takes: the buffer's address when compiled, the state itself when not."""
        return self._address if COMPILED else self

    def view(self, name: str) -> Ints:
        """One column as an array that shares the state's memory."""
        return cast(Ints, getattr(self, name))

    def fork(self) -> Self:
        """An independent copy."""
        twin = object.__new__(type(self))
        twin.sizes = dict(self.sizes)
        twin._attach(self._buffer.copy(), self._spans)
        return twin

    def facts(self) -> dict[str, Ints]:
        """The columns that are facts, by name, as views."""
        return {name: getattr(self, name) for name, kind in self.declared.items() if not kind.derived}

    def digest(self) -> str:
        """SHA-256 over names and values of all facts, as hex."""
        total = hashlib.sha256()
        for name, values in self.facts().items():
            total.update(name.encode())
            total.update(values.tobytes())
        return total.hexdigest()

    def columns(self) -> dict[str, Ints]:
        """Every column by name, as views."""
        return {name: getattr(self, name) for name in self.declared}

    def load(self, values: dict[str, Ints]) -> None:
        """Take over columns by name; a column that `values` lacks keeps what it has.

        A shorter column fills the front, so that a state can grow. Raises ValueError on one that is too long.
        """
        for name, target in self.columns().items():
            if name in values:
                if len(values[name]) > len(target):
                    raise ValueError(f"column {name} has {len(values[name])} entries, room for {len(target)}")
                target[: len(values[name])] = values[name]
