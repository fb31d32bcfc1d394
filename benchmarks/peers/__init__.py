"""Independent peers: what a benchmark's own figures are held against, sharing no code with what is measured.

- `schedules`: FIFO, EASY, oracle SJF and oracle pre-emptive SRTF over a fleet of many sites.
- `bound`: how full shared GPUs can get at best, as a linear program.
- `simpy_loop`: the same jobs through one bare SimPy container, without any placement.
"""
