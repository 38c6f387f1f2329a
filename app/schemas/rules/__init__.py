"""Validation that spans fields, or that no field says of itself: Kubernetes's rules and words."""
