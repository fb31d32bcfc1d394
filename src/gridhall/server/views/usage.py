"""Usage as objects: intervals cut to a span, and totals."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field

from gridhall.money.intervals import Basis, UsageInterval, cut, weakest
from gridhall.money.rating import Charge
from gridhall.server.live.metering import Meters
from gridhall.server.objects.usage import Charge as ChargeObject
from gridhall.server.objects.usage import ChargeTotal, Usage, UsageTotal
from gridhall.server.queries.intervals import Span, Sum


def within_span(interval: UsageInterval, span: Span, meters: Meters) -> UsageInterval:
    """The part of an interval that lies in a span, with its own energy and carbon."""
    later = cut(interval, span.from_ms)[-1]
    part = cut(later, span.until_ms)[0]
    return interval if part is interval else meters.attributed(part)


def usage_object(interval: UsageInterval, goes_on: bool) -> Usage:
    """An interval as it is read."""
    values = {name: value for name, value in asdict(interval).items() if name != "state"}
    return Usage(id=interval.id, gpu_milli_ms=interval.gpu_milli_ms, open=goes_on, **values)


def sums_of(intervals: Iterable[UsageInterval]) -> Iterator[Sum]:
    """Each interval as the sum of itself."""
    for each in intervals:
        place = (each.organisation, each.project, each.site, each.country, each.sku, each.tier)
        group = (*place, each.energy_basis, each.carbon_basis)
        yield Sum(group, 1, each.gpu_milli_ms, each.energy_mj, each.carbon_mg)


def totals_of(sums: Iterable[Sum]) -> list[UsageTotal]:
    """Totals by organisation, project, site, country, SKU and tier."""
    found: dict[tuple[str, ...], UsageTotal] = {}
    for each in sums:
        key = each.group[:6]
        one = _total(each)
        found[key] = one if key not in found else _added(found[key], one)
    return [found[key] for key in sorted(found)]


def _total(each: Sum) -> UsageTotal:
    organisation, project, site, country, sku, tier, energy, carbon = each.group
    return UsageTotal(
        organisation=organisation,
        project=project,
        site=site,
        country=country,
        sku=sku,
        tier=tier,
        intervals=each.intervals,
        gpu_milli_ms=each.gpu_milli_ms,
        energy_mj=each.energy_mj,
        energy_basis=_basis(energy),
        carbon_mg=each.carbon_mg,
        carbon_basis=_basis(carbon),
    )


def _basis(text: str) -> Basis:
    return "measured" if text == "measured" else "declared" if text == "declared" else "assumed"


def _added(one: UsageTotal, other: UsageTotal) -> UsageTotal:
    return one.model_copy(
        update={
            "intervals": one.intervals + other.intervals,
            "gpu_milli_ms": one.gpu_milli_ms + other.gpu_milli_ms,
            "energy_mj": one.energy_mj + other.energy_mj,
            "energy_basis": weakest(one.energy_basis, other.energy_basis),
            "carbon_mg": one.carbon_mg + other.carbon_mg,
            "carbon_basis": weakest(one.carbon_basis, other.carbon_basis),
        }
    )


def charge_object(charge: Charge) -> ChargeObject:
    """A charge as it is read."""
    return ChargeObject(id=charge.id, **asdict(charge))


@dataclass
class ChargeSums:
    """Charges added up as they come."""

    _found: dict[tuple[str, ...], tuple[int, int]] = field(default_factory=dict[tuple[str, ...], tuple[int, int]])

    def add(self, charges: Iterable[Charge]) -> None:
        """Take some more."""
        for each in charges:
            key = (each.organisation, each.project, each.site, each.sku, each.tier)
            gpu_milli_ms, amount_micro = self._found.get(key, (0, 0))
            self._found[key] = (gpu_milli_ms + each.gpu_milli_ms, amount_micro + each.amount_micro)

    def totals(self) -> tuple[ChargeTotal, ...]:
        """The totals, in the order of their names."""
        return tuple(
            ChargeTotal(
                organisation=key[0],
                project=key[1],
                site=key[2],
                sku=key[3],
                tier=key[4],
                gpu_milli_ms=self._found[key][0],
                amount_micro=self._found[key][1],
            )
            for key in sorted(self._found)
        )
