"""Who is asking, and what may they do?

A request brings a bearer token (`tokens`). It belongs to a **principal**: a user or a service account (`principal`).
Role bindings give principals **roles** (`roles`); a role is a set of **rights**, each a verb on a kind of object at a
scope, and a right bound to a place is a **grant** (`rights`). Grants only add up: nothing takes one away. `register`
keeps the answers in memory, so that no request waits for the store. `bootstrap` makes the first user.
"""
