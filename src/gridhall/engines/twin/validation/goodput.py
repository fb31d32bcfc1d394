"""Effective training time ratio (ETTR): the share of its allocated time in which a gang makes progress that lasts.

A gang loses a node at random with rate L, then needs `restart_s` (u0) before it computes again, and repeats work since
its last checkpoint; a checkpoint is complete after `interval_s` (dt) of work and `write_s` (w) of writing. Counting the
checkpoints that fit in an exponential lifetime gives the exact ratio:

    ETTR = L dt exp(-L u0) / (exp(L (dt + w)) - 1)

Meta's published approximation (Kokolis et al., Revisiting Reliability in Large-Scale ML Research Clusters, HPCA 2025)
is its first order in L and is 8 % off at 16,384 GPUs.
"""

import math
from dataclasses import dataclass

import numpy as np

from gridhall.engines.twin.validation.row import Row

DAY_S = 86_400.0
GPUS_PER_NODE = 8
RATES_PER_1000_NODE_DAYS = {"RSC-1": 6.50, "RSC-2": 2.34, "Llama-3": 3.79}
"""Failures per 1,000 node-days of 8 GPUs. RSC: the HPCA paper; Llama 3: 419 unexpected stops of 2,048 nodes in 54 d."""

SECTION = "Goodput under failures"
CLOSED_FORM = "closed form from the failure rate"
MONTE_CARLO = "Monte Carlo of {:,} lives, seeded"
LIVES = 400_000
SAMPLING = 1e-2


@dataclass(frozen=True)
class Gang:
    """One gang's exposure to failures. Times in seconds."""

    rate: str
    gpus: int
    interval_s: float
    write_s: float
    restart_s: float

    @property
    def failures_per_s(self) -> float:
        """Rate at which any of the gang's nodes fails."""
        per_node_s = RATES_PER_1000_NODE_DAYS[self.rate] / 1000 / DAY_S
        return self.gpus / GPUS_PER_NODE * per_node_s


def renewal_ettr(gang: Gang) -> float:
    """The exact ratio (see the top of this file)."""
    rate = gang.failures_per_s
    cycle_s = gang.interval_s + gang.write_s
    return rate * gang.interval_s * math.exp(-rate * gang.restart_s) / math.expm1(rate * cycle_s)


def meta_ettr(gang: Gang) -> float:
    """Meta's first-order approximation: (1 - L (u0 + dt / 2)) / (1 + w / dt)."""
    lost = gang.failures_per_s * (gang.restart_s + gang.interval_s / 2)
    return (1 - lost) / (1 + gang.write_s / gang.interval_s)


def sampled_ettr(gang: Gang, lives: int = LIVES, seed: int = 1) -> float:
    """The ratio by drawing lifetimes and counting the checkpoints that each one completes."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    life_s = rng.exponential(1 / gang.failures_per_s, lives)
    working_s = np.maximum(life_s - gang.restart_s, 0.0)
    checkpoints = np.floor(working_s / (gang.interval_s + gang.write_s))
    return float(checkpoints.sum() * gang.interval_s / life_s.sum())


def goodput_rows() -> list[Row]:
    """Mean time to failure against Meta's figures, and the exact ratio against sampling."""
    sampled = [Gang("RSC-1", 16_384, 3600, 60, 600), Gang("Llama-3", 16_384, 1800, 60, 600)]
    return [*_mttf_rows(), *(_sampled_row(gang) for gang in sampled)]


def _mttf_rows() -> list[Row]:
    rsc = "Kokolis et al., HPCA 2025: 6.50 failures per 1,000 node-days"
    llama = "Llama 3: 419 unexpected interruptions in 54 days"
    return [
        _mttf_row("RSC-1", 1_024, 28.8, 0.05, rsc),
        _mttf_row("RSC-1", 16_384, 1.8, 0.05, rsc),
        _mttf_row("RSC-1", 131_072, 0.23, 0.005, rsc),
        _mttf_row("Llama-3", 16_384, 3.09, 0.005, llama),
    ]


def _mttf_row(rate: str, gpus: int, published_h: float, half_digit_h: float, source: str) -> Row:
    hours = 1 / (Gang(rate, gpus, 3600, 60, 600).failures_per_s * 3600)
    name = f"mean time to failure, {rate}, {gpus:,} GPUs"
    return Row(SECTION, name, published_h, hours, "h", half_digit_h / published_h, source, CLOSED_FORM)


def _sampled_row(gang: Gang) -> Row:
    name = f"ETTR, {gang.rate}, {gang.gpus:,} GPUs, dt {gang.interval_s:.0f} s, u0 {gang.restart_s:.0f} s"
    exact = "exact renewal L dt exp(-L u0) / (exp(L (dt + w)) - 1)"
    ours = sampled_ettr(gang)
    return Row(SECTION, name, renewal_ettr(gang), ours, "ratio", SAMPLING, exact, MONTE_CARLO.format(LIVES))
