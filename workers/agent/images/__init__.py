"""A node's images: pulled, remembered, removed."""
