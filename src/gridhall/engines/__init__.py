"""The hands: what turns effects into actions and actions into events. The twin is the simulated one."""
