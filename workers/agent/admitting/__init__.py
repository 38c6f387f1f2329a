"""Whether a node takes a pod: what it has room for, and what its runtime can give."""
