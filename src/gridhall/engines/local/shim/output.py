"""A rank's output, moved from a pipe to its log up to a size.

Through a pipe rather than straight into the file: RLIMIT_FSIZE would cap a job's checkpoints as well, and a file that
the job holds open it could also rewrite. Both streams share the pipe, so the log keeps their order. What is beyond the
size, or cannot be written because the disk is full, is read and dropped: output never stops a job.
"""

import os

CUT = b"\n[gridhall: the log has reached its size, output after this is not kept]\n"


class Output:
    """One rank's pipe and log; `most` in bytes."""

    def __init__(self, log: str, most: int) -> None:
        self.read_end, self.write_end = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self.read_end, False)
        self.file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.left = most
        self.open = True

    def parent(self) -> None:
        """Close the rank's side in the parent, so that the end of the output is seen."""
        os.close(self.write_end)

    def move(self) -> bool:
        """Move what is there; False when there was nothing."""
        try:
            piece = os.read(self.read_end, 65_536)
        except BlockingIOError:
            return False
        if not piece:
            self._shut()
            return False
        self._keep(piece)
        return True

    def close(self) -> None:
        """Move the rest and close; whoever may still hold the other end is not waited for."""
        while self.open and self.move():
            pass
        if self.open:
            self._shut()

    def _keep(self, piece: bytes) -> None:
        if self.left <= 0:
            return
        kept = piece[: self.left]
        self.left -= len(kept)
        try:
            os.write(self.file, kept if self.left else kept + CUT)
        except OSError:
            self.left = 0

    def _shut(self) -> None:
        self.open = False
        os.close(self.read_end)
        os.close(self.file)
