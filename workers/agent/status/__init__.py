"""What a pod's status says: pure."""
