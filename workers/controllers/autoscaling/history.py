"""What an autoscaler remembers: what it recommended and by how much it scaled, lately.

Any worker may look at an autoscaler next, so the memory is on the object, in an annotation. A recommendation holds
until the next one, so nothing is written while it stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from app.objects.change import Object
from app.objects.meta import annotations_of, with_meta

ANNOTATION = "beanpole.dev/scaling-history"


@dataclass(frozen=True, slots=True)
class History:
    """Pairs of a time, in whole seconds since the epoch, and a number of pods, oldest first.

    Attributes:
        recommended: numbers of pods, each from its time on. added, removed: how many pods more or fewer were asked for.
    """

    recommended: tuple[tuple[int, int], ...] = ()
    added: tuple[tuple[int, int], ...] = ()
    removed: tuple[tuple[int, int], ...] = ()

    def recommending(self, number: int, now: float, keep: float) -> History:
        """With a new recommendation; what ended more than `keep` seconds ago is forgotten."""
        at, seen = int(now), self.recommended
        if not seen or seen[-1][1] != number:
            seen = (*seen, (at, number))
        # An entry ended when the next one began.
        first = next((i for i in range(len(seen) - 1) if seen[i + 1][0] >= at - keep), len(seen) - 1)
        return History(seen[first:], self.added, self.removed)

    def scaled(self, change: int, now: float, keep: float) -> History:
        """With a change of so many pods; what happened more than `keep` seconds ago is forgotten."""
        at = int(now)
        added, removed = (
            tuple(e for e in events if e[0] > at - keep) for events in (self.added, self.removed)
        )
        if change > 0:
            added = (*added, (at, change))
        elif change < 0:
            removed = (*removed, (at, -change))
        return History(self.recommended, added, removed)

    def within(self, seconds: float, now: float) -> list[int]:
        """What was recommended at any time in the last `seconds`."""
        since = now - seconds
        ends = [at for at, _ in self.recommended[1:]] + [now]
        return (
            [number for (_, number), end in zip(self.recommended, ends, strict=True) if end > since]
            if self.recommended
            else []
        )

    def changed(self, events: tuple[tuple[int, int], ...], seconds: float, now: float) -> int:
        """By how much, in the last `seconds`."""
        return sum(number for at, number in events if at > now - seconds)


def remembered(autoscaler: Object) -> History:
    """What the object remembers; nothing if that can't be read."""
    try:
        given = orjson.loads(annotations_of(autoscaler).get(ANNOTATION) or "{}")
        parts = (
            tuple((int(at), int(number)) for at, number in given.get(name) or ())
            for name in ("recommended", "added", "removed")
        )
        return History(*parts)
    except (ValueError, TypeError, AttributeError):
        return History()


def remembering(autoscaler: Object, history: History) -> Object:
    """The object with this memory."""
    found = {
        "recommended": history.recommended, "added": history.added, "removed": history.removed
    }  # fmt: skip
    text = orjson.dumps({name: pairs for name, pairs in found.items() if pairs}).decode()
    if annotations_of(autoscaler).get(ANNOTATION) == text:
        return autoscaler
    return with_meta(autoscaler, annotations={**annotations_of(autoscaler), ANNOTATION: text})
