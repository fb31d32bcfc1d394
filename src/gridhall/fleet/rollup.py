"""What a fleet adds up to, as data: the answers of `check`.

Watts are IT watts with every GPU at its limit (what a start commits), unless a name says otherwise. Capacity that is
paused counts as GPUs of status `paused`, but never in a peak, a bottleneck or the timeline.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class FeedRollup:
    """A grid feed against the most that its racks ever commit at one time."""

    name: str
    limit_mw: float
    limit_kind: str
    min_mw: float | None
    default_mw: float | None
    peak_it_w: int
    peak_site_w: int  # peak IT times the declared PUE: what the meter would read

    @property
    def share(self) -> float:
        """Peak over limit; above 1 the feed cannot carry every rack at full load."""
        return self.peak_site_w / (self.limit_mw * 1e6) if self.limit_mw else float("inf")


@dataclass(frozen=True)
class ClaimRollup:
    """What was said about a site beside what the file models (None where nothing is modelled)."""

    what: str
    claimed: float
    kind: str
    source: str | None
    as_of: str | None
    modelled: float | None


@dataclass(frozen=True)
class SiteRollup:
    """One site when all of it that is not paused is on line together, at its peak."""

    site: str
    country: str
    operator: str
    owner: str | None
    landlord: str | None
    status: str
    pue: float
    racks: int
    gpus: int  # modelled, paused ones included
    gpus_by_status: dict[str, int]
    gpus_by_kind: dict[str, int]  # by what the figure `count` rests on
    peak_gpus: int
    peak_it_w: int
    peak_site_w: int
    capex_usd: int  # of the racks that come on line
    feeds: tuple[FeedRollup, ...]
    claims: tuple[ClaimRollup, ...]


@dataclass(frozen=True)
class HallBottleneck:
    """The power node above a hall that runs out first when every rack of the site is at full load."""

    hall: str
    hardware: str
    racks: int
    gpus: int
    paused_gpus: int
    peak_it_w: int
    node: str
    node_kind: str
    limit_w: int
    load_w: int  # most that all racks below the node commit at one time

    @property
    def share(self) -> float:
        """Load over limit; above 1 the node binds before the racks do."""
        return self.load_w / self.limit_w if self.limit_w else float("inf")


@dataclass(frozen=True)
class ReadyStep:
    """The fleet from `time_ms` on (0 = from the start)."""

    time_ms: int
    added_gpus: int
    retired_gpus: int
    online_gpus: int
    online_it_w: int
    capex_usd: int  # of everything that has come on line so far
    online_by_site: dict[str, int]


@dataclass(frozen=True)
class Rollup:
    """The whole fleet."""

    title: str
    notes: tuple[str, ...]
    sources: dict[str, str]
    racks: int
    nodes: int
    gpus: int
    gpus_by_status: dict[str, int]
    gpus_by_kind: dict[str, int]
    gpus_by_country: dict[str, int]
    gpus_by_hardware: dict[str, int]
    peak_gpus: int
    peak_it_w: int
    peak_site_w: int
    capex_usd: int
    gpus_without_capex: int
    sites: tuple[SiteRollup, ...]
    halls: tuple[HallBottleneck, ...]
    timeline: tuple[ReadyStep, ...]
    warnings: tuple[str, ...]
