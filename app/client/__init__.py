"""The HTTP client of the API, for agents and the command line."""
