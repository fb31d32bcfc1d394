"""The examples of the reference pages that need a server, followed as the tutorial is."""

import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT
from tests.e2e.tutorial import Reader, part
from tests.e2e.up import Up

PAGES = [("jobs.md", "sdk"), ("tenancy.md", "tenancy"), ("energy-how-to.md", "targets")]
if shutil.which("curl"):
    PAGES.append(("api.md", "sdk"))


@pytest.mark.parametrize(("page", "name"), PAGES)
def test_the_examples_of_a_page_hold(page: str, name: str, tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(folder.stat().st_mode | 0o011)
    blocks = part(name, ROOT / "docs" / page)
    assert blocks
    with ExitStack() as servers:
        servers.enter_context(Up(tmp_path / "home"))
        reader = Reader(tmp_path, servers)
        for block in blocks:
            reader.follow(block)
