"""The fields of every kind: one class for each type of the API, grouped by API group."""
