"""The keys and certificates that the settings name, read once at the start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from app.base.errors import UserError
from app.base.settings import Settings
from app.trust import keys
from app.trust.authority import Authority, load_authority
from app.trust.clients import Authorities, load_authorities
from app.trust.tokens import Signer, Verifier

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Trust:
    """Who is believed, and what new tokens are signed with.

    Attributes:
        signer: None where no key is given: then no tokens are made.
        audiences: the names of this API, one of which a token must be for.
        clients: who signs client certificates. ca: all whom clients should trust, in PEM; for pods.
    """

    signer: Signer | None
    verifier: Verifier
    audiences: tuple[str, ...]
    clients: Authorities
    ca: str

    @property
    def issuer(self) -> str:
        """Who makes tokens, as it stands in them."""
        return self.verifier.issuers[0]


def load(settings: Settings) -> Trust:
    """What the settings name.

    Raises:
        UserError: a file can't be read, or holds something else.
    """
    issuers = _listed(settings.account_issuer)
    if not issuers:
        raise UserError("BEANPOLE_ACCOUNT_ISSUER names no issuer; unset it or give a URL")
    signer, public = None, []
    if settings.account_key_file:
        path = Path(settings.account_key_file)
        signer = Signer(_read("BEANPOLE_ACCOUNT_KEY_FILE", path, keys.load_private))
        public.append(signer.public)
    for name in _listed(settings.account_public_keys):
        public.append(_read("BEANPOLE_ACCOUNT_PUBLIC_KEYS", Path(name), keys.load_public))
    client_ca = settings.client_ca_file or settings.ca_file
    clients: Authorities = ()
    if client_ca:
        clients = _read(
            "BEANPOLE_CLIENT_CA_FILE", Path(client_ca), lambda path: load_authorities(path.read_bytes())
        )
    ca = ""
    if settings.ca_file:
        ca = _read("BEANPOLE_CA_FILE", Path(settings.ca_file), lambda path: path.read_text())
    audiences = _listed(settings.account_audiences) or issuers[:1]
    return Trust(signer, Verifier(public, issuers), tuple(audiences), clients, ca)


def load_signing_authority(settings: Settings) -> Authority | None:
    """The authority that signs what is approved, or None where its key is not given.

    Raises:
        UserError: it can't be read.
    """
    certificate = settings.client_ca_file or settings.ca_file
    if not settings.ca_key_file or not certificate:
        return None
    return _read(
        "BEANPOLE_CA_KEY_FILE",
        Path(settings.ca_key_file),
        lambda path: load_authority(Path(certificate), path),
    )


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _read(name: str, path: Path, how: Callable[[Path], T]) -> T:
    try:
        return how(path)
    except (OSError, ValueError) as exc:
        raise UserError(f"{path} can't be used ({exc}); correct {name}") from exc
