"""A policy under which nothing could ever start is refused."""

from pathlib import Path

import pytest

from gridhall.errors import InputError
from gridhall.scheduling.policy import DEFAULT_POLICY, load_policy


def test_spares_are_never_all_nodes(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(DEFAULT_POLICY.read_text().replace("spare_share: 0.004 ", "spare_share: 1.0 "))
    with pytest.raises(InputError, match=r"placement.spare_share.*less than 1"):
        load_policy(path)
