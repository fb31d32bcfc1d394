"""The log as static files (C2SP tlog-tiles), and proofs out of it. Entries hold no tenant's text."""

from fastapi import APIRouter, Query
from starlette.responses import PlainTextResponse, Response

from gridhall.ledger.proving import prove_consistency
from gridhall.ledger.text64 import to_text64
from gridhall.ledger.tiles import pack
from gridhall.ledger.tree import HASH_BYTES, TILE_HEIGHT, TILE_WIDTH
from gridhall.server.api.caller import Asking, Caller, needs
from gridhall.server.api.problem import Problem
from gridhall.server.api.tile_names import Tile, tile_named
from gridhall.server.queries.proofs import prove
from gridhall.server.store.log_rows import LogRows

router = APIRouter()

BYTES = "application/octet-stream"
AS_BYTES = {200: {"content": {BYTES: {"schema": {"type": "string", "format": "binary"}}}, "description": "the bytes"}}
AS_TEXT = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "the text"}}
FOR_EVER = {"Cache-Control": "max-age=31536000, immutable"}


@router.get("/v1/ledger/checkpoint", response_class=PlainTextResponse, responses={**AS_TEXT}, **needs("read", "ledger"))
async def read_checkpoint(caller: Asking) -> Response:
    """The last signed checkpoint (a note of C2SP tlog-checkpoint)."""
    caller.must("", "")
    note = await _rows(caller).last_checkpoint()
    if note is None:
        raise Problem(404, "not-found", "the log has no checkpoint yet")
    return PlainTextResponse(note)


@router.get("/v1/ledger/tile/{path:path}", response_class=Response, responses={**AS_BYTES}, **needs("read", "ledger"))
async def read_tile(path: str, caller: Asking) -> Response:
    """A tile: `L/N` or `entries/N`, N in groups of three digits (x001/234); `.p/W` = its first W at the right edge."""
    caller.must("", "")
    tile = tile_named(path)
    if tile is None:
        raise Problem(404, "not-found", "that is no tile's name", object="tile")
    data = await (_entries(caller, tile) if tile.level < 0 else _hashes(caller, tile))
    if data is None:
        raise Problem(404, "not-found", "the log has not grown so far", object="tile")
    return Response(data, media_type=BYTES, headers=FOR_EVER)


@router.get("/v1/ledger/proof", response_class=PlainTextResponse, responses={**AS_TEXT}, **needs("read", "ledger"))
async def read_proof(caller: Asking, entry: int = Query(ge=0, le=1 << 53, description="Place in the log.")) -> Response:
    """The proof that the log has an entry (C2SP tlog-proof)."""
    caller.must("", "")
    if entry >= caller.service.loop.log.size:
        raise Problem(404, "not-found", f"the log has no entry {entry:,} yet")
    return PlainTextResponse(await prove(caller.service, entry))


@router.get(
    "/v1/ledger/consistency", response_class=PlainTextResponse, responses={**AS_TEXT}, **needs("read", "ledger")
)
async def read_consistency(
    caller: Asking, old: int = Query(ge=1, le=1 << 53), size: int = Query(ge=1, le=1 << 53)
) -> Response:
    """The proof that the log at one size is the beginning of that at another: hashes in base64, one a line."""
    caller.must("", "")
    tree = caller.service.loop.log.tree
    if not old <= size <= tree.size:
        raise Problem(422, "invalid", "sizes must not shrink, nor be beyond the log", "query.size", "see /checkpoint")
    path = await prove_consistency(_rows(caller), tree, old, size)
    return PlainTextResponse("".join(f"{to_text64(step)}\n" for step in path))


def _rows(caller: Caller) -> LogRows:
    return LogRows(caller.service.database)


async def _entries(caller: Caller, tile: Tile) -> bytes | None:
    first = tile.index * TILE_WIDTH
    bodies = await _rows(caller).entries(first, first + tile.width)
    return pack(bodies) if len(bodies) == tile.width else None


async def _hashes(caller: Caller, tile: Tile) -> bytes | None:
    """Of a full tile, or of the one at the right edge that is not full yet."""
    tree = caller.service.loop.log.tree
    full = tree.size >> TILE_HEIGHT * (tile.level + 1)
    if tile.index < full:
        data = await _rows(caller).tile(tile.level, tile.index)
    else:
        data = tree.edges[tile.level] if tile.index == full and tile.level < len(tree.edges) else b""
    wanted = data[: tile.width * HASH_BYTES]
    return wanted if len(wanted) == tile.width * HASH_BYTES else None
