"""One line of the validation table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A published figure and ours.

    `error` and `tolerance` are relative to the published figure; where that is zero they are absolute, in `unit`.
    `computed_by` says what produced our side; `source` where the published side stands.
    """

    section: str
    name: str
    published: float
    ours: float
    unit: str
    tolerance: float
    source: str
    computed_by: str

    @property
    def error(self) -> float:
        """Ours against published, signed."""
        difference = self.ours - self.published
        return difference / self.published if self.published else difference

    @property
    def passed(self) -> bool:
        """Whether the error stays within the tolerance."""
        return abs(self.error) <= self.tolerance
