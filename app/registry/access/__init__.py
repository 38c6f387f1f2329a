"""Who may do what: roles and bindings, nodes' credentials, and the reviews that ask about it."""
