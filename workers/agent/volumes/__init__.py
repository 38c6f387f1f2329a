"""A pod's volumes: made, filled, followed, removed."""
