"""Services on a node: rules (pure), the data planes that carry them, cluster DNS."""
