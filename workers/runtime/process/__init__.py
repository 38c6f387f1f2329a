"""The process runtime: containers without an engine."""

from workers.runtime.process.runtime import ProcessRuntime

__all__ = ["ProcessRuntime"]
