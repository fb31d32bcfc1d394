"""Queries: what the API reads from the store. Each is one indexed statement, or a few, and returns plain rows."""
