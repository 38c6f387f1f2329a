"""Beanpole's API server, and what the API and the workers share."""
