"""From a pod and what it draws on to what a runtime starts."""
