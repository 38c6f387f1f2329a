"""The kinds that the API serves, one module for each API group."""
