"""What a node says to the API, and what it is told."""
