"""Sessions: connections of users into pods (exec, attach, port-forward, proxy), by way of the node's agent.

`wires` and `lists` carry bytes between a user's API server and the agent's; `sessions` opens and joins them;
`websocket`, `channels` and `spdy` are what clients speak; `remote_command`, `forward` and `proxy` what they want.
"""
