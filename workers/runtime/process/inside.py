"""The way into a container that runs: reads what to run and becomes it.

Run as `python -I -S -E inside.py`, with the number of the file descriptor to read from. The command keeps the standard
streams; given `tty` besides, they are a terminal, which comes to control it. Exits with 126 and a line on standard error
if it can't.
"""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import entry

if __name__ == "__main__":
    try:
        with open(int(sys.argv[1]), "rb") as given:
            fields = given.read().split(b"\0")
        entry.run(fields, keep_input=True, terminal=sys.argv[2] == "tty")
    except OSError as failure:
        os.write(2, f"{failure}\n".encode())
        os._exit(126)
