"""Benchmarks: each module runs its reference in the same run and prints one JSON object as its last line."""
