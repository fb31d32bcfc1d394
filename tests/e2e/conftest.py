"""What end-to-end tests share."""

from pathlib import Path

import pytest


@pytest.fixture
def reachable(tmp_path: Path) -> Path:
    """A folder that jobs under their own uid can reach; pytest's own are closed to them."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(folder.stat().st_mode | 0o011)
    return tmp_path / "home"
