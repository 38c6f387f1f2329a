"""What to do next for a pod, and how long to wait before: pure."""
