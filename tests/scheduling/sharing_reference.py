"""The shared-GPU pool, slow and obvious: objects, exact fractions and full scans, written from the pool's story."""

import math
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Pod:
    cells: int
    cpu_milli: int
    mem_mib: int
    gpu_milli: int
    gpus: int


@dataclass
class Node:
    cell: int
    cpu_milli: int
    mem_mib: int
    free: list[int]
    up: bool = True


@dataclass(frozen=True)
class Kind:
    """A typical pod and how often it comes."""

    pod: Pod
    share: Fraction


@dataclass
class Pool:
    """Nodes in their fixed order, and the rule."""

    nodes: list[Node]
    kinds: list[Kind]
    step_milli: int
    round_milli: int
    stranded_weight: Fraction
    cpu_per_gpu: int

    def fragmentation(self, cell: int, cpu_milli: int, free: list[int]) -> Fraction:
        total = sum(free)
        lost = Fraction(0)
        for kind in self.kinds:
            pod = kind.pod
            roomy = [share for share in free if share >= pod.gpu_milli]
            can_run = pod.gpus > 0 and len(roomy) >= pod.gpus and pod.cpu_milli <= cpu_milli
            if can_run and pod.cells >> cell & 1:
                lost += kind.share * (total - sum(roomy))
            else:
                lost += kind.share * total
        if self.cpu_per_gpu:
            lost += self.stranded_weight * max(0, total - cpu_milli * 1000 // self.cpu_per_gpu)
        return lost

    def steps(self, node: Node, pod: Pod, mask: int) -> int:
        """Steps by which fragmentation grows when the pod takes the GPUs of the mask."""
        after = [share - pod.gpu_milli * (mask >> gpu & 1) for gpu, share in enumerate(node.free)]
        left = node.cpu_milli - pod.cpu_milli
        growth = self.fragmentation(node.cell, left, after) - self.fragmentation(node.cell, node.cpu_milli, node.free)
        return math.floor((growth + self.round_milli) / self.step_milli)

    def choices(self, node: Node, pod: Pod) -> list[int]:
        """Masks of GPUs that may be considered for the pod."""
        fits = node.up and pod.cells >> node.cell & 1
        if not fits or pod.cpu_milli > node.cpu_milli or pod.mem_mib > node.mem_mib:
            return []
        roomy = [gpu for gpu, share in enumerate(node.free) if share >= pod.gpu_milli]
        if pod.gpus == 0:
            return [0]
        if len(roomy) < pod.gpus:
            return []
        if pod.gpus == 1:
            return [1 << gpu for gpu in roomy]
        return [sum(1 << gpu for gpu in sorted(roomy, key=lambda gpu: node.free[gpu])[: pod.gpus])]

    def preference(self, pod: Pod) -> list[tuple[int, int, int]]:
        """(steps, node, mask) of every node that can take the pod, best first."""
        found: list[tuple[int, int, int]] = []
        for number, node in enumerate(self.nodes):
            scored = [(self.steps(node, pod, mask), number, mask) for mask in self.choices(node, pod)]
            if scored:
                found.append(min(scored))
        return sorted(found)

    def take(self, number: int, pod: Pod, mask: int, sign: int = 1) -> None:
        node = self.nodes[number]
        node.cpu_milli -= sign * pod.cpu_milli
        node.mem_mib -= sign * pod.mem_mib
        node.free = [share - sign * pod.gpu_milli * (mask >> gpu & 1) for gpu, share in enumerate(node.free)]
