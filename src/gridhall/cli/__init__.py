"""The command line: the server and its jobs, the twin and its runs.

Each command is one thin file that declares its options and does its imports when it is called, so that `--help` costs
next to nothing. Results go to standard output (`--json` for machines), progress and faults to standard error. Bad input
prints every fault with its mend and ends with exit code 2; nothing is left half written. What a server could not do
ends with exit code 1 and the server's own words.
"""

import signal
import sys
from types import FrameType


def main() -> None:
    """Run the command line; the entry point of the `gridhall` script."""
    from gridhall.cli.app import app
    from gridhall.errors import InputError, Problem

    signal.signal(signal.SIGTERM, _leave)
    try:
        app(prog_name="gridhall")
    except InputError as error:
        count = len(error.faults)
        print(f"gridhall: {count} fault{'s' if count != 1 else ''} in the input", file=sys.stderr)
        print(error, file=sys.stderr)
        sys.exit(2)
    except Problem as problem:
        print("gridhall: " + "\n".join(problem.lines()), file=sys.stderr)
        sys.exit(1)


def _leave(number: int, frame: FrameType | None) -> None:
    """End by an exception, so that a half-written run folder is removed on the way out."""
    sys.exit(128 + number)
