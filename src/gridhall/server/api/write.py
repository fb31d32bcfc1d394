"""Writing: the one function through which every write of the API goes.

It wraps the change so that, in the same transaction, the write is audited (a refused one too) and its answer is kept
under its idempotency key. With `dryRun=true` it hands over to `rehearse`, which says what would be and changes nothing.

    return await write(caller, target, change, lambda job: Answer(202, view(job)), rehearse)
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select
from starlette.responses import Response

from gridhall.ledger.entries import Audit
from gridhall.server.api.caller import Caller
from gridhall.server.api.desk import MOST_ANSWERS, Kept
from gridhall.server.api.problem import Problem
from gridhall.server.live.changes import Change
from gridhall.server.live.draft import AuditRow, Draft, Refusal
from gridhall.server.store import tables


@dataclass(frozen=True, slots=True)
class Answer:
    """What a write answers with. `version` becomes the ETag, `location` names a new object's path.

    `kept` is what a repeated request gets instead of `body`, where that has a secret in it.
    """

    status: int
    body: BaseModel | None = None
    version: int = 0
    location: str = ""
    kept: BaseModel | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What a write is about: the object's id, and whose it is."""

    id: str
    organisation: str
    project: str = ""


async def write(
    caller: Caller,
    target: Target,
    change: Change,
    answer: Callable[[Any], Answer],
    rehearse: Callable[[], Answer | Awaitable[Answer]],
) -> Response:
    """Let a change happen, and answer with what `answer` makes of its result. Raises Refusal, ReadOnly and Problem."""
    if caller.dry_run:
        said = rehearse()
        return _response(said if isinstance(said, Answer) else await said)
    kept = await _kept(caller)
    if kept is not None:
        return _again(kept, caller)
    audited = Audited(caller, target, change, answer)
    result: Answer | Kept = await caller.service.loop.happen(audited)
    return _again(result, caller) if isinstance(result, Kept) else _response(result, audited.text)


@dataclass(slots=True)
class Audited:
    """A change with its audit and its answer. `text` is the answer's body once it was decided."""

    caller: Caller
    target: Target
    change: Change
    answer: Callable[[Any], Answer]
    text: str = field(default="", init=False)

    def decide(self, draft: Draft) -> Answer | Kept:
        """The answer, or the one that was given under the same key before."""
        caller = self.caller
        before = caller.desk.answers.get((caller.principal.id, caller.key)) if caller.key else None
        if before is not None:
            return before
        try:
            answer = self.answer(self.change.decide(draft))
        except Refusal as refusal:
            audit(draft, caller, self.target, refusal.reason)
            raise
        audit(draft, caller, self.target, "done")
        self.text = answer.body.model_dump_json() if answer.body is not None else ""
        if caller.key:
            text = answer.kept.model_dump_json() if answer.kept is not None else self.text
            _keep(draft, caller, Kept(caller.request_sha256, answer.status, text))
        return answer


def audit(draft: Draft, caller: Caller, target: Target, result: str) -> None:
    """Write down who did what, on what, with which result."""
    who = caller.principal.id
    entry = draft.write(Audit(draft.now_ms, who, caller.verb, caller.kind, target.id, result))
    draft.audits.append(
        AuditRow(
            entry, draft.now_ms, who, target.organisation, target.project, caller.verb, caller.kind, target.id, result,
            caller.address,
        )
    )  # fmt: skip


async def _kept(caller: Caller) -> Kept | None:
    """The answer that the caller got under the same key before."""
    if not caller.key:
        return None
    held = caller.desk.answers.get((caller.principal.id, caller.key))
    if held is not None:
        return held
    table = tables.idempotency.c
    wanted = select(table.request_sha256, table.status, table.answer)
    async with caller.service.database.read() as connection:
        found = await connection.execute(wanted.where(table.principal == caller.principal.id, table.key == caller.key))
        row = found.one_or_none()
    return None if row is None else Kept(*row)


def _keep(draft: Draft, caller: Caller, kept: Kept) -> None:
    answers = caller.desk.answers
    answers[caller.principal.id, caller.key] = kept
    if len(answers) > MOST_ANSWERS:
        del answers[next(iter(answers))]
    row: dict[str, object] = {
        "principal": caller.principal.id,
        "key": caller.key,
        "request_sha256": kept.request_sha256,
        "status": kept.status,
        "answer": kept.body,
        "time_ms": caller.register.now_ms(),
    }
    draft.rows.append(("idempotency", row))


def _again(kept: Kept, caller: Caller) -> Response:
    if kept.request_sha256 != caller.request_sha256:
        raise Problem(
            422, "key-used", "this idempotency key came with another request before", "header.Idempotency-Key",
            "give every write a key of its own",
        )  # fmt: skip
    return Response(kept.body, kept.status, {"Idempotent-Replay": "true"}, "application/json")


def _response(answer: Answer, text: str = "") -> Response:
    body = text or (answer.body.model_dump_json() if answer.body is not None else "")
    headers: dict[str, str] = {}
    if answer.version:
        headers["ETag"] = f'"{answer.version}"'
    if answer.location:
        headers["Location"] = answer.location
    return Response(body, answer.status, headers, "application/json" if body else None)
