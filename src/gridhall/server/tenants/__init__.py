"""Organisations and projects on the live controller, and how much they may have.

Each is a resource of the directory and, by its `number`, an index in the core, which is told of every change by an
event of its own: `tenants` makes and closes them, `quotas` and `budgets` say how much.
"""
