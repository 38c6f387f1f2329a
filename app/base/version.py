"""Which Kubernetes this speaks like: clients compare it with their own version."""

MAJOR, MINOR = "1", "36"
GIT_VERSION = f"v{MAJOR}.{MINOR}.0+beanpole"
