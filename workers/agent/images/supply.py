"""Whether a container has its image: the rules of pull policies, logins, and back-off, and what users are told.

https://kubernetes.io/docs/concepts/containers/images/
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from app.base.errors import BeanpoleError
from app.objects.change import Object
from workers.agent.configuring.container import pull_policy
from workers.agent.deciding.step import StartContainer
from workers.agent.images import words as image_words
from workers.agent.images.backoff import PullBackOffs
from workers.agent.images.keeper import ImageKeeper
from workers.agent.images.keyring import Key
from workers.agent.images.pulls import Fetched, Pull, Pulls, Ticket
from workers.agent.images.secrets import keys_for
from workers.agent.jobs import Jobs
from workers.agent.pod import containers
from workers.agent.record import Record
from workers.agent.surroundings import Surroundings
from workers.runtime import images
from workers.runtime.images import Image
from workers.runtime.protocol import ContainerError

# How soon it is looked at again what no pull will mend, such as a wrong name. Seconds.
RECHECK = 10.0
# How long a failed pull is shown as such before it is shown as waiting for the next. Seconds.
SHOWN = 2.0
# How soon an engine is asked again that did not answer. Seconds.
AWAY_PAUSE = 1.0
# How often users hear of a pull that goes on. Seconds.
TELL = 15.0
# Of these the Event names the reason alone: what happened was told before.
IMAGE_REASONS = (
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "RegistryUnavailable",
)


class Pulling(BeanpoleError):
    """The image is being pulled, or that of a container which starts before this one. The pod is woken after it."""


class ImageTrouble(BeanpoleError):
    """The container can't have its image now. `reason` and `message` as its status shows them."""

    def __init__(self, reason: str, message: str, retry_at: float) -> None:
        super().__init__(message)
        self.reason, self.message, self.retry_at = reason, message, retry_at


class ImageSupply:
    """See the module, for a runtime that keeps images.

    Args:
        wake: asks for a step of a pod. report: there are Events to send.
    """

    def __init__(
        self,
        around: Surroundings,
        keeper: ImageKeeper,
        jobs: Jobs,
        wake: Callable[[str, float], None],
        report: Callable[[], None],
    ) -> None:
        self._around, self._keeper = around, keeper
        self._wake, self._report = wake, report
        self._lock = threading.Lock()
        self._tickets: dict[tuple[str, str], Ticket] = {}
        self._backoffs = PullBackOffs()
        settings = around.settings
        self._pulls = Pulls(
            around.node,
            keeper.store,
            jobs,
            around.clock,
            settings.parallel_pulls,
            settings.pull_patience,
            self._progress,
            self._settled,
        )

    def have(self, record: Record, container: Object, action: StartContainer) -> None:
        """Return once the container may start, as far as its image goes.

        Raises:
            Pulling: it will. ImageTrouble: it can't now. NotYetKnown: a Secret of the pod is still to come.
            ContainerError: the engine can't be reached.
        """
        text, policy = str(container.get("image") or ""), pull_policy(container)
        try:
            image = images.parse(text)
        except ContainerError as exc:
            self._tell(record, action, "InspectFailed", exc.message, warning=True)
            raise ImageTrouble(exc.reason, exc.message, self._around.clock.now() + RECHECK) from exc
        keys = keys_for(record.pod, image, self._around.objects, lambda said: self._warn(record.pod, said))
        ticket = self._ticket(record, action, text, keys)
        if ticket is None and not self._is_here(record, action, image, text, policy, keys):
            ticket = self._ask(record, action, image, text, keys)
        with self._lock:
            waits = ticket is not None and ticket.outcome is None
            if waits or self._earlier_waits(record, action):
                mine = record.memory.of(action.name)
                mine.pulling, mine.retry_at = True, math.inf
                raise Pulling(text)
            self._tickets.pop((record.uid, action.name), None)
        if ticket is not None and isinstance(ticket.outcome, ContainerError):
            self._failed(record, action, text, ticket)

    def abandon(self, uid: str) -> None:
        """The pod starts nothing any more."""
        with self._lock:
            left = [key for key in self._tickets if key[0] == uid]
            tickets = [self._tickets.pop(key) for key in left]
        self._backoffs.forget(uid)
        for ticket in tickets:
            self._pulls.leave(ticket)

    # -- deciding -----------------------------------------------------------------------------------

    def _ticket(
        self, record: Record, action: StartContainer, text: str, keys: tuple[Key, ...]
    ) -> Ticket | None:
        """What the container holds. If it asks for another image now, or has other logins, nothing."""
        with self._lock:
            ticket = self._tickets.get((record.uid, action.name))
            if ticket is None or (ticket.text == text and ticket.prints == _prints(keys)):
                return ticket
            del self._tickets[record.uid, action.name]
        self._pulls.leave(ticket)
        return None

    def _is_here(
        self,
        record: Record,
        action: StartContainer,
        image: Image,
        text: str,
        policy: str,
        keys: tuple[Key, ...],
    ) -> bool:
        """Whether nothing is to be pulled. Raises ImageTrouble: nothing may be."""
        found = None
        if policy != "Always":
            try:
                found = self._keeper.store.find(image)
            except ContainerError as exc:
                if exc.reason != "ImageInspectError":
                    raise
                message = f'Failed to inspect image "{text}": {exc.message}'
                self._tell(record, action, "InspectFailed", message, warning=True)
                raise ImageTrouble(exc.reason, message, self._around.clock.now() + RECHECK) from exc
        if found is not None and self._keeper.memory.may_use(image, found, keys):
            self._tell(record, action, "Pulled", image_words.present(text))
            return True
        if policy == "Never":
            message = image_words.not_for_this_pod(text) if found else image_words.never(text)
            self._tell(record, action, "ErrImageNeverPull", message, warning=True)
            raise ImageTrouble("ErrImageNeverPull", message, self._around.clock.now() + RECHECK)
        self._still_backing_off(record, action, text, keys)
        return False

    def _still_backing_off(
        self, record: Record, action: StartContainer, text: str, keys: tuple[Key, ...]
    ) -> None:
        """Raises ImageTrouble: a pull with the same logins failed a short while ago."""
        wait = self._backoffs.now(record.uid, text, _prints(keys), self._around.clock.now())
        if wait is None:
            return
        said = image_words.back_off(text)
        self._tell(record, action, "BackOff", said)
        raise ImageTrouble("ImagePullBackOff", f"{said}: {wait.why}", wait.until)

    def _earlier_waits(self, record: Record, action: StartContainer) -> bool:
        """With the lock held: whether a container that is to start before this one still waits for its image."""
        names = [each["name"] for each in containers(record.pod)]
        if action.name not in names:
            return False
        for name in names[: names.index(action.name)]:
            ticket = self._tickets.get((record.uid, name))
            if ticket is not None and ticket.outcome is None:
                return True
        return False

    # -- pulling ------------------------------------------------------------------------------------

    def _ask(
        self, record: Record, action: StartContainer, image: Image, text: str, keys: tuple[Key, ...]
    ) -> Ticket:
        ticket = Ticket(record, action.name, action.init, text, _prints(keys), self._around.clock.monotonic())
        self._tell(record, action, "Pulling", image_words.pulling(text))
        with self._lock:
            self._tickets[record.uid, action.name] = ticket
        self._report()
        self._pulls.ask(image, keys, ticket)
        return ticket

    def _progress(self, pull: Pull, now: float) -> None:
        if now - pull.told < TELL:
            return
        pull.told = now
        for ticket in list(pull.tickets):
            said = image_words.progress(ticket.text, pull.transfer.done, pull.transfer.total)
            self._note(ticket, "Pulling", said)
        self._report()

    def _settled(self, pull: Pull) -> None:
        outcome = pull.outcome
        if isinstance(outcome, Fetched):
            self._keeper.pulled(pull.image, outcome.found, outcome.key, new=outcome.new, named=outcome.named)
        # An engine that went away is not asked again at once.
        pause = AWAY_PAUSE if isinstance(outcome, ContainerError) and outcome.away else 0.0
        with self._lock:
            tickets = list(pull.tickets)
            for ticket in tickets:
                ticket.outcome = outcome
                # Those that only waited for this one to start first are looked at again, too.
                for mine in list(ticket.record.memory.containers.values()):
                    if mine.pulling:
                        mine.pulling, mine.retry_at = False, self._around.clock.now() + pause
        for ticket in tickets:
            if isinstance(outcome, Fetched):
                waited = pull.ended - ticket.asked
                took = min(pull.ended - pull.began, waited)
                self._note(
                    ticket, "Pulled", image_words.pulled(ticket.text, took, waited, outcome.found.size)
                )
                self._backoffs.worked(ticket.record.uid, ticket.text)
            self._wake(ticket.record.uid, pause)

    def _failed(self, record: Record, action: StartContainer, text: str, ticket: Ticket) -> None:
        exc = ticket.outcome
        assert isinstance(exc, ContainerError)
        if exc.away:
            raise exc
        now = self._around.clock.now()
        self._backoffs.failed(record.uid, text, ticket.prints, f"{exc.reason}: {exc.message}", now)
        message = f'Failed to pull image "{text}": {exc.message}'
        self._tell(record, action, "Failed", message, warning=True)
        said = (
            image_words.unavailable(text, exc.message) if exc.reason == "RegistryUnavailable" else exc.message
        )
        raise ImageTrouble(exc.reason, said, now + SHOWN)

    # -- telling ------------------------------------------------------------------------------------

    def _tell(
        self, record: Record, action: StartContainer, reason: str, message: str, *, warning: bool = False
    ) -> None:
        self._around.notes.tell(
            record.pod, reason, message, warning=warning, container=action.name, init=action.init
        )

    def _note(self, ticket: Ticket, reason: str, message: str) -> None:
        self._around.notes.tell(
            ticket.record.pod, reason, message, container=ticket.container, init=ticket.init
        )

    def _warn(self, pod: Object, message: str) -> None:
        self._around.notes.tell(pod, "FailedToRetrieveImagePullSecret", message, warning=True)


def _prints(keys: tuple[Key, ...]) -> tuple[str, ...]:
    return tuple(key.print for key in keys)
