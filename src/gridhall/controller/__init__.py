"""The loop: `step(state, event) -> effects`, and what belongs to it.

`state` joins the rooms' columns for one fleet; `events` and `scheduling.decisions` are the two closed lists of records; `step` is the
compiled decision; `replay` feeds recorded events again and compares what comes out.
"""
