"""What types cannot tell: whether the parts of a fleet file fit together. Every problem is found, none is raised."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import cast

from gridhall.fleet.arrays import MAX_CELLS, MAX_POWER_PATH, MAX_SITES
from gridhall.fleet.catalogue import shipped_hardware
from gridhall.fleet.figures import Figure, Part
from gridhall.fleet.models import Claim, Feed, Fleet, PowerNode, RackGroup, Site
from gridhall.fleet.power import nodes_above, power_table, site_families
from gridhall.fleet.yamlfile import Place


@dataclass(frozen=True)
class Problem:
    """Something that does not fit: where (keys and positions from the root), what, and the cure."""

    place: Place
    problem: str
    mend: str


def graph_problems(fleet: Fleet) -> list[Problem]:
    """Every problem of a fleet: references, ids, cycles, racks without feed, paths that are too long, dates."""
    problems = [*_sources(fleet), *_repeated(("sites",), "id", [site.id for site in fleet.sites]), *_size(fleet)]
    for index, site in enumerate(fleet.sites):
        place: Place = ("sites", index)
        wiring = [*_feeds(site, place), *_site_ids(site, place), *_power(site, place), *_racks(fleet, site, place)]
        problems += [*wiring, *_cooling(site, place)]
        if not wiring:
            problems += _path_lengths(fleet.model_copy(update={"sites": (site,)}), place)
    return problems


def _size(fleet: Fleet) -> Iterator[Problem]:
    cells = {(s.id, group.type) for s in fleet.sites for hall in s.halls for group in hall.rack_groups}
    if not cells:
        yield Problem(("sites",), "no site has any rack", "add a hall with a rack group")
    if len(fleet.sites) > MAX_SITES:
        yield Problem(("sites",), f"{len(fleet.sites)} sites are more than {MAX_SITES}", "split the fleet file")
    if len(cells) > MAX_CELLS:
        problem = f"{len(cells)} pairs of site and hardware type are more than {MAX_CELLS}"
        yield Problem(("sites",), problem, "use fewer hardware types a site, or split the fleet file")


def _repeated(place: Place, field: str, names: Iterable[str]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if name in first:
            problem = f"{name!r} is already used by entry {first[name]} of the same list"
            yield Problem((*place, index, field), problem, "give it another name")
        first.setdefault(name, index)


def _unknown(place: Place, what: str, name: str, known: Iterable[str]) -> Problem:
    choices = sorted(known)
    close = get_close_matches(name, choices, 1)
    if close:
        mend = f"did you mean {close[0]!r}?"
    else:
        mend = f"use one of: {', '.join(choices[:8])}" if choices else f"describe the {what} first"
    return Problem(place, f"no {what} is called {name!r}", mend)


def _sources(fleet: Fleet) -> Iterator[Problem]:
    for place, part in _parts(fleet, ()):
        if isinstance(part, Figure | Claim) and part.source is not None and part.source not in fleet.sources:
            yield _unknown((*place, "source"), "source", part.source, fleet.sources)


def _parts(value: object, place: Place) -> Iterator[tuple[Place, Part]]:
    """Every mapping of the file that is a model, with its place."""
    if isinstance(value, Part):
        yield place, value
        for field in type(value).model_fields:
            yield from _parts(getattr(value, field), (*place, field))
    elif isinstance(value, dict):
        for key, child in cast(dict[str, object], value).items():
            yield from _parts(child, (*place, key))
    elif isinstance(value, list | tuple):
        for index, child in enumerate(cast(Sequence[object], value)):
            yield from _parts(child, (*place, index))


def _feeds(site: Site, place: Place) -> Iterator[Problem]:
    for index, feed in enumerate(site.grid.feeds):
        for field, low, high in _feed_order(feed):
            problem = f"{field} is {low:g}, more than {high:g}"
            mend = "keep min_mw <= default_mw <= limit_mw"
            yield Problem((*place, "grid", "feeds", index, field), problem, mend)


def _feed_order(feed: Feed) -> Iterator[tuple[str, float, float]]:
    limit = feed.limit_mw.value
    default = feed.default_mw.value if feed.default_mw else limit
    if default > limit:
        yield "default_mw", default, limit
    if feed.min_mw and feed.min_mw.value > default:
        yield "min_mw", feed.min_mw.value, default


def _site_ids(site: Site, place: Place) -> Iterator[Problem]:
    yield from _repeated((*place, "grid", "feeds"), "tag", [feed.tag for feed in site.grid.feeds])
    yield from _repeated((*place, "power", "domains"), "code", [domain.code for domain in site.power.domains])
    yield from _repeated((*place, "halls"), "id", [hall.id for hall in site.halls])
    prefixes: dict[str, str] = {}
    for h, hall in enumerate(site.halls):
        for g, group in enumerate(hall.rack_groups):
            if group.prefix in prefixes:
                problem = f"{group.prefix!r} already names racks of hall {prefixes[group.prefix]!r}"
                mend = "give every rack group of a site its own prefix"
                yield Problem((*place, "halls", h, "rack_groups", g, "prefix"), problem, mend)
            prefixes.setdefault(group.prefix, hall.id)


def _cooling(site: Site, place: Place) -> Iterator[Problem]:
    cooling = site.cooling
    if cooling is None:
        return
    here = (*place, "cooling")
    for name, parts in (("loops", cooling.loops), ("rejectors", cooling.rejectors), ("cdus", cooling.cdus)):
        yield from _repeated((*here, name), "id", [part.id for part in parts])
    rejectors, loops = {part.id for part in cooling.rejectors}, {loop.id for loop in cooling.loops}
    for index, loop in enumerate(cooling.loops):
        for position, name in enumerate(loop.reject):
            if name not in rejectors:
                yield _unknown((*here, "loops", index, "reject", position), "rejector", name, rejectors)
    for index, cdu in enumerate(cooling.cdus):
        if cdu.loop not in loops:
            yield _unknown((*here, "cdus", index, "loop"), "loop", cdu.loop, loops)


def _power(site: Site, place: Place) -> Iterator[Problem]:
    here = (*place, "power", "nodes")
    tags, families = {feed.tag for feed in site.grid.feeds}, site_families(site)
    taken = {feed.tag: f"feed {feed.tag!r}" for feed in site.grid.feeds}
    domains = {domain.code for domain in site.power.domains}
    for index, node in enumerate(site.power.nodes):
        members = _members(node)
        clash = next((name for name in [node.id, *members] if name in taken), None)
        if clash is not None:
            yield Problem((*here, index, "id"), f"{clash!r} already names {taken[clash]}", "give it another id")
        taken.update(dict.fromkeys([node.id, *members], f"power node {node.id!r}"))
        if node.parent not in families:
            yield _unknown((*here, index, "parent"), "feed or power node", node.parent, families)
        if node.domain is not None and node.domain not in domains:
            yield _unknown((*here, index, "domain"), "power domain", node.domain, domains)
    for index, loop in _cycles(site, tags):
        mend = f"let one of them hang from a feed ({', '.join(sorted(tags))})"
        yield Problem((*here, index, "parent"), f"the power graph goes round in a cycle: {loop}", mend)


def _members(node: PowerNode) -> list[str]:
    """Names of the single nodes of a family; a lone node has only its id."""
    return [f"{node.id}-{number}" for number in range(1, node.count + 1)] if node.count > 1 else []


def _family_parents(site: Site) -> dict[str, str]:
    """For each feed tag, family and member the name above it (of the family above); feeds have ''."""
    family_of: dict[str, str] = {feed.tag: feed.tag for feed in site.grid.feeds}
    for node in site.power.nodes:
        for name in [node.id, *_members(node)]:
            family_of.setdefault(name, node.id)
    parents = {feed.tag: "" for feed in site.grid.feeds}
    for node in site.power.nodes:
        parents.setdefault(node.id, family_of.get(node.parent, ""))
    return {name: parents[family] for name, family in family_of.items()}


def _cycles(site: Site, tags: set[str]) -> Iterator[tuple[int, str]]:
    parents, told = _family_parents(site), set[str]()
    for index, node in enumerate(site.power.nodes):
        chain: list[str] = []
        name = node.id
        while name and name not in tags and name not in chain:
            chain.append(name)
            name = parents[name]
        if name and name == node.id and node.id not in told:
            told.update(chain)
            yield index, " -> ".join([*chain, name])


def _racks(fleet: Fleet, site: Site, place: Place) -> Iterator[Problem]:
    families = site_families(site)
    cdus = {cdu.id for cdu in site.cooling.cdus} if site.cooling else set[str]()
    for h, hall in enumerate(site.halls):
        for g, group in enumerate(hall.rack_groups):
            here = (*place, "halls", h, "rack_groups", g)
            yield from _group(fleet, site, group, here)
            if group.cdu is not None and group.cdu not in cdus:
                yield _unknown((*here, "cdu"), "CDU of this site", group.cdu, cdus)
            if not group.feeds:
                mend = f"add feeds: [...] with feeds or power nodes, such as {next(iter(families))!r}"
                yield Problem((*here, "feeds"), "the racks have no feed", mend)
            for i, name in enumerate(group.feeds):
                if name not in families:
                    yield _unknown((*here, "feeds", i), "feed or power node of this site", name, families)


def _path_lengths(one_site: Fleet, place: Place) -> Iterator[Problem]:
    table = power_table(one_site)
    for h, hall in enumerate(one_site.sites[0].halls):
        for g, group in enumerate(hall.rack_groups):
            attached = [table.families[0][name].spread(group.count.whole) for name in group.feeds]
            most = int((nodes_above(table, attached) >= 0).sum(axis=1).max())
            if most > MAX_POWER_PATH:
                problem = f"{most} power nodes stand above each rack, more than {MAX_POWER_PATH}"
                mend = "leave out nodes that limit nothing"
                yield Problem((*place, "halls", h, "rack_groups", g, "feeds"), problem, mend)


def _group(fleet: Fleet, site: Site, group: RackGroup, here: Place) -> Iterator[Problem]:
    hardware = fleet.hardware_type(group.type)
    if hardware is None:
        yield _unknown((*here, "type"), "hardware type", group.type, {**shipped_hardware(), **fleet.hardware})
    nodes = group.nodes_per_rack or (hardware.nodes_per_rack if hardware else 0)
    if group.hosts and hardware and len(group.hosts) != nodes * group.count.whole:
        problem = f"{len(group.hosts)} host names for {group.count.whole} racks of {nodes} nodes"
        yield Problem((*here, "hosts"), problem, f"give {nodes * group.count.whole} names, or none")
    if group.ready_from and group.ready_to and group.ready_to <= group.ready_from:
        problem = f"{group.ready_to} is not after ready_from {group.ready_from}"
        yield Problem((*here, "ready_to"), problem, "give a later date, or leave ready_to out")
    if (group.status or site.status) in ("planned", "build-ready") and group.ready_from is None:
        problem = "the racks are planned, but no date says when they come on line"
        yield Problem((*here, "ready_from"), problem, "add ready_from: YYYY-MM-DD, or status: active")
