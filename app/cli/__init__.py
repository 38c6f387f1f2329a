"""The `beanpole` command."""
