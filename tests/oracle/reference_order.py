"""What time and experience change: fair share by formula, and run times learned as lists of counts."""

from gridhall.scheduling import queue as q
from tests.oracle.reference_passes import accrue
from tests.oracle.reference_state import State

BUCKETS = 48
ENTRIES = 1 << 14


def refresh_fair_share(s: State) -> None:
    """Decay every project's use; its delay follows its share against its due, the organisation's counting twice."""
    for number, project in enumerate(s.projects):
        accrue(s, number)
        project.use_s = project.use_s * s.policy[q.P_FAIR_KEEP_MILLI] // 1_000_000
    total = sum(project.use_s for project in s.projects)
    for project in s.projects:
        siblings = [each for each in s.projects if each.organisation == project.organisation]
        used = sum(each.use_s for each in siblings)
        outer = over_milli(used, total, s.organisation_weights[project.organisation], sum(s.organisation_weights))
        inner = over_milli(project.use_s, used, project.weight, sum(each.weight for each in siblings))
        project.delay_ms = s.policy[q.P_FAIR_MS] * (2 * outer + inner) // 3000


def over_milli(use: int, all_use: int, weight: int, all_weights: int) -> int:
    """How far a share of use is above the share due, per mille of the due, between -1000 and 3000."""
    if all_use <= 0 or weight <= 0:
        return 0
    due_ppm = max(1, weight * 1_000_000 // all_weights)
    return min(3000, max(-1000, use * 1_000_000 // all_use * 1000 // due_ppm - 1000))


def table_key(user: int, name: int) -> int:
    return (user + 1) * 1048576 + name + 2


def table_place(key: int) -> int:
    """Two keys with the same place share one entry, which is the last one's."""
    mixed = ((key & 0x7FFFFFFF) * 1103515245 + (key >> 31) * 12345 + 12345) & 0x3FFFFFFFFFFF
    return (mixed >> 16) % ENTRIES


def bucket_of(duration_ms: int) -> int:
    """Two buckets for every doubling from one second up; the upper one begins at 1.414 times the doubling."""
    doublings = max(0, (duration_ms // 1000).bit_length() - 1)
    doublings = min(doublings, BUCKETS // 2 - 1)
    return 2 * doublings + (duration_ms * 1000 >= (1000 << doublings) * 1414)


def learn(s: State, user: int, name: int, duration_ms: int) -> None:
    """Remember a run time under the user's job name and under the user; every count is halved at 96 samples."""
    for key in (table_key(user, name), table_key(user, -1)):
        known, counts = s.learned.get(table_place(key), (key, [0] * BUCKETS))
        counts = list(counts) if known == key else [0] * BUCKETS
        counts[bucket_of(duration_ms)] += 1
        if sum(counts) >= 96:
            counts = [count // 2 for count in counts]
        s.learned[table_place(key)] = key, counts


def predict(s: State, user: int, name: int, limit_ms: int, quantile_milli: int) -> int:
    """The quantile of past run times of the same name, else of the same user, else half the limit or an hour."""
    for key in (table_key(user, name), table_key(user, -1)):
        known, counts = s.learned.get(table_place(key), (key, [0] * BUCKETS))
        if known == key and sum(counts) >= 3:
            break
    else:
        return limit_ms // 2 if limit_ms > 0 else 3_600_000
    wanted = sum(counts) * quantile_milli
    reached = [bucket for bucket in range(BUCKETS) if sum(counts[: bucket + 1]) > 0]
    bucket = next(each for each in reached if sum(counts[: each + 1]) * 1000 >= wanted)
    middle_ms = (1000 << bucket // 2) * (1682 if bucket % 2 else 1189) // 1000
    return min(middle_ms, limit_ms) if limit_ms > 0 else middle_ms
