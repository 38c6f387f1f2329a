"""What a request did: the change log, read along one trace."""

from __future__ import annotations

from collections.abc import Iterator

from app.base.clock import rfc3339_micro
from app.base.errors import UserError
from app.base.settings import Settings
from app.objects.change import Change
from app.store.store import Store
from app.store.view import View


def show(settings: Settings, subject: str) -> Iterator[str]:
    """One line a commit of the trace: when, how long after the first, revision, cause, who, what.

    Args:
        subject: a trace's id, or `<resource>/<key>` of an object whose newest change is followed.

    Raises:
        UserError: the log knows no such trace.
    """
    store = Store.connect(settings.redis_url, settings.cluster)
    view = View(store, history=settings.log_length, keep=False)
    view.catch_up()
    changes = view.changes_since(view.oldest)
    store.close()
    resource, _, key = subject.partition("/")
    wanted = subject
    if key:
        traces = [change.trace.id for change in changes if change.resource == resource and change.key == key]
        if not traces:
            raise UserError(
                f"the change log holds nothing of {subject}; name it like `deployments.apps/default/web`"
            )
        wanted = traces[-1]
    steps = [change for change in changes if change.trace.id == wanted]
    if not steps:
        raise UserError(
            f"the change log knows no trace {wanted!r}: it is wrong, older than what is kept, or changed nothing"
        )
    yield f"trace {wanted}, begun {rfc3339_micro(steps[0].at)}"
    for step in steps:
        yield _line(step, steps[0].at)


def _line(change: Change, began: float) -> str:
    cause = f"after {change.trace.cause}" if change.trace.cause else "asked for"
    return (
        f"+{change.at - began:8.3f} s  {change.revision:>8}  {cause:<15}  {change.actor:<22}  "
        f"{change.operation:<8}  {change.resource}/{change.key}"
    )
