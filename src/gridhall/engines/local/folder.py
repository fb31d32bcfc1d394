"""The engine's folder: one record per attempt, the epoch, and the files that jobs may write.

    lock, epoch.json, organisations.json
    live/<job>.<attempt>/   what the controller has not yet heard, or not yet made durable
    done/<job>.<attempt>/   forgotten attempts: kept so that a late order finds the end instead of starting again
    logs/<job>.<attempt>/   rank-<n>.log, written by the shim
    jobs/<job>/             work and checkpoints: the job's own, for all its attempts

Only `jobs` can be seen by jobs. Nothing is ever created below a folder that a job owns, where a link could lead away.
"""

import contextlib
import dataclasses
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gridhall.engines.local.shim import paper
from gridhall.engines.protocol import AttemptKey, EngineFault, StartOrder

OWN, PASS = 0o700, 0o711


class Folder:
    """The engine's files below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def prepare(self) -> int:
        """Make what is missing and take the folder for this process; returns the descriptor that holds it."""
        for path, mode in ((self.root, PASS), *((self.root / name, OWN) for name in ("live", "done", "logs"))):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(mode)
        (self.root / "jobs").mkdir(exist_ok=True)
        (self.root / "jobs").chmod(PASS)
        return take(self.root / "lock", f"another server uses {self.root}; stop it, or give this one its own folder")

    def record(self, key: AttemptKey) -> Path:
        """The record of an attempt; it need not exist."""
        done = self.root / "done" / str(key)
        return done if done.exists() else self.root / "live" / str(key)

    def log(self, key: AttemptKey, rank: int) -> Path:
        """The log of a rank."""
        return self.root / "logs" / str(key) / f"rank-{rank}.log"

    def live(self) -> Iterator[AttemptKey]:
        """Every attempt that is not forgotten."""
        for name in sorted(os.listdir(self.root / "live")):
            job, _, attempt = name.partition(".")
            written = any((self.root / "live" / name / record).exists() for record in ("order.json", "report.json"))
            if job.isdigit() and attempt.isdigit() and written:
                yield AttemptKey(int(job), int(attempt))

    def forget(self, key: AttemptKey) -> None:
        """Move an ended attempt to those that are done."""
        with contextlib.suppress(FileNotFoundError):
            os.rename(self.root / "live" / str(key), self.root / "done" / str(key))

    def make_record(self, key: AttemptKey) -> Path:
        """A new record of an attempt with a folder for its logs."""
        os.makedirs(self.root / "logs" / str(key), OWN, exist_ok=True)
        record = self.root / "live" / str(key)
        os.makedirs(record, OWN, exist_ok=True)
        paper.sync(str(record.parent))
        return record

    def saved_before(self, key: AttemptKey) -> int:
        """The most useful work that an earlier attempt of the job reported as saved, in ms."""
        reports = [paper.read_or_none(str(path), "report.json") for path in self.root.glob(f"*/{key.job}.*")]
        return max((report.get("saved_ms", 0) for report in reports if report), default=0)

    def job_folder(self, job: int, uid: int) -> Path:
        """The folder of a job with its `work` and `checkpoints`, given to `uid` (0 = the engine's own user)."""
        base = self.root / "jobs" / str(job)
        base.mkdir(PASS, exist_ok=True)
        for name in ("work", "checkpoints"):
            with contextlib.suppress(FileExistsError):
                (base / name).mkdir(OWN)
            if uid:  # also one that is there: a server killed between the two would have kept it for itself
                os.chown(base / name, uid, uid, follow_symlinks=False)
        return base


def take(lock: Path, problem: str) -> int:
    """Hold a lock for as long as the descriptor, or one inherited from it, is open. Raises EngineFault when held."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise EngineFault(problem) from None
    return descriptor


def held(record: Path) -> bool:
    """Whether a shim lives on this record."""
    try:
        os.close(take(record / "lock", ""))
    except EngineFault:
        return True
    return False


def order_words(order: StartOrder) -> dict[str, Any]:
    """A start order as it is written down."""
    return {**dataclasses.asdict(order), "environment": dict(order.environment)}
