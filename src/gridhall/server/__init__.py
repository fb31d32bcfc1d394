"""The live control plane: API, identity and persistence around the same `step` that the twin and replay run.

`live` is the loop in the middle: an event comes in, `step` decides, event and effects become durable in one store
transaction, only then are the effects carried out, and their results come back as events. `store` is that
transaction's database, `objects` the typed bodies of the API, `identity` who may do what, `api` the routes. The engines
that do the work live in `gridhall.engines`. Everything here needs the extra `[server]`.
"""
