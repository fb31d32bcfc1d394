"""The examples in README.md and docs/ are run, so that they stay true.

A fenced `console` block is run line by line: `$ command` goes through the shell in a folder with a copy of `examples/`,
one folder a page; every line below it must appear in the output, in that order, `...` standing for anything. A `python`
block is run as a script. A block after `<!-- slow -->` is not run: its commands and their options must exist. The same
holds for a block after `<!-- live: PART -->`, which tests/e2e follows with a server. A block after
`<!-- file: NAME -->` is written to that file.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, Block, blocks_of, commands_of, missing_lines

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def run(command: str | list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "COLUMNS": "160",
        "NO_COLOR": "1",
        "TERM": "dumb",
    }
    return subprocess.run(
        command,
        shell=isinstance(command, str),
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )


def check_console(block: Block, folder: Path) -> None:
    for command in commands_of(block):
        done = run(command.line, folder)
        assert done.returncode == 0, f"{block.where}: {command.line}\n{done.stdout}"
        missing = missing_lines(command.expected, done.stdout)
        assert not missing, f"{block.where}: {command.line}\nnot printed: {missing}\nprinted:\n{done.stdout}"


def check_exists(block: Block, folder: Path) -> None:
    for command in commands_of(block) if block.kind == "console" else ():
        words = shlex.split(command.line, comments=True)
        if words[0] == "gridhall":
            check_gridhall(words[1:], f"{block.where}: {command.line}", folder)
        elif words[0] == "make":
            makefile = (ROOT / "Makefile").read_text()
            assert f"\n{words[1]}:" in makefile, f"{block.where}: no make target {words[1]}"
        elif words[:2] == ["python", "-m"]:
            module = ROOT / words[2].replace(".", "/")
            assert module.with_suffix(".py").exists() or (module / "__main__.py").exists(), f"{block.where}: {words[2]}"


def check_gridhall(words: list[str], where: str, folder: Path) -> None:
    subcommand: list[str] = []
    for word in words:
        listing = run(["gridhall", *subcommand, "--help"], folder).stdout
        if not re.search(rf"^\W*{re.escape(word)}\s", listing, re.M):
            break
        subcommand.append(word)
    assert subcommand or words == ["--help"], f"{where}: no such command"
    help_text = run(["gridhall", *subcommand, "--help"], folder).stdout
    unknown = [word for word in words if word.startswith("--") and word.split("=")[0] not in help_text]
    assert not unknown, f"{where}: unknown options {unknown}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_of_page_hold(page: Path, folder: Path) -> None:
    for block in blocks_of(page):
        if block.mark.startswith("file: "):
            (folder / block.mark.removeprefix("file: ")).write_text(block.body)
        elif block.mark == "slow" or block.mark.startswith("live: "):
            check_exists(block, folder)
        elif block.kind == "console":
            check_console(block, folder)
        elif block.kind == "python":
            done = run([sys.executable, "-c", block.body], folder)
            assert done.returncode == 0, f"{block.where}\n{done.stdout}"


def test_a_line_that_was_not_printed_is_found_out() -> None:
    assert missing_lines(["total ... MW"], "total  3.4   MW\n") == []
    assert missing_lines(["b", "a"], "a\nb\n") == ["a"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
