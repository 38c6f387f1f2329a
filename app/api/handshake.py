"""Asking clients for a certificate without insisting on a good one.

Kubernetes lets any certificate through the handshake and answers 401 when it is not good, and it tells clients whose
certificates it takes, so that a browser does not offer others. OpenSSL can do both, Python's `ssl` passes on
neither. So the context is handed to OpenSSL's own functions, where it can be found beyond doubt; where it can't, a
certificate of another authority ends the handshake of its client, and nothing else changes.
"""

from __future__ import annotations

import ctypes
import logging
import os
import ssl

log = logging.getLogger("beanpole.api")

# SSL_CTX_set_verify(3): ask for a certificate, and take none, too.
VERIFY_PEER = 0x01
# Of X509_VERIFY_PARAM_set_flags(3): the times of certificates are looked at later, where they can be answered.
NO_CHECK_TIME = 0x200000
_MODES = ((ssl.CERT_NONE, 0), (ssl.CERT_OPTIONAL, 1), (ssl.CERT_REQUIRED, 3))

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)


def _accept(preverified: int, store: int) -> int:
    """Let the handshake go on, whatever was found: the request will be answered by what the certificate is worth."""
    return 1


# Held for as long as the process lives: OpenSSL calls it.
_ACCEPT = _Callback(_accept)


def ask_for_certificates(context: ssl.SSLContext, authorities: str) -> bool:
    """Have `context` ask clients for a certificate, optional, of the authorities in the file (PEM).

    Returns whether a certificate of others passes the handshake, for the API to refuse.

    Raises:
        OSError: the file can't be read, or holds no certificate.
    """
    context.load_verify_locations(authorities)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.verify_flags |= NO_CHECK_TIME
    library = _library()
    pointer = _pointer(context, library) if library is not None else None
    if library is None or pointer is None:
        log.info(
            "client certificates of other authorities end their handshake: OpenSSL can't be told otherwise here"
        )
        return False
    names = library.SSL_load_client_CA_file(os.fsencode(authorities))
    if names:
        library.SSL_CTX_set_client_CA_list(pointer, names)
    library.SSL_CTX_set_verify(pointer, VERIFY_PEER, _ACCEPT)
    return True


def _library() -> ctypes.CDLL | None:
    """The OpenSSL that Python's `ssl` uses; None where it is built in without names."""
    import _ssl

    try:
        library = ctypes.CDLL(_ssl.__file__)
        library.SSL_CTX_get_verify_mode.argtypes = [ctypes.c_void_p]
        library.SSL_CTX_set_verify.argtypes = [ctypes.c_void_p, ctypes.c_int, _Callback]
        library.SSL_CTX_set_verify.restype = None
        library.SSL_CTX_set_client_CA_list.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        library.SSL_CTX_set_client_CA_list.restype = None
        library.SSL_load_client_CA_file.argtypes = [ctypes.c_char_p]
        library.SSL_load_client_CA_file.restype = ctypes.c_void_p
    except (OSError, AttributeError):
        return None
    return library


def _pointer(context: ssl.SSLContext, library: ctypes.CDLL) -> int | None:
    """Where OpenSSL's own context lies, which is the first thing in Python's; None unless it proves to be one.

    It is asked for what is set from Python, in each state: nothing else would follow. Its memory is read through
    the kernel first, which refuses where a wrong address would end the process.
    """
    mode = context.verify_mode
    try:
        address = ctypes.c_void_p.from_address(id(context) + object.__basicsize__).value
        if not address or not _readable(address):
            return None
        for python, openssl in _MODES:
            context.verify_mode = python
            if library.SSL_CTX_get_verify_mode(address) != openssl:
                return None
        return address
    finally:
        context.verify_mode = mode


def _readable(address: int) -> bool:
    try:
        memory = os.open("/proc/self/mem", os.O_RDONLY)
    except OSError:
        return False
    try:
        return len(os.pread(memory, 2048, address)) == 2048
    except (OSError, OverflowError):
        return False
    finally:
        os.close(memory)
