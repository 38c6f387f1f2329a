"""What some runtimes can give a pod and others can't.

A runtime says what it gives in `Runtime.features`; `workers.agent.admitting.refusals` says which field of a pod asks for which
feature, and what becomes of a pod whose runtime lacks it.
"""

from __future__ import annotations

from enum import StrEnum


class Feature(StrEnum):
    """One thing each. The value is what a user reads: "...: the process runtime has no <value>"."""

    # Whom a container runs as.
    GROUPS = "right to set supplementary groups"
    IMAGE_GROUPS = "choice of leaving out the groups that an image names"
    USER_NAMESPACES = "user namespaces for pods"

    # What a container may do.
    CAPABILITIES = "way to drop capabilities"
    MORE_CAPABILITIES = "way to add capabilities"
    PRIVILEGED = "privileged containers"
    NO_NEW_PRIVILEGES = "way to keep a process from gaining privileges"
    SECCOMP = "seccomp filters"
    SECCOMP_PROFILES = "seccomp profiles of files"
    APPARMOR = "AppArmor"
    SELINUX = "SELinux"
    READ_ONLY_ROOT = "read-only root file system"
    PROC_MOUNT = "choice of what is masked in /proc"
    SYSCTLS = "kernel settings of a pod's own"
    RUNTIME_CLASSES = "other runtimes to choose from"

    # What a pod shares, with the machine or among its containers.
    HOST_NETWORK = "pods in the machine's network"
    HOST_PID = "pods that see the machine's processes"
    HOST_IPC = "pods in the machine's IPC namespace"
    SHARED_PROCESSES = "process namespace of a pod"
    HOSTNAME = "host name of a pod's own"
    HOST_PORTS = "ports of the machine that lead to a pod"

    # What a container may use.
    CPU_LIMIT = "limit on cpu"
    MEMORY_LIMIT = "limit on memory"
    PIDS_LIMIT = "limit on processes"
    EPHEMERAL_STORAGE = "limit on local disk"
    DEVICES = "devices"
    RESIZE = "change of a running container's resources"

    # What a container finds.
    IMAGES = "images"
    MOUNTS = "view of the file system of a container's own"
    MEMORY_VOLUMES = "volumes in memory"
    SHARED_MOUNTS = "way to show the machine what a container mounts"
    RECURSIVE_READ_ONLY = "mounts that are read-only all the way down"
    ENGINE_VOLUMES = "engine that mounts volumes"
    BLOCK_VOLUMES = "way to give a container a block device"
