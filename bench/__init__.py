"""Measurements against any Kubernetes API: `python -m bench`. Not tests: nothing here asserts a time."""
