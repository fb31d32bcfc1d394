"""Gridhall runs a sovereign AI cloud, from the grid connection to the GPU."""

__version__ = "0.1.0"
