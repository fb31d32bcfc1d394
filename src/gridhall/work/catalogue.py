"""Public data sets: what they are, on what terms, where they lie, and how to have a checked copy on this machine.

The list is `data_sets.yaml`. `fetch` downloads a set from its public addresses or copies it from a folder that is
already here; either way a file is only put in its place once its bytes have the listed checksum.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict

from gridhall.errors import Fault, InputError, fault

DATA_SETS_FILE = Path(__file__).with_name("data_sets.yaml")
BLOCK = 1 << 16
TIMEOUT_S = 30.0


class DataFile(BaseModel):
    """One file of a set: its path in a data folder, and what its bytes must be."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    path: str
    bytes: int
    sha256: str
    address: str | None = None

    @property
    def name(self) -> str:
        """File name without folders."""
        return self.path.rsplit("/", 1)[-1]


class DataSet(BaseModel):
    """A public data set. `read_as` is the format that `readers.read_jobs` takes, if it holds jobs."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    kind: Literal["trace", "result", "topology", "carbon", "price", "power", "weather"]
    what: str
    licence: str
    attribution: str
    files: tuple[DataFile, ...]
    read_as: str | None = None

    @property
    def downloadable(self) -> bool:
        """Whether every file has a public address."""
        return all(file.address for file in self.files)


class _Catalogue(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    data_sets: tuple[DataSet, ...]


def data_sets() -> tuple[DataSet, ...]:
    """Every set of the catalogue."""
    return _Catalogue.model_validate(yaml.safe_load(DATA_SETS_FILE.read_text(encoding="utf-8"))).data_sets


def data_set(name: str) -> DataSet:
    """The set of that name; InputError naming the known ones."""
    known = {one.name: one for one in data_sets()}
    if name not in known:
        raise fault("gridhall data", "name", f"there is no data set {name!r}", f"choose one of: {', '.join(known)}")
    return known[name]


def fetch(
    wanted: str | DataSet, into: Path, *, from_folder: Path | None = None, base_url: str | None = None
) -> list[Path]:
    """Put the files of a set into the folder `into`, checked; files that are there already and right are left alone.

    With `from_folder` they are copied from there (at their listed path, or by name), else downloaded. `base_url` stands
    in for the scheme and host of every address, for mirrors and tests. The caller prints the attribution.
    Raises InputError where a file has no address, cannot be had, or is not what the catalogue lists.
    """
    chosen = wanted if isinstance(wanted, DataSet) else data_set(wanted)
    if from_folder is None:
        _require_addresses(chosen)
    into.mkdir(parents=True, exist_ok=True)
    return [_place(file, into / file.name, from_folder, base_url) for file in chosen.files]


def _require_addresses(chosen: DataSet) -> None:
    missing = [file for file in chosen.files if file.address is None]
    if missing:
        cure = "copy it from a folder that has it: --from FOLDER"
        raise InputError([Fault(chosen.name, file.path, "has no public address", cure) for file in missing])


def _place(file: DataFile, target: Path, from_folder: Path | None, base_url: str | None) -> Path:
    if target.is_file() and hashlib.sha256(target.read_bytes()).hexdigest() == file.sha256:
        return target
    if from_folder is not None:
        source = _find(file, from_folder)
        _write_checked(file, target, _blocks_of(source), str(source))
        return target
    address = _address(file, base_url)
    _write_checked(file, target, _download(address), address)
    return target


def _find(file: DataFile, folder: Path) -> Path:
    for candidate in (folder / file.path, folder / file.name):
        if candidate.is_file():
            return candidate
    cure = "check the folder given with --from"
    raise fault(str(folder), file.path, "is not in this folder", cure)


def _address(file: DataFile, base_url: str | None) -> str:
    address = file.address or ""
    if base_url is None:
        return address
    return base_url.rstrip("/") + urlsplit(address).path


def _blocks_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            yield block


def _download(address: str) -> Iterator[bytes]:
    import httpx  # only when something is downloaded

    try:
        with httpx.stream("GET", address, follow_redirects=True, timeout=TIMEOUT_S) as response:
            response.raise_for_status()
            yield from response.iter_bytes(BLOCK)
    except httpx.HTTPStatusError as error:
        raise fault(address, "", f"the server answered {error.response.status_code}", _OFFLINE) from None
    except httpx.HTTPError as error:
        raise fault(address, "", f"cannot be downloaded: {error}", _OFFLINE) from None


_OFFLINE = "check the network, or copy it from a folder that has it: --from FOLDER"


def _write_checked(file: DataFile, target: Path, blocks: Iterator[bytes], source: str) -> None:
    """Write beside the target, compare, then rename: a broken or foreign file never takes the place."""
    digest, size = hashlib.sha256(), 0
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            for block in blocks:
                size += len(block)
                if size > file.bytes:
                    break
                digest.update(block)
                stream.write(block)
        if size != file.bytes or digest.hexdigest() != file.sha256:
            raise fault(source, file.path, _difference(file, size), "get it again, or update the catalogue's entry")
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _difference(file: DataFile, size: int) -> str:
    if size > file.bytes:
        return f"is longer than the {file.bytes} bytes listed"
    if size < file.bytes:
        return f"has {size} bytes; {file.bytes} are listed"
    return "has another checksum than listed"
