"""The scenario file: one question to the twin, written down.

It names a fleet, a span of time, where the work comes from, who the tenants are, how things fail, what energy costs and
what the grid asks for.
Paths are relative to the scenario. `scenario_file.load_scenario` reads the file, lays `--set key=value` over it and
checks it whole; `assemble.to_plan` turns it into what the twin runs.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from gridhall.engines.twin.series import ConstantSeries, Series
from gridhall.fleet.figures import Part
from gridhall.units import DAY_MS, utc_ms


def _midnight(raw: Any) -> Any:
    if isinstance(raw, date) and not isinstance(raw, datetime):
        return datetime(raw.year, raw.month, raw.day, tzinfo=UTC)
    return raw


Moment = Annotated[datetime, BeforeValidator(_midnight)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Tier = Literal["rigid", "slow10", "slow25", "slow50", "deferrable", "movable"]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class GeneratorWork(Part):
    """Synthetic work of a profile.

    `load` is the share of the GPU-time on line that is asked for; submissions follow the build-out. With `load` and
    `jobs` run times are stretched to meet both; with one of them they are as published, and the other follows. `tiers`
    are shares of the jobs by flex tier, those not named have none; empty = the profile's.
    """

    profile: str
    load: Annotated[float, Field(gt=0, le=3)] | None = None
    jobs: Annotated[int, Field(ge=1)] | None = None
    tiers: dict[Tier, NotNegative] | None = None

    @field_validator("tiers")
    @classmethod
    def _whole(cls, tiers: dict[Tier, float] | None) -> dict[Tier, float] | None:
        if tiers is not None and abs(sum(tiers.values()) - 1) > 1e-6:
            raise ValueError(f"the shares add up to {sum(tiers.values()):g}; they must add up to 1")
        return tiers


class TraceWork(Part):
    """Recorded work. `align: start` moves the first submission to the start of the scenario."""

    format: Literal["sacct", "swf", "openb", "m100", "csv", "parquet"]
    path: str
    mapping: str | None = None  # mapping file for csv and parquet
    cpu_jobs: bool = False  # keep openb's pods without GPUs
    align: Literal["start", "recorded"] = "start"


class Work(Part):
    """Where jobs come from: one of the two."""

    generator: GeneratorWork | None = None
    trace: TraceWork | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "Work":
        if (self.generator is None) == (self.trace is None):
            raise ValueError("work comes from either `generator` or `trace`; give exactly one of them")
        return self


class ProjectShare(Part):
    """What one project may use: its weight in fair share, and GPUs (empty = no quota of its own)."""

    name: str
    weight: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    quota_gpus: Annotated[int, Field(ge=0)] | None = None
    borrow_gpus: Annotated[int, Field(ge=0)] | None = None
    lend_gpus: Annotated[int, Field(ge=0)] | None = None


class OrganisationShare(ProjectShare):
    """An organisation's share, and those of its projects that are not like the others."""

    projects: tuple[ProjectShare, ...] = ()


class Tenancy(Part):
    """Shares of the fleet; who is not listed has weight 100.

    With `quota_share`, that share of the fleet's GPUs is divided evenly among the organisations that are not listed;
    they may borrow and lend without limit.
    """

    quota_share: Annotated[float, Field(gt=0, le=10)] | None = None
    organisations: tuple[OrganisationShare, ...] = ()


class Failures(Part):
    """How nodes fail and are mended. Rates are interruptions per 1,000 node-days; repair is log-normal."""

    rate_per_1000_node_days: NotNegative = 2.34
    repair_median_h: Positive = 6.0
    repair_sigma: NotNegative = 0.8
    source: str = "rate: Meta, RSC-2 (HPCA 2025), published for eight-GPU nodes; repair times: assumed"


class Timings(Part):
    """How long the world takes to act, in seconds."""

    start_s: NotNegative = 60.0  # from the start effect until a gang computes
    restart_s: NotNegative = 300.0  # from a restart until a gang computes again (u0 of the ETTR formula)
    stop_s: NotNegative = 2.0  # from a wanted stop until the last checkpoint's first byte


class Draw(Part):
    """What machines draw: share of a job's charged watts above idle, and whether power is written by the minute."""

    share_of_charged: Annotated[float, Field(gt=0, le=1)] = 0.9
    by_minute: bool = True


class EnergyPrices(Part):
    """Prices of electricity by country, per MWh of `currency`."""

    currency: Currency = "GBP"
    default: Series = ConstantSeries(kind="constant", value=0.0)
    by_country: dict[str, Series] = Field(default_factory=dict[str, Series])

    def of(self, country: str) -> Series:
        """The series of a country."""
        return self.by_country.get(country, self.default)


class CarbonIntensity(Part):
    """Grams of CO2-equivalent per kWh by country."""

    default: Series = ConstantSeries(kind="constant", value=0.0)
    by_country: dict[str, Series] = Field(default_factory=dict[str, Series])

    def of(self, country: str) -> Series:
        """The series of a country."""
        return self.by_country.get(country, self.default)


class LoadTarget(Part):
    """The most that a feed may draw at its meter from a moment until another; `feed` is a name such as `lon/feed`."""

    feed: str
    start: Moment
    end: Moment
    limit_mw: NotNegative


class MoneyLine(Part):
    """An announced sum, drawn as a line against the money spent; `label` says how it is read."""

    value_usd: Positive
    label: str = Field(min_length=1)
    source: str = Field(min_length=1)


class Money(Part):
    """Prices and costs. Rates need a fictional `operator`: the margin of a real company is not ours to invent."""

    currency: Currency = "USD"
    # Units of `currency` for one unit of another one.
    exchange: dict[str, Positive] = Field(default_factory=dict[str, Positive])
    line: MoneyLine | None = None
    operator: str | None = None
    fictional: bool = False
    gpu_hour_rates: dict[str, Positive] = Field(default_factory=dict[str, Positive])
    asset_life_years: Positive = 5.0
    source: str = ""

    @model_validator(mode="after")
    def _fictional_only(self) -> "Money":
        if self.gpu_hour_rates and not (self.fictional and self.operator):
            raise ValueError("prices are drawn for a fictional operator only; give `operator` and `fictional: true`")
        return self


class Scenario(Part):
    """A whole scenario file. `fleet` is a fleet file, or a CSV of nodes with openb's columns."""

    title: str = Field(min_length=1)
    notes: tuple[str, ...] = ()
    fleet: str
    start: Moment
    end: Moment | None = None
    days: Positive | None = None
    seed: Annotated[int, Field(ge=0, lt=1 << 63)] = 1
    tick_s: Annotated[float, Field(ge=1, le=86_400)] | None = None  # the controller's tick; empty = the policy's
    work: Work
    tenancy: Tenancy = Tenancy()
    policy: str | None = None
    failures: Failures = Failures()
    timings: Timings = Timings()
    draw: Draw = Draw()
    price: EnergyPrices = EnergyPrices()
    carbon: CarbonIntensity = CarbonIntensity()
    targets: tuple[LoadTarget, ...] = ()
    money: Money = Money()

    @field_validator("tenancy", mode="before")
    @classmethod
    def _even(cls, raw: Any) -> Any:
        return {} if raw == "even" else raw

    @model_validator(mode="after")
    def _has_an_end(self) -> "Scenario":
        if (self.end is None) == (self.days is None):
            raise ValueError("give either `end` or `days`")
        if self.end_ms <= self.start_ms:
            raise ValueError("the scenario ends before it starts; give a later `end`")
        return self

    @property
    def start_ms(self) -> int:
        """Start, ms UTC."""
        return utc_ms(self.start)

    @property
    def end_ms(self) -> int:
        """End, ms UTC."""
        return utc_ms(self.end) if self.end else self.start_ms + round((self.days or 0) * DAY_MS)
