"""A runtime without processes: containers are entries in a dict, their state computed from the clock.

It carries thousands of nodes in one process, for measuring the control plane and for simulation. What
the pods do is told by annotations of the pod, `simulated.beanpole.dev/<what>`, or for one container
alone `simulated.beanpole.dev/<container>.<what>`. Durations are seconds.

    start-delay     start_container takes that long (it sleeps on the clock it was given)
    ready-after     probes fail until so long after the start
    never-ready     "true": probes always fail
    crash-after     the container ends so long after its start ...
    exit-code       ... with this code (1 if not given) ...
    crash-count     ... in its first N attempts only (every one if not given)
    ignore-term     "true": stopping takes the whole grace period
    fail-start      start_container fails with this text (RunContainerError)
    fail-image      "true": the image can't be pulled (ErrImagePull at start_container)
    log             what the container has printed; `\\n` separates lines
    exec-exit-code  what exec answers (0 if not given)
    exec-output     what an interactive exec prints before it repeats what is typed; `\\n` separates lines

An image of a registry under the reserved domain `.invalid` (RFC 2606) can never be pulled.
"""

from workers.runtime.simulated.machine import Machine
from workers.runtime.simulated.runtime import SimulatedRuntime
from workers.runtime.simulated.told import PREFIX

__all__ = ["PREFIX", "Machine", "SimulatedRuntime"]
