"""Who submits: organisations, projects, users and their job names, all synthetic.

A user keeps a few job names for each class of size. Every name has its own typical run time (an offset of the
logarithm): this is what a scheduler can learn about a job before it has run.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gridhall.work import draws
from gridhall.work.profiles import Profile
from gridhall.work.table import Ints

CLASS_TOPS = (8, 128)
"""Largest gang of the small and of the middle class; the third class has no top."""
NAMES_PER_CLASS = (8, 4, 2)
NAMES = sum(NAMES_PER_CLASS)
NAME_SKEW = 1.0
USER_SKEW = 0.5
LARGE_PROJECTS = 0.25
"""Only this share of the projects, the busiest, submits gangs of the large class."""
PROJECT_BITS, USER_BITS, NAME_BITS = 16, 8, 8


def size_class(sizes: Ints) -> Ints:
    """0 small, 1 middle, 2 large."""
    return np.searchsorted(np.array(CLASS_TOPS), sizes, side="left").astype(np.int64)


@dataclass(frozen=True)
class People:
    """Lookup tables from random bits to a project, a user within it and a name of that user; facts of every name."""

    users_per_project: int
    project: NDArray[np.uint8]  # class * 2^PROJECT_BITS
    user: NDArray[np.uint8]  # 2^USER_BITS
    name: NDArray[np.uint8]  # class * 2^NAME_BITS
    offset: Ints  # (project * users_per_project + user) * NAMES + name; in draws.LOG_UNIT
    slack: Ints  # in the same order; how often the user doubles the time limit to be safe, 0 to 2 (assumed)

    def draw(self, of_class: Ints, word: Ints) -> tuple[Ints, Ints, Ints]:
        """Project, user (unique over projects) and name of each job, from bits 0 to 31 of `word`."""
        project = self.project[(of_class << PROJECT_BITS) | draws.bits(word, 0, PROJECT_BITS)].astype(np.int64)
        user = self.user[draws.bits(word, PROJECT_BITS, USER_BITS)]
        name = self.name[(of_class << NAME_BITS) | draws.bits(word, PROJECT_BITS + USER_BITS, NAME_BITS)]
        return project, project * self.users_per_project + user, name.astype(np.int64)

    def index(self, user: Ints, name: Ints) -> Ints:
        """Position of each (user, name) in `offset`."""
        return user * NAMES + name

    def name_weights(self, of_class: int) -> NDArray[np.float64]:
        """Probability of every (user, name) for a job of one class, in the order of `offset`."""
        return _name_weights(self.project, self.user, self.name, of_class, len(self.offset))


def people(profile: Profile, seed: int, stream: int) -> People:
    """The population of a profile; the same for the same seed."""
    ranks = np.arange(1, profile.projects + 1, dtype=np.float64)
    weights = ranks**-profile.project_skew
    busiest = np.where(ranks <= max(1, profile.projects * LARGE_PROJECTS), weights, 0.0)
    project = np.concatenate([draws.lookup(list(row), PROJECT_BITS) for row in (weights, weights, busiest)])
    users = np.arange(1, profile.users_per_project + 1) ** -USER_SKEW
    user = draws.lookup(list(users), USER_BITS)
    name: list[NDArray[np.uint8]] = []
    first = 0
    for count in NAMES_PER_CLASS:
        name.append(draws.lookup(list(np.arange(1, count + 1) ** -NAME_SKEW), NAME_BITS) + np.uint8(first))
        first += count
    count = profile.projects * profile.users_per_project * NAMES
    word = draws.words(seed, stream, 0, count)
    plain = draws.normal(1.0)[draws.bits(word, 0, draws.NORMAL_BITS)]
    raw = People(
        profile.users_per_project,
        project,
        user,
        np.concatenate(name),
        plain,
        draws.bits(word, 20, 1) + draws.bits(word, 21, 1),
    )
    return replace(raw, offset=_standardised(raw, profile.sigma_names))


def _standardised(raw: People, sigma: float) -> Ints:
    """Offsets with weighted mean 0 and spread `sigma` in every class, so that few busy names do not shift a year."""
    offset = np.zeros(len(raw.offset), np.float64)
    values = raw.offset / draws.LOG_UNIT
    for of_class in range(len(NAMES_PER_CLASS)):
        weights = raw.name_weights(of_class)
        mean = float((weights * values).sum())
        spread = float((weights * (values - mean) ** 2).sum()) ** 0.5
        mine = weights > 0
        offset[mine] = (values[mine] - mean) * (sigma / spread if spread > 0 else 0.0)
    limit = round(sigma * 4 * draws.LOG_UNIT)
    return np.clip(np.rint(offset * draws.LOG_UNIT).astype(np.int64), -limit, limit)


def _name_weights(
    project: NDArray[np.uint8], user: NDArray[np.uint8], name: NDArray[np.uint8], of_class: int, count: int
) -> NDArray[np.float64]:
    users = int(user.max()) + 1
    projects = count // (users * NAMES)
    rows = slice(of_class << PROJECT_BITS, (of_class + 1) << PROJECT_BITS)
    columns = slice(of_class << NAME_BITS, (of_class + 1) << NAME_BITS)
    by_project = draws.shares(project[rows], projects)
    by_user = draws.shares(user, users)
    by_name = draws.shares(name[columns], NAMES)
    return (by_project[:, None, None] * by_user[None, :, None] * by_name[None, None, :]).ravel()
