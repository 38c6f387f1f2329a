"""Kubernetes kinds: one module per API group, and the registry of them."""
