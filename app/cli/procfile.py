"""The Procfile: which programs a machine runs."""

from __future__ import annotations

import shlex
from pathlib import Path

from honcho.environ import parse_procfile

import app
from app.base.errors import UserError


def read() -> dict[str, list[str]]:
    """Name and command of every program, in order: from the Procfile in this folder, else from the one
    beside the source.

    Raises:
        UserError: there is none, or it names no `agent`.
    """
    places = [Path("Procfile"), Path(app.__file__).parent.parent / "Procfile"]
    for place in places:
        if place.is_file():
            programs = {
                name: shlex.split(line) for name, line in parse_procfile(place.read_text()).processes.items()
            }
            if "agent" in programs:
                return programs
            raise UserError(
                f"{place.resolve()} has no line for `agent`; see the Procfile that Beanpole came with"
            )
    raise UserError("there is no Procfile here; run this in the folder that Beanpole was cloned to")
