"""How long will it run? Quantiles of past run times per (user, job name), else per user, else a share of the limit.

Each entry of the bounded table is a histogram of run times in half-octaves from one second up. An entry that is asked
for under another key is reused for the new one, and halved when it is full, so that old habits fade. All integers.
"""

from gridhall.kernel import Columns, column, kernel

BUCKETS = 48
ENTRIES = 1 << 14
LEAST_SAMPLES = 3
FULL = 96
HALF_OCTAVE_MILLI = 1414
"""The square root of two, per mille."""


class PredictorColumns(Columns):
    """Bounded tables: keys, samples, and histograms of BUCKETS counts each."""

    seen_key = column(ENTRIES)
    seen_samples = column(ENTRIES)
    seen_counts = column(ENTRIES, BUCKETS)


@kernel
def entry_key(user: int, name: int) -> int:
    """A key for a user's job name (name >= 0) or for the user as a whole (name = -1); never 0."""
    return (user + 1) * 1048576 + name + 2


@kernel
def entry_place(key: int) -> int:
    """Where a key stands in the table: a multiplicative hash within 62 bits."""
    mixed = ((key & 0x7FFFFFFF) * 1103515245 + (key >> 31) * 12345 + 12345) & 0x3FFFFFFFFFFF
    return (mixed >> 16) & (ENTRIES - 1)


@kernel
def bucket_of(duration_ms: int) -> int:
    """The half-octave of a duration: 0 up to one second, then two buckets for every doubling."""
    rest = duration_ms // 1000
    bucket = 0
    edge = 1000
    while rest > 1 and bucket < BUCKETS - 2:
        rest >>= 1
        edge <<= 1
        bucket += 2
    return bucket + 1 if duration_ms * 1000 >= edge * HALF_OCTAVE_MILLI else bucket


@kernel
def bucket_middle_ms(bucket: int) -> int:
    """The geometric middle of a half-octave."""
    return (1000 << (bucket >> 1)) * (1682 if bucket & 1 else 1189) // 1000


@kernel
def learn_one(w: PredictorColumns, key: int, duration_ms: int) -> None:
    """Count one run time under one key."""
    place = entry_place(key)
    base = place * BUCKETS
    if w.seen_key[place] != key:
        w.seen_key[place] = key
        w.seen_samples[place] = 0
        for bucket in range(BUCKETS):
            w.seen_counts[base + bucket] = 0
    w.seen_counts[base + bucket_of(duration_ms)] += 1
    w.seen_samples[place] += 1
    if w.seen_samples[place] >= FULL:
        kept = 0
        for bucket in range(BUCKETS):
            w.seen_counts[base + bucket] >>= 1
            kept += w.seen_counts[base + bucket]
        w.seen_samples[place] = kept


@kernel
def learn(w: PredictorColumns, user: int, name: int, duration_ms: int) -> None:
    """Remember how long a job ran."""
    learn_one(w, entry_key(user, name), duration_ms)
    learn_one(w, entry_key(user, -1), duration_ms)


@kernel
def predict(w: PredictorColumns, user: int, name: int, limit_ms: int, quantile_milli: int) -> int:
    """The run time in ms that a share of like jobs stayed under; at most the limit (0 = no limit)."""
    result = limit_ms // 2 if limit_ms > 0 else 3600000
    place = entry_place(entry_key(user, name))
    if w.seen_key[place] != entry_key(user, name) or w.seen_samples[place] < LEAST_SAMPLES:
        place = entry_place(entry_key(user, -1))
        if w.seen_key[place] != entry_key(user, -1) or w.seen_samples[place] < LEAST_SAMPLES:
            return result
    wanted = w.seen_samples[place] * quantile_milli
    total = 0
    for bucket in range(BUCKETS):
        total += w.seen_counts[place * BUCKETS + bucket] * 1000
        if total >= wanted and total > 0:
            result = bucket_middle_ms(bucket)
            break
    return min(result, limit_ms) if limit_ms > 0 else result
