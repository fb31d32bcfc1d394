import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridhall.kernel import Columns, column, kernel, state_cast


class Bins(Columns):
    """A state of two facts and an index."""

    zone_bins = column("bins", 2)
    level = column("bins")
    total = column(1, derived=True)


class MoreBins(Bins):
    """The same with one column more, which sorts before the others."""

    added = column("bins")


as_bins = state_cast(MoreBins)


@kernel
def pour(address: int, place: int, amount: int) -> int:
    w = as_bins(address)
    w.level[place] += amount
    w.total[0] += amount
    w.zone_bins[2 * place + 1] = amount
    return w.total[0]


def filled(bins: int) -> MoreBins:
    w = MoreBins({"bins": bins})
    for place in range(bins):
        pour(w.handle, place, place + 1)
    return w


def test_columns_have_their_lengths_and_begin_at_zero() -> None:
    w = MoreBins({"bins": 3})
    lengths = {name: len(values) for name, values in w.columns().items()}
    assert lengths == {"added": 3, "level": 3, "total": 1, "zone_bins": 6}
    assert not any(values.any() for values in w.columns().values())


def test_a_kernel_writes_what_python_reads() -> None:
    w = filled(3)
    assert w.view("level").tolist() == [1, 2, 3]
    assert w.view("zone_bins").tolist() == [0, 1, 0, 2, 0, 3]
    assert w.total[0] == 6


def test_a_column_never_reaches_into_its_neighbour() -> None:
    w = MoreBins({"bins": 4})
    for value, name in enumerate(w.declared, 1):
        w.view(name)[:] = value
    for value, name in enumerate(w.declared, 1):
        assert set(w.view(name).tolist()) == {value}


def test_a_fork_goes_its_own_way() -> None:
    w = filled(3)
    fork = w.fork()
    assert fork.digest() == w.digest()
    assert pour(fork.handle, 0, 10) == 16
    assert w.view("level").tolist() == [1, 2, 3]
    assert fork.view("level").tolist() == [11, 2, 3]
    assert fork.digest() != w.digest()


def test_the_digest_covers_facts_and_not_indexes() -> None:
    w = filled(3)
    before = w.digest()
    w.total[0] = 99
    assert w.digest() == before
    w.added[2] = 1
    assert w.digest() != before


@given(st.lists(st.integers(-(1 << 62), 1 << 62), min_size=1, max_size=5), st.integers(0, 4))
def test_the_digest_sees_every_entry(levels: list[int], place: int) -> None:
    w = MoreBins({"bins": len(levels)})
    w.view("level")[:] = levels
    changed = w.fork()
    changed.level[place % len(levels)] ^= 1
    assert changed.digest() != w.digest()


def test_a_state_grows_and_keeps_what_it_had() -> None:
    small, large = filled(2), MoreBins({"bins": 5})
    large.load(small.columns())
    assert large.view("level").tolist() == [1, 2, 0, 0, 0]
    assert pour(large.handle, 4, 7) == 10


def test_a_missing_column_keeps_its_default() -> None:
    old = Bins({"bins": 2})
    old.view("level")[:] = [5, 6]
    new = MoreBins({"bins": 2})
    new.view("added")[:] = 1
    new.load(old.columns())
    assert new.view("level").tolist() == [5, 6]
    assert new.view("added").tolist() == [1, 1]


def test_a_column_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="level has 3 entries, room for 2"):
        MoreBins({"bins": 2}).load({"level": np.zeros(3, dtype=np.int64)})
