"""The node itself: what it has, how it is, when it goes."""
