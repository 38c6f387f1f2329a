"""One kubectl command line, and what it must show."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """A command line of the table.

    Attributes:
        words: what follows `kubectl`, as typed in a shell. `{folder}` is the folder of the story's manifests.
        says: a regular expression that is found in what it prints (stdout and stderr together).
        stdin: what is piped into it.
        code: the exit code it ends with.
        until: it does not end by itself: it is ended once `says` is found.
        fetch: with `until`: the path that is fetched from the local port that the first group of `says` names;
            the answer must hold `fetched`.
        retry: it is repeated until it does what it must, as a user would do who waits for something.
        namespaced: it runs in the story's own namespace.
        awaits: what does not exist yet, so that it must fail. Once it works, this has to go.
    """

    words: str
    says: str = ""
    stdin: str = ""
    code: int = 0
    until: bool = False
    fetch: str = ""
    fetched: str = ""
    retry: bool = False
    namespaced: bool = True
    awaits: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """Lines that build on each other, run in order in a namespace of their own.

    `files` are manifests that its lines name, by file name.
    """

    name: str
    lines: tuple[Line, ...]
    files: dict[str, str] | None = None
