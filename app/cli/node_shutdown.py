"""`beanpole node-shutdown`: end the pods of this machine's nodes before it goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.base.errors import UserError
from app.client.node_control import CANCEL, SHUTDOWN, NoAnswer, ask, listening

# An agent says at least this often that it is still there. Seconds.
SILENCE = 30.0


def tell(state: Path, node: str, cancel: bool, say: Callable[[str], None]) -> None:
    """Tell the agents of a state folder, or that of one node; returns when they have done it.

    Raises:
        UserError: no agent runs from the folder.
    """
    sockets = listening(state)
    wanted = {name: path for name, path in sockets.items() if not node or name == node}
    told = 0
    for path in wanted.values():
        try:
            for line in ask(path, CANCEL if cancel else SHUTDOWN, SILENCE):
                say(line)
            told += 1
        except NoAnswer as exc:
            say(str(exc))
    if not told:
        raise UserError(
            f"no agent{' of the node ' + node if node else ''} runs from {state}; give its --state"
        )
