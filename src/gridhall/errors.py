"""Errors for people: which file, which field, which value, and what to do."""

from dataclasses import dataclass
from typing import Any


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


class Problem(Exception):
    """A server's answer to what it could not do: RFC 9457, with a `reason` from a closed list."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status, self.body = status, body
        self.reason = str(body.get("reason", ""))
        super().__init__(str(body.get("detail") or body.get("title") or f"HTTP {status}"))

    def lines(self) -> list[str]:
        """The whole answer for people: what is wrong, then each field with its mend."""
        fields = [f"{each['field']}: {each['problem']}\n    -> {each['mend']}" for each in self.body.get("errors", ())]
        return [f"{self} ({self.reason or self.status})", *fields]
