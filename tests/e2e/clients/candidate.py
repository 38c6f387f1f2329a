"""A candidate for leadership, in a program of its own: it says so when it leads, and ends when it is killed.

Arguments: kubeconfig, namespace, its name.
"""

from __future__ import annotations

import sys

from kubernetes import config
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.configmaplock import ConfigMapLock


def main(kubeconfig: str, namespace: str, name: str) -> None:
    config.load_kube_config(kubeconfig)
    election = electionconfig.Config(
        ConfigMapLock("lock", namespace, name),
        lease_duration=3,
        renew_deadline=2,
        retry_period=1,
        onstarted_leading=lambda: print("leads", flush=True),
        onstopped_leading=None,
    )
    leaderelection.LeaderElection(election).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
