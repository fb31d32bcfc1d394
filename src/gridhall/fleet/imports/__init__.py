"""Fleets from what operators already have: a Slurm cluster, or a list of nodes.

Each reader turns its text into node records; `nodes` matches them with the hardware catalogue and stacks them into
racks, pods and halls. What the text does not tell (power, place, racks) is assumed and said so in the fleet's notes;
write the fleet out with `dump_fleet` and put the real figures in.
"""

from gridhall.fleet.imports.nodes import SiteFacts
from gridhall.fleet.imports.nodes_csv import openb_fleet, read_nodes_csv
from gridhall.fleet.imports.slurm import read_slurm

__all__ = ["SiteFacts", "openb_fleet", "read_nodes_csv", "read_slurm"]
