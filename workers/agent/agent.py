"""One node's agent: it exchanges news with the API, and sees to the node's pods.

Everything is a job (see `jobs`): one for the exchange, one for each pod, one for the node itself. With
`SteppedJobs` all of it runs in one thread, when told to; with `ThreadedJobs` by itself.

Here its parts are put together: `pods` sees to the pods, `dialogue` says and hears what an exchange carries,
`deaths` listens to the runtime, `streams` and `sessions` serve users who look into containers.
"""

from __future__ import annotations

from typing import Any

from app.base.clock import Clock
from app.base.ids import Ids
from app.base.settings import Settings
from workers.agent.api import AgentApi
from workers.agent.configuring.account_tokens import AccountTokens
from workers.agent.deaths import Deaths
from workers.agent.exchange.conversation import Conversation
from workers.agent.exchange.dialogue import Dialogue
from workers.agent.exchange.exchanger import Exchanger
from workers.agent.exchange.notes import Notes
from workers.agent.exchange.outbox import Outbox
from workers.agent.jobs import Jobs, SteppedJobs
from workers.agent.node.registration import registered
from workers.agent.node.shutdown import Shutdown
from workers.agent.pods import Pods
from workers.agent.pressure.evictor import Evictor
from workers.agent.probing import Prober, prober_for
from workers.agent.sessions.sessions import Sessions
from workers.agent.sessions.streams import Streams
from workers.agent.surroundings import Network, Surroundings
from workers.runtime.protocol import Runtime


class Agent:
    """See the module.

    Args:
        api: how to reach the API. network: the node's services and names.
        node: the node's name; empty means `settings.node`. queue: where its nudges go; empty means its name.
        jobs: where its work runs; by default in whichever thread calls `sync_once`.
        prober: how probes are tried; by default over the network, or by asking a runtime that answers them.
        exchanger: makes its exchanges, with those of the process's other nodes; by default its own alone.
    """

    def __init__(
        self,
        api: AgentApi,
        runtime: Runtime,
        network: Network,
        clock: Clock,
        ids: Ids,
        settings: Settings,
        *,
        node: str = "",
        queue: str = "",
        jobs: Jobs | None = None,
        prober: Prober | None = None,
        exchanger: Exchanger | None = None,
    ) -> None:
        self.name = node or settings.node
        self.jobs = jobs or SteppedJobs(clock)
        self._exchanger = exchanger or Exchanger(api.exchange, self.jobs, clock, ids)
        services = self._exchanger.services
        self.told = Conversation(self.name, settings.exchange)
        self.outbox = Outbox()
        self.around = Surroundings(
            self.name,
            runtime,
            network,
            clock,
            ids,
            settings,
            Notes(clock),
            registered=registered(settings),
            tokens=AccountTokens(api.request_token, clock, ids),
            objects=self.told.objects,
            services=services.services,
            slices=services.slices,
            peers=services.peers,
        )
        self.pods = Pods(
            self.around,
            self.told,
            self.outbox,
            self.jobs,
            prober or prober_for(runtime),
            lambda: self._dialogue.report(),
            lambda: services.applied,
            lambda: self._dialogue.room(),
        )
        self._streams = Streams(api, runtime, self.jobs, self.pods.find)
        self._sessions = Sessions(api, runtime, self.jobs, self.pods.find)
        self._dialogue = Dialogue(
            api,
            self.around,
            self.told,
            self.outbox,
            self.pods,
            self._exchanger,
            self.jobs,
            settings,
            queue or self.name,
            self._asked,
        )
        self._exchanger.join(self._dialogue)
        self.shutdown = Shutdown(
            self.around,
            self.jobs,
            lambda: self.pods.records,
            self.pods.wake,
            self._dialogue.standing_changed,
            lambda: self._dialogue.all_said,
        )
        self._deaths = Deaths(self.name, runtime, self.pods.wake, self._dialogue.runtime_is_back)

    @property
    def evictor(self) -> Evictor:
        """What ends pods when the machine runs short."""
        return self._dialogue.evictor

    def start(self) -> None:
        """Begin: exchange, and listen for containers that die, unless the runtime says so when asked (`died`)."""
        self._dialogue.static.start()
        self._dialogue.ask(0.0)
        self._deaths.start()

    def stop(self) -> None:
        """End, leaving all containers running. What was not reported yet is, if the API answers."""
        self._deaths.stop()
        self._dialogue.stop()
        self._exchanger.farewell()
        self.pods.probes.close()
        self.around.runtime.close()
        self._deaths.join()
        self.around.network.close()

    def nudge(self) -> None:
        """Something changed for this node: exchange at once."""
        self._dialogue.ask(0.0)

    def sync_once(self) -> int:
        """Run what is due, in this thread; how many jobs that were. Only for an agent that is stepped."""
        assert isinstance(self.jobs, SteppedJobs)
        self.look_for_deaths()
        return self.jobs.run_due()

    def exchange_once(self) -> None:
        """See `Exchanger.exchange`."""
        self._exchanger.exchange([self.name])

    @property
    def tells_deaths(self) -> bool:
        """Whether `look_for_deaths` is to be called now and then: no thread listens."""
        return self._deaths.when_asked

    def look_for_deaths(self) -> None:
        """Wake pods of which a container died, where the runtime says so without blocking."""
        self._deaths.look()

    def _asked(self, request: dict[str, Any]) -> None:
        """A user wants to look into a container."""
        (self._sessions if "kind" in request else self._streams).answer(request)
