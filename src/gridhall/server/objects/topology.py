"""The topology: sites, halls, pods, racks and nodes as a tree, cut to what the caller may see."""

from typing import Literal

from gridhall.server.objects.part import Part

TopologyKind = Literal["site", "hall", "pod", "rack", "node"]


class Branch(Part):
    """One place of the tree. Of what the caller may not see only the number of nodes and GPUs is told.

    `nvlink_domain` names the NVLink domain that a rack or a node is; hidden branches have no children.
    """

    kind: TopologyKind
    id: str
    nodes: int
    gpus: int
    hardware: tuple[str, ...] = ()
    nvlink_domain: str = ""
    children: tuple["Branch", ...] = ()


class Topology(Part):
    """The tree, and a hash over all of it (also over what is hidden): it changes when the topology does."""

    hash: str
    sites: tuple[Branch, ...]
