"""The node agent: what to do next for each pod (pure), and the loops that do it."""
