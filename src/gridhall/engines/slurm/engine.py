"""The engine of a site that runs on Slurm: takes orders, and hands back what the book and the poller find out."""

import asyncio
import shlex
from collections.abc import Sequence

from gridhall.engines.protocol import Ability, AttemptKey, EngineFault, OnReport, StartOrder, StopOrder
from gridhall.engines.slurm import script
from gridhall.engines.slurm.answers import SUSPENDED
from gridhall.engines.slurm.book import Attempt, Book, now_ms
from gridhall.engines.slurm.command import call
from gridhall.engines.slurm.folder import Folder
from gridhall.engines.slurm.poller import Poller
from gridhall.engines.slurm.records import Over, Stop
from gridhall.engines.slurm.rest import Refused, Rest
from gridhall.engines.slurm.settings import SlurmSettings
from gridhall.engines.slurm.submission import Impossible, check, runner_order, submission


class SlurmEngine:
    """The hands of one Slurm cluster."""

    def __init__(self, settings: SlurmSettings) -> None:
        self._settings = settings
        self._folder = Folder(settings.shared_folder, settings.user)
        self._book = Book(self._folder)
        self._rest = Rest(settings)
        self._poller = Poller(settings, self._rest, self._book)

    @property
    def name(self) -> str:
        """`slurm:` and the site."""
        return f"slurm:{self._settings.site}"

    @property
    def abilities(self) -> frozenset[Ability]:
        """Slurm suspends and resumes; a job may save itself when it is told to stop."""
        return frozenset({Ability.PAUSE, Ability.CHECKPOINT})

    async def open(self, on_report: OnReport) -> None:
        """Take up what is there and begin to watch; raises EngineFault when the cluster cannot be reached."""
        self._folder.prepare()
        self._book.say = on_report
        for key in sorted(self._folder.held()):
            attempt = self._book.load(key)
            if not attempt.slurm_id and not attempt.over:
                del self._book.attempts[key]  # written down, never submitted; if it was, Slurm's list has it
        await self._poller.look()
        for attempt in list(self._book.attempts.values()):
            self._book.say_again(attempt)
        self._poller.begin()

    async def start(self, order: StartOrder) -> None:
        """Submit an attempt unless it is known. Raises StaleEpoch, and EngineFault while Slurm cannot be asked."""
        self._folder.see_epoch(order.epoch)
        attempt = self._book.attempts.setdefault(order.key, Attempt(order.key))
        async with attempt.lock:
            if self._book.known(order.key):
                self._book.say_again(attempt)
            else:
                await self._submit(attempt, order)

    async def _submit(self, attempt: Attempt, order: StartOrder) -> None:
        attempt.nodes = tuple(self._settings.slurm_node(place.node) for place in order.places)
        attempt.saved_ms = order.saved_ms
        try:
            check(order, self._settings)
            attempt.slurm_id = await self._find_or_submit(order)
        except (Impossible, Refused) as refusal:
            over = Over(kind="lost", time_ms=now_ms(), saved_ms=order.saved_ms, reason=f"not started: {refusal}")
            self._book.close(attempt, over)
        else:
            self._book.take(attempt, attempt.slurm_id)

    async def _find_or_submit(self, order: StartOrder) -> int:
        """The number of the attempt's Slurm job; one that an earlier, unanswered submission made is found by name."""
        told = runner_order(order, self._settings, self._poller.addresses)
        runner = shlex.join((self._settings.python, "-E", "-s", "-S", str(self._folder.runner)))
        if self._folder.open_attempt(order.key, told, runner):
            jobs = self._poller.ours(await self._rest.jobs())
            if order.key in jobs:
                return min(job.job_id for job in jobs[order.key])
        folder = str(self._folder.attempt(order.key))
        batch = script.start(told, folder, runner)
        return await self._rest.submit(submission(order, self._settings, folder, batch))

    async def stop(self, order: StopOrder) -> None:
        """Begin to stop an attempt; one that is over is reported again. Raises StaleEpoch, EngineFault."""
        self._folder.see_epoch(order.epoch)
        attempt = self._book.known(order.key)
        if attempt is None:
            attempt = self._book.attempts.setdefault(order.key, Attempt(order.key))
            self._book.close(attempt, Over(kind="lost", time_ms=now_ms(), reason="Slurm was never asked to run it"))
        elif attempt.over:
            self._book.say_again(attempt)
        elif attempt.stop is None:
            attempt.stop = Stop(time_ms=now_ms(), grace_ms=order.grace_ms)
            self._folder.write_stop(order.key, attempt.stop)
            await self._end(attempt)

    async def _end(self, attempt: Attempt) -> None:
        """Tell a gang to end, or cancel it where nothing runs yet; the poller kills it when its grace is over."""
        if not attempt.started:
            await self._rest.cancel(attempt.slurm_id)
            return
        if attempt.told_still or (attempt.job and attempt.job.job_state == SUSPENDED):
            await self._ask("resume", attempt, still=False)
        # srun kills its tasks when it gets SIGTERM itself, so only the steps of a gang over several nodes are told
        scope = () if len(attempt.nodes) > 1 else ("--full",)
        try:
            await call(("scancel", "--signal=TERM", *scope, str(attempt.slurm_id)), self._settings.slurm_conf)
        finally:
            self._poller.hurry()

    async def forget(self, key: AttemptKey, epoch: int) -> None:
        """Let go of an attempt whose end is durable."""
        self._folder.see_epoch(epoch)
        self._folder.forget(key)
        self._book.attempts.pop(key, None)

    async def running(self) -> Sequence[AttemptKey]:
        """Every attempt that it holds."""
        return sorted(key for key in self._book.attempts if self._book.known(key))

    async def read_log(self, key: AttemptKey, rank: int, offset: int, most: int) -> bytes:
        """A piece of a rank's output."""
        return await asyncio.to_thread(self._folder.read_log, key, rank, offset, most)

    async def pause(self, key: AttemptKey, epoch: int) -> None:
        """Suspend a gang: its processes stop, its GPUs stay with it. Raises StaleEpoch, EngineFault."""
        await self._switch("suspend", key, epoch, still=True)

    async def resume(self, key: AttemptKey, epoch: int) -> None:
        """Let a suspended gang go on. Raises StaleEpoch, EngineFault."""
        await self._switch("resume", key, epoch, still=False)

    async def _switch(self, verb: str, key: AttemptKey, epoch: int, still: bool) -> None:
        self._folder.see_epoch(epoch)
        attempt = self._book.known(key)
        if attempt is None or attempt.over or attempt.stop:
            return
        attempt.told_still = still
        await self._ask(verb, attempt, still)
        attempt.still, attempt.switched_ms = None, now_ms()
        self._poller.hurry()

    async def _ask(self, verb: str, attempt: Attempt, still: bool) -> None:
        """Suspend or resume; Slurm refuses what stands so already, which is no fault."""
        try:
            await self._scontrol(verb, str(attempt.slurm_id))
        except EngineFault:
            jobs = self._poller.ours(await self._rest.jobs()).get(attempt.key, [])
            if not all(job.final or (job.job_state == SUSPENDED) == still for job in jobs):
                raise

    async def drain(self, node: str, reason: str, epoch: int) -> None:
        """Let a node take no more work; what runs on it goes on. Raises StaleEpoch, EngineFault."""
        self._folder.see_epoch(epoch)
        named = f"nodename={self._settings.slurm_node(node)}"
        await self._scontrol("update", named, "state=drain", f"reason={reason}")
        self._poller.hurry()

    async def undrain(self, node: str, epoch: int) -> None:
        """Let a drained node take work again. Raises StaleEpoch, EngineFault."""
        self._folder.see_epoch(epoch)
        await self._scontrol("update", f"nodename={self._settings.slurm_node(node)}", "state=resume")
        self._poller.hurry()

    async def _scontrol(self, *arguments: str) -> None:
        await call(("scontrol", *arguments), self._settings.slurm_conf)

    async def close(self) -> None:
        """Stop watching; the work goes on."""
        await self._poller.end()
        await self._rest.close()
