"""The way into a container that runs: reads what to run from standard input and becomes it.

Run as `python -I -S -E inside.py`. Given a file descriptor, it reads from that one instead, and the command keeps its
standard input; given `tty` besides, that is a terminal, which comes to control it. Exits with 126 and a line on standard error if it can't.
"""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import entry

if __name__ == "__main__":
    try:
        told = int(sys.argv[1]) if len(sys.argv) > 1 else 0
        with open(told, "rb", closefd=told != 0) as given:
            fields = given.read().split(b"\0")
        entry.run(fields, keep_input=told != 0, terminal="tty" in sys.argv[2:])
    except OSError as failure:
        os.write(2, f"{failure}\n".encode())
        os._exit(126)
