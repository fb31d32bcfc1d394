"""The names of tiles, read strictly: there is one name for each."""

import re
from dataclasses import dataclass

from gridhall.ledger.tiles import bundle_name, tile_name
from gridhall.ledger.tree import TILE_WIDTH

_NAME = re.compile(r"(entries|[0-9]{1,2})((?:/x[0-9]{3}){0,5}/[0-9]{3})(?:\.p/([0-9]{1,3}))?")


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of hashes, or one of entries (level -1), of which the first `width` are asked for."""

    level: int
    index: int
    width: int


def tile_named(path: str) -> Tile | None:
    """The tile of a path below `tile/`; None for what is no tile's name."""
    match = _NAME.fullmatch(path)
    if match is None:
        return None
    kind, digits, part = match.groups()
    index = int(digits.replace("/", "").replace("x", ""))
    width = TILE_WIDTH if part is None else int(part)
    tile = Tile(-1 if kind == "entries" else int(kind), index, width)
    return tile if f"tile/{path}" == _name(tile) and 0 < width <= TILE_WIDTH else None


def _name(tile: Tile) -> str:
    if tile.level < 0:
        return bundle_name(tile.index, tile.width)
    return tile_name(tile.level, tile.index, tile.width)
