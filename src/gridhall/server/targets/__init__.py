"""Load targets in the live controller: what each feed may draw and from when, kept, put in force, and told to the core.

- `feeds` says what a feed can be asked for, in watts at its meter, and what of it nobody can shed.
- `kept` is a feed's schedule as a resource: it is durable with the audit entry of the write that made it so.
- `changes` are two: somebody sets a target, and a stretch has begun or ended. Both leave the core with the value that
  is in force now, as a TARGET event in IT watts, in the same transaction.
- `watch` is the timer: it waits for the next beginning or end of a stretch.

Which targets are accepted is decided by `gridhall.energy.targets`; what is paused for one is decided by the core.
"""
