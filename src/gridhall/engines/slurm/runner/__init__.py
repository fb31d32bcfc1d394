"""The program that Slurm starts on the nodes; `__main__` has the story."""
