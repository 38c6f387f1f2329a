"""Pods that a node runs out of files."""
