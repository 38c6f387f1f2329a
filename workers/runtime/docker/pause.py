"""The sandbox's image, made here: one program of a few bytes that waits for ever. Nothing is pulled for it.

As process 1 of its namespace it has no signal handlers, so only SIGKILL ends it. It ignores the death of children: where
a pod's containers share their processes (`shareProcessNamespace`), the kernel then removes the orphans that die.
"""

from __future__ import annotations

import io
import json
import struct
import tarfile

import docker
import docker.errors

from workers.runtime.docker.engine import is_gone, translated

IMAGE = "beanpole/pause:2"
# For machines whose instructions are not spelled out here.
FALLBACK = "registry.k8s.io/pause:3.10"

_LOAD_ADDRESS = 0x400000
_HEADERS = 64 + 56

# SIGCHLD ignored: struct sigaction with the handler SIG_IGN, and nothing else.
_IGNORED = struct.pack("<4Q", 1, 0, 0, 0)
# machine number in ELF, and the code: have the kernel ignore SIGCHLD, then wait for a signal, and again.
_PROGRAMS = {
    # mov eax, 13 (rt_sigaction); mov edi, 17; lea rsi, [rip + 19]; xor edx, edx; mov r10d, 8; syscall
    # mov eax, 34 (pause); syscall; jmp back
    "x86_64": (
        62,
        bytes.fromhex(
            "b80d000000 bf11000000 488d3513000000 31d2 41ba08000000 0f05 b822000000 0f05 ebf7".replace(
                " ", ""
            )
        )
        + _IGNORED,
    ),
    # mov x0, 17; adr x1, +48; mov x2, 0; mov x3, 8; mov x8, 134 (rt_sigaction); svc 0
    # mov x0..x3, 0; mov x8, 73 (ppoll); svc 0; b back
    "aarch64": (
        183,
        struct.pack("<6I", 0xD2800220, 0x10000181, 0xD2800002, 0xD2800103, 0xD28010C8, 0xD4000001)
        + struct.pack(
            "<7I", 0xD2800000, 0xD2800001, 0xD2800002, 0xD2800003, 0xD2800928, 0xD4000001, 0x17FFFFFA
        )
        + _IGNORED,
    ),
}


def ensure(client: docker.APIClient, architecture: str) -> str:
    """Have a sandbox image; its name.

    Args:
        architecture: the engine's, as in `/info` (x86_64, aarch64).

    Raises:
        ContainerError: ErrImagePull.
    """
    program = elf(architecture)
    name = IMAGE if program else FALLBACK
    with translated("ErrImagePull"):
        try:
            client.inspect_image(name)
            return name
        except docker.errors.APIError as exc:
            if not is_gone(exc):
                raise
        repository, _, tag = name.rpartition(":")
        if program:
            client.import_image_from_data(
                archive(program), repository, tag, changes=[f"CMD {json.dumps(['/pause'])}"]
            )
        else:
            client.pull(repository, tag)
    return name


def elf(architecture: str) -> bytes | None:
    """A static executable that waits for ever; None for a machine that is not known here."""
    if architecture not in _PROGRAMS:
        return None
    machine, code = _PROGRAMS[architecture]
    size = _HEADERS + len(code)
    # https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html: 64 bit, little endian, executable.
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack(
        "<HHIQQQIHHHHHH", 2, machine, 1, _LOAD_ADDRESS + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _LOAD_ADDRESS, _LOAD_ADDRESS, size, size, 0x1000)
    return header + segment + code


def archive(program: bytes) -> bytes:
    """A root file system with the program as /pause."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("pause")
        entry.size, entry.mode = len(program), 0o755
        tar.addfile(entry, io.BytesIO(program))
    return packed.getvalue()
