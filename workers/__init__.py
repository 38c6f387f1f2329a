"""Beanpole's workers: scheduler, controllers and node agents."""
