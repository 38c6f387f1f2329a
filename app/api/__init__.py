"""The HTTP side: Flask, watch streams, errors as Status objects."""
