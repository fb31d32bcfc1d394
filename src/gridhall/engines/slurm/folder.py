"""The site's shared folder: what must outlive the controller, and what the runner tells.

    epoch                      the highest epoch seen
    runner/                    the program that Slurm starts
    held/JOB.ATTEMPT           an attempt that Gridhall has not forgotten
    news/JOB.ATTEMPT.started   the nodes' words: the first process runs, and (.ended) how the attempt ended
    jobs/JOB/current           the latest attempt: runners of earlier ones end themselves
    jobs/JOB/checkpoints/      the job's own, kept over all attempts; beside it work/, its home
    jobs/JOB/ATTEMPT/          order.json, ranks.sh, slurm.json, stop.json, over.json, claim, rank-N.log, batch.log

Every file is replaced as a whole, so that a reader sees all of it or nothing.
"""

import compileall
import fcntl
import os
import pwd
import re
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from gridhall.engines.protocol import AttemptKey, EngineFault, StaleEpoch
from gridhall.engines.slurm import script
from gridhall.engines.slurm.records import Begun, Ending, Order, Over, Slurm, Stop

RUNNER = Path(__file__).parent / "runner"
_R = TypeVar("_R", bound=BaseModel)
_HELD = re.compile(r"(\d{1,18})\.(\d{1,9})")
_NEWS = re.compile(r"(\d{1,18})\.(\d{1,9})\.(started|ended)")


class Folder:
    """The shared folder of one site; `user` is the Slurm user whose jobs write into it."""

    def __init__(self, path: str, user: str) -> None:
        self.path = Path(path)
        self._user = user

    @property
    def runner(self) -> Path:
        """The runner's path on every node."""
        return self.path / "runner" / "__main__.py"

    def prepare(self) -> None:
        """Make the folders and put the runner there; raises EngineFault when that is not possible."""
        try:
            for part in ("held", "news", "jobs"):
                (self.path / part).mkdir(parents=True, exist_ok=True)
            self._copy_runner()
            self._give(self.path / "news")
        except OSError as error:
            raise EngineFault(f"{self.path}: {error.strerror}: the shared folder must be writable here") from error

    def _copy_runner(self) -> None:
        """Put the runner where the nodes see it, compiled for this machine's Python; gangs keep what they loaded."""
        folder = self.runner.parent
        folder.mkdir(exist_ok=True)
        for source in sorted(RUNNER.glob("*.py")):
            self._replace(folder / source.name, source.read_bytes(), mode=0o644)
        compileall.compile_dir(str(folder), quiet=2)

    def see_epoch(self, epoch: int) -> None:
        """Take note of an epoch; raises StaleEpoch when a higher one was seen, by whichever controller."""
        if self._epoch() == epoch:
            return
        with (self.path / "epoch.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            seen = self._epoch()
            if epoch < seen:
                raise StaleEpoch(f"epoch {epoch} is over: {seen} leads")
            self._replace(self.path / "epoch", str(epoch).encode())

    def _epoch(self) -> int:
        with suppress(FileNotFoundError):
            return int((self.path / "epoch").read_text())
        return 0

    def attempt(self, key: AttemptKey) -> Path:
        """The folder of an attempt."""
        return self.path / "jobs" / str(key.job) / str(key.attempt)

    def checkpoints(self, key: AttemptKey) -> Path:
        """The folder of the job's checkpoints."""
        return self.path / "jobs" / str(key.job) / "checkpoints"

    def open_attempt(self, key: AttemptKey, order: Order, runner: str) -> bool:
        """Write down that an attempt is about to be submitted; True when that had been written before.

        `runner` is the command line of the runner.
        """
        folder = self.attempt(key)
        known = folder.exists()
        parts = (folder.parent, self.checkpoints(key), folder.parent / "work", folder)
        for part in parts:
            part.mkdir(mode=0o700, exist_ok=True)
        self._write(folder / "order.json", order)
        news = str(self.path / "news" / f"{key}.started")
        text = script.ranks(order, str(folder), news, runner)
        self._replace(folder / "ranks.sh", text.encode(errors="surrogateescape"))
        self._replace(folder.parent / "current", str(key.attempt).encode())
        self.hold(key)
        self._give(*parts)
        return known

    def order(self, key: AttemptKey) -> Order | None:
        """What was ordered."""
        return _read(Order, self.attempt(key) / "order.json")

    def slurm(self, key: AttemptKey) -> Slurm | None:
        """The Slurm job of an attempt."""
        return _read(Slurm, self.attempt(key) / "slurm.json")

    def write_slurm(self, key: AttemptKey, job_id: int) -> None:
        """Keep the number of the Slurm job."""
        self._write(self.attempt(key) / "slurm.json", Slurm(job_id=job_id))

    def stop(self, key: AttemptKey) -> Stop | None:
        """When it was told to stop."""
        return _read(Stop, self.attempt(key) / "stop.json")

    def write_stop(self, key: AttemptKey, stop: Stop) -> None:
        """Keep that it was told to stop."""
        self._write(self.attempt(key) / "stop.json", stop)

    def over(self, key: AttemptKey) -> Over | None:
        """How it ended, as it was reported."""
        return _read(Over, self.attempt(key) / "over.json")

    def write_over(self, key: AttemptKey, over: Over) -> None:
        """Keep how it ended, so that it is reported the same way again."""
        self.attempt(key).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._write(self.attempt(key) / "over.json", over)

    def begun(self, key: AttemptKey) -> Begun | None:
        """The word that the first process runs: an empty file, whose time is the time."""
        with suppress(FileNotFoundError):
            return Begun(time_ms=(self.path / "news" / f"{key}.started").stat().st_mtime_ns // 1_000_000)
        return None

    def ending(self, key: AttemptKey) -> Ending | None:
        """The runner's word on how it ended."""
        return _read(Ending, self.path / "news" / f"{key}.ended")

    def claimed(self, key: AttemptKey) -> int:
        """The Slurm job that carries out the attempt; 0 when none has begun."""
        with suppress(FileNotFoundError, ValueError):
            return int((self.attempt(key) / "claim").read_text())
        return 0

    def news(self) -> set[AttemptKey]:
        """The attempts of which a runner said something."""
        return _keys(_NEWS, os.listdir(self.path / "news"))

    def news_changed_ns(self) -> int:
        """Changes whenever a runner says something."""
        return (self.path / "news").stat().st_mtime_ns

    def held(self) -> set[AttemptKey]:
        """The attempts that are not forgotten."""
        return _keys(_HELD, os.listdir(self.path / "held"))

    def hold(self, key: AttemptKey) -> None:
        """Keep an attempt until it is forgotten."""
        (self.path / "held" / str(key)).touch()

    def forget(self, key: AttemptKey) -> None:
        """Let go of an attempt; its folder stays."""
        for path in (f"held/{key}", f"news/{key}.started", f"news/{key}.ended"):
            (self.path / path).unlink(missing_ok=True)

    def saved_at_ms(self, key: AttemptKey) -> int:
        """When the newest file among the job's checkpoints was written; 0 when there is none."""
        newest = 0
        for folder, _, names in os.walk(self.checkpoints(key)):
            for name in names:
                with suppress(FileNotFoundError):
                    newest = max(newest, os.stat(os.path.join(folder, name)).st_mtime_ns)
        return newest // 1_000_000

    def read_log(self, key: AttemptKey, rank: int, offset: int, most: int) -> bytes:
        """A piece of a rank's output."""
        with suppress(FileNotFoundError), (self.attempt(key) / f"rank-{rank}.log").open("rb") as log:
            log.seek(offset)
            return log.read(most)
        return b""

    def _write(self, path: Path, value: BaseModel) -> None:
        self._replace(path, value.model_dump_json().encode())

    def _replace(self, path: Path, data: bytes, mode: int = 0o600) -> None:
        part = path.with_name(f"{path.name}.{os.getpid()}.{time.monotonic_ns()}")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
        self._give(part)
        part.replace(path)

    def _give(self, *paths: Path) -> None:
        """Root's files become the Slurm user's, who must read and write them on the nodes."""
        if os.geteuid() == 0 and self._user != "root":
            account = pwd.getpwnam(self._user)
            for path in paths:
                shutil.chown(path, account.pw_uid, account.pw_gid)


def _read(kind: type[_R], path: Path) -> _R | None:
    with suppress(FileNotFoundError, ValidationError):
        return kind.model_validate_json(path.read_bytes())
    return None


def _keys(pattern: re.Pattern[str], names: Iterable[str]) -> set[AttemptKey]:
    matches = (pattern.fullmatch(name) for name in names)
    return {AttemptKey(int(match[1]), int(match[2])) for match in matches if match}
