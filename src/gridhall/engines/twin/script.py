"""What is to become of a gang on the paced twin: drawn from the seed, or told by the order.

How long a job runs follows the law of the `training-cloud` profile: a log-normal around what its user's name for it
usually takes, so that a predictor can learn it. Whether and how it writes checkpoints follows the generator's rule.
The draws are keyed by the job (and by user and name for what they share), so that every attempt of a job has the same
work to do, whatever else runs. Start-up takes between half and one and a half of the settings' delay (assumed).

An order's environment may say it instead: `GRIDHALL_TWIN_SECONDS` of work, ending with `GRIDHALL_TWIN_EXIT` (0 if
left out), a checkpoint every `GRIDHALL_TWIN_CHECKPOINT_SECONDS`.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from gridhall.engines.protocol import AttemptKey, EngineFault, StartOrder
from gridhall.engines.twin.settings import WorldSettings
from gridhall.units import MINUTE_MS, SECOND_MS
from gridhall.work import draws
from gridhall.work.profiles import CLOUD
from gridhall.work.table import OUTCOMES, Ints

SECONDS = "GRIDHALL_TWIN_SECONDS"
EXIT = "GRIDHALL_TWIN_EXIT"
CHECKPOINT_SECONDS = "GRIDHALL_TWIN_CHECKPOINT_SECONDS"
MOST_SECONDS = 10 * 365 * 86_400
EXIT_CODES = (-64, 255)

JOB_STREAM, ATTEMPT_STREAM, NAME_STREAM = 31, 32, 33
MOST_ATTEMPTS = 1 << 20
"""Attempts of one job that get draws of their own."""


@dataclass(frozen=True, slots=True)
class Script:
    """The truth about one attempt, in ms.

    `total_ms` is the useful work of the whole job, `saved_ms` what earlier attempts saved of it. `checkpoint_ms` of
    work alternate with `cost_ms` of writing (0 = it saves nothing). `limit_ms` 0 = none.
    """

    delay_ms: int
    total_ms: int
    saved_ms: int
    exit_code: int
    checkpoint_ms: int
    cost_ms: int
    limit_ms: int

    @property
    def run_ms(self) -> int:
        """From the first process to the end of the work, if nothing comes between: work and the checkpoints in it."""
        rest_ms = max(1, self.total_ms - self.saved_ms)
        writes = (rest_ms - 1) // self.checkpoint_ms if self.checkpoint_ms else 0
        return rest_ms + writes * self.cost_ms

    def saved_after(self, ran_ms: int, wanted: bool) -> int:
        """Useful work that outlives a stop: of whole cycles, and with one more checkpoint if there is time for it."""
        if ran_ms <= 0 or not self.checkpoint_ms:
            return self.saved_ms
        cycles, rest_ms = divmod(ran_ms, self.checkpoint_ms + self.cost_ms)
        saved_ms = self.saved_ms + cycles * self.checkpoint_ms
        if wanted:
            saved_ms += min(self.checkpoint_ms, rest_ms)
        return min(saved_ms, self.total_ms)


def script(order: StartOrder, seed: int, settings: WorldSettings) -> Script:
    """What becomes of an attempt. Raises EngineFault where the order's environment says what cannot be read."""
    of_length, of_end, of_saving = draws.words(seed, JOB_STREAM, order.key.job, 3)[:, None]
    told_ms = _told(order.environment, SECONDS, 1, MOST_SECONDS) * SECOND_MS
    total_ms = told_ms or _drawn_ms(of_length, _of_name(seed, order.user, order.name))
    checkpoint_ms, cost_ms = _checkpoints(order, total_ms, of_saving)
    return Script(
        delay_ms=_delay_ms(order.key, order.saved_ms, seed, settings),
        total_ms=total_ms,
        saved_ms=min(order.saved_ms, total_ms),
        exit_code=_told(order.environment, EXIT, *EXIT_CODES) if told_ms else _drawn_exit(of_end),
        checkpoint_ms=checkpoint_ms,
        cost_ms=cost_ms,
        limit_ms=order.limit_ms,
    )


def _told(environment: Mapping[str, str], name: str, least: int, most: int) -> int:
    """A whole number of the order's environment; 0 where it has none."""
    text = environment.get(name)
    if text is None:
        return 0
    try:
        number = int(text)
    except ValueError:
        number = most + 1
    if not least <= number <= most:
        raise EngineFault(f"{name}={text!r} is no whole number from {least} to {most}")
    return number


def _delay_ms(key: AttemptKey, saved_ms: int, seed: int, settings: WorldSettings) -> int:
    """From the order to the first process; a job that goes on reads its checkpoint first."""
    again = key.attempt > 1 or saved_ms > 0
    usual_ms = settings.restart_delay_ms if again else settings.start_delay_ms
    word = draws.words(seed, ATTEMPT_STREAM, key.job * MOST_ATTEMPTS + key.attempt % MOST_ATTEMPTS, 1)
    return usual_ms // 2 + usual_ms * int(draws.bits(word, 0, 10)[0]) // 1024


def _drawn_ms(of_job: Ints, of_name: int) -> int:
    """Log-normal with the profile's mean; most of its spread belongs to the user and the name."""
    spread = CLOUD.sigma_names**2 + CLOUD.sigma_jobs**2
    median_ms = CLOUD.mean_run_s * SECOND_MS * math.exp(-spread / 2)
    offset = of_name + _offset(CLOUD.sigma_jobs, of_job)
    most_ms, least_ms = median_ms * CLOUD.cut, CLOUD.least_run_s * SECOND_MS
    return round(min(most_ms, max(least_ms, median_ms * math.exp(offset / draws.LOG_UNIT))))


@lru_cache(maxsize=65_536)
def _of_name(seed: int, user: str, name: str) -> int:
    """What a user's name for a job tells of its length, in LOG_UNIT."""
    named = hashlib.sha256(f"{user}\0{name}".encode()).digest()
    return _offset(CLOUD.sigma_names, draws.words(seed, NAME_STREAM, int.from_bytes(named[:8], "big"), 1))


def _offset(sigma: float, word: Ints) -> int:
    return int(_normal(sigma)[draws.bits(word, 0, draws.NORMAL_BITS)[0]])


@lru_cache(maxsize=4)
def _normal(sigma: float) -> Ints:
    return draws.normal(sigma)


def _drawn_exit(word: Ints) -> int:
    """1 for the profile's share of failures, else 0: what a user would cancel ends well here, nobody cancels it."""
    fails = CLOUD.outcomes[OUTCOMES.index("failed")] * 1024
    return int(draws.bits(word, 0, 10)[0] < fails)


def _checkpoints(order: StartOrder, total_ms: int, word: Ints) -> tuple[int, int]:
    """Interval and cost: of large or long jobs, as the generator draws them, unless the order says how often."""
    cost_ms = (10 + 2 * int(draws.bits(word, 5, 5)[0])) * SECOND_MS
    told_ms = _told(order.environment, CHECKPOINT_SECONDS, 1, MOST_SECONDS) * SECOND_MS
    if told_ms:
        return told_ms, cost_ms
    gpus = sum(len(place.gpus) for place in order.places)
    saves = gpus >= CLOUD.checkpoint_from_gpus or total_ms >= CLOUD.checkpoint_from_s * SECOND_MS
    return ((30 + int(draws.bits(word, 0, 5)[0])) * MINUTE_MS, cost_ms) if saves else (0, 0)
