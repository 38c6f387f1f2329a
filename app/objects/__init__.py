"""Pure semantics of Kubernetes objects: no I/O, no clock, no randomness.

An object is a plain `dict` in wire form (the JSON a client sees). Objects that came out of a view
are shared: never change one in place, build a new one.
"""
