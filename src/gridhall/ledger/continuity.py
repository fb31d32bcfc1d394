"""What entries say of each other: decisions without gaps, inside segments, under an epoch that never goes back.

This holds whatever the tree says: a log that was forged as a whole has to keep it as well. It does not show that a
decision follows from its event; a replay does.
"""

from dataclasses import dataclass, field

from gridhall.ledger.entries import Close, Decision, Entry, Part, Segment
from gridhall.ledger.malformed import Malformed


@dataclass
class Story:
    """What the entries so far have said. `vkey` is the log's key by its own word; `gaps` is what they leave open."""

    opened: bool = False
    next_seq: int | None = None
    epoch: int = 0
    state: str | None = None
    digest: tuple[int, int] | None = None
    vkey: str | None = None
    gaps: list[str] = field(default_factory=list[str])


def follow(story: Story, index: int, entry: Entry) -> None:
    """Take in entry number `index`. Raises Malformed for one that cannot come here."""
    if isinstance(entry, Segment):
        _open(story, index, entry)
    elif isinstance(entry, Decision):
        _decide(story, entry)
    elif isinstance(entry, Part):
        _part(story, entry)
    elif isinstance(entry, Close):
        _close(story, entry)


def _open(story: Story, index: int, segment: Segment) -> None:
    _advance(story, segment.epoch)
    if story.next_seq is not None and segment.first != story.next_seq:
        raise Malformed(f"opens a segment at event {segment.first:,} where {story.next_seq:,} comes next")
    if story.opened:
        story.gaps.append(
            f"that the state at entry {index:,} is that after the decisions before it: nothing closed them"
        )
    elif story.state not in (None, segment.state):
        story.gaps.append(f"that the state at entry {index:,} carries on from the close before it: their hashes differ")
    story.opened, story.next_seq, story.vkey = True, segment.first, segment.vkey
    story.state = story.digest = None


def _decide(story: Story, decision: Decision) -> None:
    _advance(story, decision.epoch)
    if not story.opened:
        raise Malformed("is a decision outside a segment")
    if decision.seq != story.next_seq:
        raise Malformed(f"decides on event {decision.seq:,} where {story.next_seq:,} comes next")
    if story.digest is not None and not decision.effects and decision.digest != story.digest:
        raise Malformed("has another digest of effects than the decision before it, but no effects")
    story.next_seq, story.digest = decision.seq + 1, decision.digest


def _part(story: Story, part: Part) -> None:
    _advance(story, part.epoch)
    if not story.opened or part.seq != story.next_seq:
        raise Malformed(f"holds effects of event {part.seq:,}, which does not come next")
    story.digest = None


def _close(story: Story, close: Close) -> None:
    _advance(story, close.epoch)
    if not story.opened:
        raise Malformed("closes a segment where none is open")
    if close.next != story.next_seq:
        raise Malformed(f"closes a segment before event {close.next:,} where {story.next_seq:,} comes next")
    story.opened, story.state = False, close.state


def _advance(story: Story, epoch: int) -> None:
    if epoch < story.epoch:
        raise Malformed(f"has epoch {epoch} after epoch {story.epoch}")
    story.epoch = epoch
