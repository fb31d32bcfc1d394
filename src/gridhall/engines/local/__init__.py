"""The engine that runs gangs as processes on this machine.

`engine` keeps the protocol. It writes each order into the attempt's record (`folder`), together with what its ranks are
to be told (`launch`) and kept from (`confine`), and starts a `shim` on it: a small program that is the processes'
parent and outlives the server. `watch` follows the shims, `verdict` makes a report of what they leave behind, and
`remains` ends what a dead shim left running.
"""
