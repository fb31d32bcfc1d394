"""What an event earned: by product, energy at a price and availability at a price, in integer micro-units."""

from dataclasses import dataclass

from gridhall.energy.settlement.measure import MJ_PER_WH
from gridhall.units import HOUR_MS, W_PER_MW


@dataclass(frozen=True)
class Product:
    """One thing sold: a price for each MWh delivered, up to `contracted_w`, and for each MW kept available an hour."""

    name: str
    currency: str
    delivered_micro_mwh: int
    available_micro_mwh: int
    contracted_w: int


@dataclass(frozen=True)
class Revenue:
    """Micro-units earned with a product. Delivery beyond the contract is not paid, under-delivery earns less."""

    product: str
    currency: str
    delivery_micro: int
    availability_micro: int

    @property
    def total_micro(self) -> int:
        """Both parts."""
        return self.delivery_micro + self.availability_micro


def revenue(product: Product, delivered_mj: int, lasted_ms: int) -> Revenue:
    """What an event of this length and delivered energy earned; a delivery below zero is charged at the same price."""
    paid_mj = min(delivered_mj, product.contracted_w * lasted_ms)
    delivery = paid_mj * product.delivered_micro_mwh // (MJ_PER_WH * W_PER_MW)
    availability = product.contracted_w * lasted_ms * product.available_micro_mwh // (HOUR_MS * W_PER_MW)
    return Revenue(product.name, product.currency, delivery, availability)
