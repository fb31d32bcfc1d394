"""The bodies of the API: what a request may say and what an answer says, shared by the server and the client.

Every object has `metadata`, `spec` (what is wanted) and `status` (what is). Unknown fields are refused.
"""
