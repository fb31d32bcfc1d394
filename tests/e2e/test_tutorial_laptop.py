"""What a newcomer reads first: the README's first minute and the first half of the live tutorial, line by line."""

import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT
from tests.e2e.tutorial import PAGE, Reader, part


@pytest.mark.parametrize(
    ("page", "name"), [(ROOT / "README.md", "readme"), (PAGE, "laptop")], ids=["readme", "tutorial"]
)
def test_the_laptop_part_holds(page: Path, name: str, tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(folder.stat().st_mode | 0o011)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    blocks = part(name, page)
    assert len(blocks) > 1
    with ExitStack() as servers:
        reader = Reader(tmp_path, servers)
        for block in blocks:
            reader.follow(block)
        reader.end()
