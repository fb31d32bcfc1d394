"""A server as a user starts it, and commands as a user types them; each test has a folder and a port of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gridhall.client import Client

READY_S = 60


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class Up:
    """`gridhall up` with some words more. `folder` is GRIDHALL_HOME for it and for every command."""

    folder: Path
    words: Sequence[str] = ()
    port: int = field(default_factory=free_port)
    directory: Path | None = None
    ready_s: float = READY_S
    process: subprocess.Popen[bytes] | None = None

    @property
    def around(self) -> dict[str, str]:
        return {**os.environ, "GRIDHALL_HOME": str(self.folder)}

    def start(self) -> float:
        """Seconds until it was ready."""
        began = time.monotonic()
        ready = self.folder / "client.json"
        ready.unlink(missing_ok=True)
        words = [sys.executable, "-m", "gridhall.cli", "up", "--port", str(self.port), *self.words]
        self.process = subprocess.Popen(words, cwd=self.directory, env=self.around, stderr=subprocess.PIPE)
        while not ready.exists():
            if self.process.poll() is not None or time.monotonic() - began > self.ready_s:
                self.process.kill()
                raise AssertionError(self.process.communicate()[1].decode())
            time.sleep(0.02)
        return time.monotonic() - began

    def kill(self) -> None:
        """As a power cut would, but for the machine's own memory."""
        assert self.process is not None
        self.process.kill()
        self.process.communicate()

    def stop(self) -> str:
        """Tell it to end; what it wrote on standard error."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=30)[1].decode()
        assert self.process.returncode == 0, said
        return said

    def __enter__(self) -> "Up":
        self.start()
        return self

    def __exit__(self, *problem: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def gridhall(self, *words: str, code: int = 0) -> str:
        """The standard output of a command, which must end with that exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "gridhall.cli", *words], env=self.around, capture_output=True, text=True, timeout=90
        )
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def client(self) -> Client:
        document = json.loads((self.folder / "client.json").read_text())
        return Client(document["url"], document["token"])
