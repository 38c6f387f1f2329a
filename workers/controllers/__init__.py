"""One module per controller. Pure."""
