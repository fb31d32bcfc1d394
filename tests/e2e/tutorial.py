"""Follows the live tutorial: every block after `<!-- live: PART -->` is carried out as a reader would.

`gridhall up` is started as a server and stays; the program that starts the two clusters is answered with those that the
test has. `NAME=$(...)` and `export NAME=...` hold for the lines after them.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.docs.blocks import ROOT, Block, Command, blocks_of, commands_of, missing_lines
from tests.e2e.up import Up
from tests.slurm.cluster import Cluster
from tests.slurm.two_sites import write_server_file

PAGE = ROOT / "docs/tutorial-live.md"
KEEP = re.compile(r"(?:export )?(?P<name>[A-Z_]+)=(?P<value>.*)")
CLUSTERS = "python -m tests.slurm.two_sites "


def part(name: str, page: Path = PAGE) -> list[Block]:
    """The blocks of one part of a page."""
    return [block for block in blocks_of(page) if block.mark == f"live: {name}"]


@dataclass
class Reader:
    """Somebody in a clone, with a folder of their own. `servers` ends what they started, whatever happens."""

    folder: Path
    servers: ExitStack
    clusters: Sequence[Cluster] = ()
    up: Up | None = None
    expected: Sequence[str] = ()
    around: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        home = {"GRIDHALL_HOME": str(self.folder / "home")}
        self.around = {**os.environ, "PATH": path, "NO_COLOR": "1", "TERM": "dumb", **home, **self.around}

    def follow(self, block: Block) -> None:
        """Do what a block says; what it shows must have been printed."""
        if block.kind == "python":
            self._check(self._run([sys.executable, "-c", block.body]), Command(block.where, []), block)
            return
        for command in commands_of(block):
            self._do(command, block)

    def _do(self, command: Command, block: Block) -> None:
        if command.line.startswith("gridhall up"):
            self._start(shlex.split(command.line, comments=True)[2:], command)
        elif command.line.startswith(CLUSTERS):
            write_server_file(self.folder / command.line.removeprefix(CLUSTERS).split()[0], self.clusters)
        elif kept := KEEP.fullmatch(command.line):
            done = self._run(f"echo {kept['value']}")
            self.around[kept["name"]] = done.stdout.splitlines()[-1].strip()
        else:
            self._check(self._run(command.line), command, block)

    def _start(self, words: Sequence[str], command: Command) -> None:
        """A server in the terminal beside; the one before it is ended, as the reader is told."""
        self.end()
        self.up = Up(Path(self.around["GRIDHALL_HOME"]), words, directory=self.folder)
        self.servers.enter_context(self.up)
        self.expected = command.expected

    def end(self) -> None:
        """Ctrl-C in the terminal beside: the server ends well, and has said what the page shows."""
        if self.up is not None:
            said = self.up.stop()
            assert not missing_lines(self.expected, said), said
            self.up = None

    def _run(self, command: str | list[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            shell=isinstance(command, str),
            cwd=self.folder,
            env=self.around,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )

    def _check(self, done: "subprocess.CompletedProcess[str]", command: Command, block: Block) -> None:
        assert done.returncode == 0, f"{block.where}: {command.line}\n{done.stdout}"
        missing = missing_lines(command.expected, done.stdout)
        assert not missing, f"{block.where}: {command.line}\nnot printed: {missing}\nprinted:\n{done.stdout}"
