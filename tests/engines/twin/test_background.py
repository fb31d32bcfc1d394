"""Background load: the generator's jobs as submissions, the same for the same seed wherever the stream begins."""

from datetime import UTC, datetime
from itertools import islice, takewhile

from gridhall.engines.twin.background import Submission, submissions
from gridhall.engines.twin.script import EXIT, SECONDS
from gridhall.fleet.synthetic import uniform_fleet
from gridhall.units import DAY_MS, HOUR_MS, utc_ms
from gridhall.work.profiles import profile

FLEET = uniform_fleet(1_152, shares=(60, 40), hardware="h100", nodes_per_rack=4, sharing_milli=200)
PROFILE = profile("training-cloud", projects=12, organisations=3)
NOON = utc_ms(datetime(2026, 7, 1, 12, tzinfo=UTC))


def first(count: int, from_ms: int = NOON, seed: int = 7, jobs_a_day: int = 400) -> list[Submission]:
    return list(islice(submissions(FLEET, PROFILE, seed, from_ms, load=0.8, jobs_a_day=jobs_a_day), count))


def test_submissions_come_in_order_from_the_time_asked_for() -> None:
    times = [each.time_ms for each in first(900)]
    assert times == sorted(times)
    assert NOON <= times[0] < NOON + HOUR_MS
    assert times[-1] > NOON + 2 * DAY_MS


def test_a_stream_taken_up_later_is_the_same_stream() -> None:
    whole, later = first(900), first(300, NOON + DAY_MS)
    assert [each for each in whole if each.time_ms >= NOON + DAY_MS][:300] == later
    assert first(20) != first(20, seed=8)


def test_the_people_are_the_same_every_day() -> None:
    days = [{each.user for each in first(900, NOON + day * DAY_MS)} for day in range(2)]
    assert days[0] & days[1]


def test_a_day_has_the_jobs_and_the_load_that_were_asked_for() -> None:
    days = takewhile(lambda each: each.time_ms < NOON + DAY_MS * 3 // 2, iter(first(1_500, NOON + DAY_MS // 2)))
    day = list(days)
    assert len(day) == 400
    gpu_s = sum(each.gpus * each.gpu_milli / 1000 * int(each.environment[SECONDS]) for each in day)
    assert 0.3 < gpu_s / (1_152 * 86_400) < 2.0


def test_everything_about_a_submission_says_that_it_is_synthetic() -> None:
    for each in first(50):
        assert all(word.startswith("synthetic") for word in (each.user, each.name))
        assert each.command == ("simulated-work",)
        assert int(each.environment[SECONDS]) >= 1
        assert each.environment[EXIT] in ("0", "1")
        assert set(each.sites) < set(FLEET.site_names)
        assert (each.gpu_milli < 1000) <= (each.gpus == 1)
