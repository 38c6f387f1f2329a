"""Work: which change makes which work, the single-flight queue, and Celery."""
