"""Where containers run: the Runtime protocol and its implementations."""
