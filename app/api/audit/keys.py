"""Where a request's environment keeps what the audit log tells of it."""

from __future__ import annotations

# Who the request counts as; and who sent it, if that is somebody else who asked to be taken for them.
USER = "beanpole.user"
ACTING = "beanpole.acting"
# What it is about; why it was allowed; what came with it, decoded.
TARGET = "beanpole.target"
REASON = "beanpole.reason"
SENT = "beanpole.sent"
# What admission wants told of it.
NOTES = "beanpole.notes"
