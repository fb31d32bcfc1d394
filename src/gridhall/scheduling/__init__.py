"""Where and when? The room that decides what runs next, on which nodes, and what has to wait or stop.

The story, in the order of a job's life: `jobs` gives it a slot; `predictor` guesses how long it runs; `queue` puts it
in order (short and old work first, priority and fair share as head starts and delays); `placement` finds the smallest
level
of the topology that holds it; `starts` takes nodes, watts and quota in one place; `holds` keeps nodes for gangs that
cannot start yet, and for advance reservations; `passes` goes through the queue whenever something fell free; `sharing`
packs jobs that need only a part of a GPU. `decisions` lists what can be decided, and `policy` is the file with the
numbers.
"""
