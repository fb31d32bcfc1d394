"""The loop: `step(state, event) -> effects`, and what belongs to it.

`state` joins the rooms' columns for one fleet; `events` and `scheduling.decisions` are the two closed lists of records;
`step` is the compiled decision; `record` keeps the events of a run; `replay` feeds them again and compares what comes
out; `promise` says why a job waits and when it can start at the latest by what is known.
"""
