"""Redis: the one commit, the change log, and views of it."""
