"""Names and bytes of the static files, as C2SP tlog-tiles has them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridhall.ledger.malformed import Malformed
from gridhall.ledger.tiles import bundle_name, pack, tile_name, unpack


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (tile_name(0, 0), "tile/0/000"),
        (tile_name(1, 999), "tile/1/999"),
        (tile_name(0, 1000), "tile/0/x001/000"),
        (tile_name(0, 1_234_067), "tile/0/x001/x234/067"),
        (tile_name(2, 0, 17), "tile/2/000.p/17"),
        (bundle_name(1_234_067, 1), "tile/entries/x001/x234/067.p/1"),
        (bundle_name(273), "tile/entries/273"),
    ],
)
def test_files_are_called_as_specified(name: str, expected: str) -> None:
    assert name == expected


def test_a_bundle_is_lengths_and_entries() -> None:
    assert pack([b"abc", b"", b"d" * 300]) == b"\x00\x03abc\x00\x00\x01\x2c" + b"d" * 300


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_bundle_is_read_back(bodies: list[bytes]) -> None:
    assert unpack(pack(bodies)) == bodies


@pytest.mark.parametrize("bundle", [b"\x00", b"\x00\x02a", pack([b"a"]) + b"\x01", pack([b""] * 257)])
def test_what_is_no_bundle_is_refused(bundle: bytes) -> None:
    with pytest.raises(Malformed):
        unpack(bundle)
