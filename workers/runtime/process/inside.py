"""The way into a container that runs: reads what to run from standard input and becomes it.

Run as `python -I -S -E inside.py`. Exits with 126 and a line on standard error if it can't.
"""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import entry

if __name__ == "__main__":
    try:
        with open(0, "rb", closefd=False) as given:
            fields = given.read().split(b"\0")
        entry.run(fields)
    except OSError as failure:
        os.write(2, f"{failure}\n".encode())
        os._exit(126)
