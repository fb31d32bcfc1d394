"""Errors for people: which file, which field, which value, and what to do."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with an input.

    `where` is `file:line` (or `file row N`), `field` the path inside it, `problem` the fact, `mend` the cure.
    """

    where: str
    field: str
    problem: str
    mend: str

    def __str__(self) -> str:
        place = f"{self.where}: {self.field}" if self.field else self.where
        return f"{place}: {self.problem}\n    -> {self.mend}"


class InputError(Exception):
    """Bad input. The command line prints every fault and exits with code 2."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


def fault(where: str, field: str, problem: str, mend: str) -> InputError:
    """One fault as an exception ready to raise."""
    return InputError([Fault(where, field, problem, mend)])
