"""The closed list of what an entry can be, with its bytes and a strict reader.

| kind | says |
|---|---|
| segment | from here on these kernels decide, with this policy and fleet, from this state |
| decision | one event, the effects that `step` gave, and the running digest of all effects after it |
| part | effects of the next decision that come before its own: one entry would not hold them all |
| close | the segment ends in this state |
| audit | who asked for what, on what, with which result |
| report | what an engine said that changed nothing in the core |

Entries hold integers, hashes and ids, never a text that a tenant wrote: of that they hold a commitment
(`commitment`). Rows are lists of 64-bit integers whose trailing zeros are cut; an integer beyond 2^53 - 1 is a decimal
string.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gridhall.ledger import fields
from gridhall.ledger.canonical import bounded, dump, parse
from gridhall.ledger.malformed import Malformed

FORMAT = "gridhall-ledger/1"

Row = Sequence[int]


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment opens. `kernels`, `policy`, `fleet` and `state` are hashes, `first` the seq of its first decision.

    `sizes` are those of the state; `vkey` is the key that signs the log's checkpoints from here on.
    """

    first: int
    epoch: int
    kernels: str
    policy: str
    fleet: str
    state: str
    sizes: Mapping[str, int]
    vkey: str


@dataclass(frozen=True, slots=True)
class Decision:
    """One step. `seq` counts events without gaps through all segments; `digest` is the two lanes after the step.

    `commit` is the commitment of the text that came with the event, or empty.
    """

    seq: int
    epoch: int
    event: Row
    effects: Sequence[Row]
    digest: tuple[int, int]
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """Effects of the decision `seq`, which follows, in front of those that it names itself."""

    seq: int
    epoch: int
    effects: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Close:
    """A segment ends: `next` is the seq that the next decision will have, `state` the hash of the state."""

    next: int
    epoch: int
    state: str


@dataclass(frozen=True, slots=True)
class Audit:
    """A principal asked for something. `resource_id` is empty where the resource has none (yet)."""

    time_ms: int
    principal: str
    verb: str
    resource_kind: str
    resource_id: str
    result: str


@dataclass(frozen=True, slots=True)
class Report:
    """An engine said something `about` an attempt or a node; `commit` is the commitment of its words, or empty."""

    time_ms: int
    engine: str
    about: str
    said: str
    commit: str = ""


Entry = Segment | Decision | Part | Close | Audit | Report

KINDS: dict[str, tuple[type[Entry], dict[str, fields.Field]]] = {
    "segment": (
        Segment,
        {
            "first": fields.COUNT,
            "epoch": fields.COUNT,
            "kernels": fields.HASH,
            "policy": fields.HASH,
            "fleet": fields.HASH,
            "state": fields.HASH,
            "sizes": fields.SIZES,
            "vkey": fields.TEXT,
        },
    ),
    "decision": (
        Decision,
        {
            "seq": fields.COUNT,
            "epoch": fields.COUNT,
            "event": fields.ROW,
            "effects": fields.ROWS,
            "digest": fields.PAIR,
            "commit": fields.MAYBE_HASH,
        },
    ),
    "part": (Part, {"seq": fields.COUNT, "epoch": fields.COUNT, "effects": fields.ROWS}),
    "close": (Close, {"next": fields.COUNT, "epoch": fields.COUNT, "state": fields.HASH}),
    "audit": (
        Audit,
        {
            "time_ms": fields.COUNT,
            "principal": fields.ID,
            "verb": fields.ID,
            "resource_kind": fields.ID,
            "resource_id": fields.MAYBE_ID,
            "result": fields.ID,
        },
    ),
    "report": (
        Report,
        {
            "time_ms": fields.COUNT,
            "engine": fields.ID,
            "about": fields.ID,
            "said": fields.ID,
            "commit": fields.MAYBE_HASH,
        },
    ),
}
NAMES = {made: kind for kind, (made, _) in KINDS.items()}


def body(entry: Entry) -> bytes:
    """The canonical bytes of an entry. Raises Malformed for a value that its field does not allow."""
    kind = NAMES[type(entry)]
    if isinstance(entry, Decision):
        return _decision(entry)
    document: dict[str, object] = {"kind": kind}
    if kind == "segment":
        document["format"] = FORMAT
    for name, field in KINDS[kind][1].items():
        document[name] = field.write(name, getattr(entry, name))
    return dump(document)


def _decision(entry: Decision) -> bytes:
    """As any other entry, put together by hand: a server writes thousands of them a second."""
    written = {name: field.write(name, getattr(entry, name)) for name, field in KINDS["decision"][1].items()}
    rows: dict[str, str] = {name: _numbers(written[name]) for name in ("digest", "effects", "event")}
    text = (
        f'{{"commit":"{written["commit"]}","digest":{rows["digest"]},"effects":{rows["effects"]},'
        f'"epoch":{written["epoch"]},"event":{rows["event"]},"kind":"decision","seq":{written["seq"]}}}'
    )
    return bounded(text.encode("ascii"))


def _numbers(rows: object) -> str:
    """Lists of integers, and of strings of digits for those beyond 2^53 - 1, as canonical JSON."""
    return str(rows).replace(" ", "").replace("'", '"')


def read(data: bytes) -> Entry:
    """The entry that has exactly these bytes. Raises Malformed."""
    document: dict[str, Any] = dict(parse(data))
    kind = document.pop("kind", None)
    if not isinstance(kind, str) or kind not in KINDS:
        raise Malformed(f"is of an unknown kind: {kind!r}")
    if kind == "segment" and document.pop("format", None) != FORMAT:
        raise Malformed(f"opens a segment in another format than {FORMAT}")
    made, wanted = KINDS[kind]
    if document.keys() != wanted.keys():
        raise Malformed(f"has other fields than a {kind}: {', '.join(sorted(document.keys() ^ wanted.keys()))}")
    values: dict[str, Any] = {name: field.read(name, document[name]) for name, field in wanted.items()}
    return made(**values)


def widen(row: Row, width: int) -> list[int]:
    """A row with its trailing zeros back. Raises Malformed for a row that is wider."""
    if len(row) > width:
        raise Malformed(f"has a row of {len(row)} integers; {width} are the most")
    return [*row, *([0] * (width - len(row)))]
