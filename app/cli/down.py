"""`beanpole down`: end what a cluster that `up` ran left running on this machine."""

from __future__ import annotations

from collections.abc import Callable

from app.base.settings import load
from app.cli.ask import ask
from app.cli.join import local_settings
from app.cli.state import State

# Seconds that containers get between SIGTERM and SIGKILL.
GRACE = 10
CLEANUP = "workers.agent.cleanup"


def down(
    state: State, confirm: Callable[[str], bool], say: Callable[[str], None], *, purge: bool = False
) -> bool:
    """End the cluster's pods and remove all they had on this machine. Whether that was done.

    Args:
        confirm: asked with one sentence before anything is removed; False changes nothing.
        purge: remove the cluster's state too, persistent volumes among it, so that the next `up` makes a new one.

    Raises:
        UserError: no cluster was started there, one of its programs runs, or something can't be removed.
    """
    # The folder may have been moved since.
    environ = {**local_settings(state.folder), "BEANPOLE_STATE_DIR": str(state.folder.resolve())}
    with state.lock(), state.lock_agents(alone=True):
        settings = load(environ)
        pods = int(ask(CLEANUP, "pods", environ=environ))
        what = f"{pods} pod{'' if pods == 1 else 's'} of cluster {settings.cluster} ({settings.runtime})"
        state_goes = f" and its state in {state.folder}" if purge else ""
        if not confirm(f"This ends {what} on this machine{state_goes}."):
            return False
        ask(CLEANUP, "remove", str(GRACE), environ=environ)
        if purge:
            ask(CLEANUP, "volumes", environ=environ)
        say(f"ended {what}; no container, network or rule of it is left on this machine")
        if purge:
            embedded = state.data.exists()
            foreign = state.purge()
            say(
                f"removed its state from {state.folder}"
                + (f", but not {', '.join(foreign)}" if foreign else "")
            )
            if not embedded and not settings.client_cert_file:
                say(
                    f"its objects stay in your Redis, in the keys that contain {{beanpole:{settings.cluster}}}"
                )
        else:
            say(f"its state stays in {state.folder}: `beanpole up` starts it again, --purge removes it")
    return True
