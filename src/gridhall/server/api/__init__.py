"""The API `/v1`: flat collections of objects with metadata, spec and status, as OpenAPI 3.1.

A request meets `edge` first (trace id, who is it, how large is it), then its route in `routes/<noun>.py`, which asks
its `caller` whether it may, and hands every change to `write`. What goes wrong is a `problem`. `openapi` says all of it
to machines, `app` puts it together.
"""
