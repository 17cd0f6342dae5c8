"""What a passphrase does to a backup: AES-256-GCM, chunk by chunk, with a key that scrypt makes of it.

The key is of this file alone, by its salt. The nonce of a chunk is its number and whether it is the last: none can be
taken away, moved or added. What stands before the first one is authenticated with each of them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any, Final

import msgspec

from procession.errors import UsageError

CHUNK_BYTES: Final = 2**20
TAG_BYTES: Final = 16

_SALT_BYTES = 16
_LOG_N, _R, _P = 16, 8, 1
_MOST_LOG_N, _MOST_R, _MOST_P = 20, 16, 4
"""More than a file may ask for: 2 GiB of memory, and some seconds."""


class Sealing(msgspec.Struct, forbid_unknown_fields=True):
    """How the key is made."""

    salt: bytes
    log_n: int
    r: int
    p: int
    check: bytes
    """Tells a wrong passphrase from a damaged file."""


class Seal:
    """Encrypts and decrypts the chunks of one file."""

    def __init__(self, sealing: Sealing, key: bytes) -> None:
        self.sealing = sealing
        self._cipher: Any = _aes_gcm(key)

    @classmethod
    def made(cls, passphrase: str) -> Seal:
        salt = secrets.token_bytes(_SALT_BYTES)
        key, check = _keys(passphrase, salt, _LOG_N, _R, _P)
        return cls(Sealing(salt, _LOG_N, _R, _P, check), key)

    @classmethod
    def opened(cls, sealing: Sealing, passphrase: str) -> Seal | None:
        """None where it is another passphrase. Raises ValueError for numbers that no backup has."""
        within = 1 <= sealing.log_n <= _MOST_LOG_N and 1 <= sealing.r <= _MOST_R and 1 <= sealing.p <= _MOST_P
        if not within or len(sealing.salt) != _SALT_BYTES:
            raise ValueError("its key is made in a way that is not known")
        key, check = _keys(passphrase, sealing.salt, sealing.log_n, sealing.r, sealing.p)
        return cls(sealing, key) if hmac.compare_digest(check, sealing.check) else None

    def encrypted(self, chunk: bytes, index: int, *, is_last: bool, head: bytes) -> bytes:
        data: bytes = self._cipher.encrypt(_nonce(index, is_last), chunk, head)
        return data

    def decrypted(self, data: bytes, index: int, *, is_last: bool, head: bytes) -> bytes:
        """Raises ValueError where it was changed."""
        from cryptography.exceptions import InvalidTag

        try:
            chunk: bytes = self._cipher.decrypt(_nonce(index, is_last), data, head)
        except InvalidTag:
            raise ValueError("it was changed") from None
        return chunk


def _keys(passphrase: str, salt: bytes, log_n: int, r: int, p: int) -> tuple[bytes, bytes]:
    memory = 128 * r * (2**log_n + p + 2)
    made = hashlib.scrypt(passphrase.encode(), salt=salt, n=2**log_n, r=r, p=p, dklen=64, maxmem=2 * memory)
    return made[:32], made[32:]


def _nonce(index: int, is_last: bool) -> bytes:
    return index.to_bytes(11, "big") + bytes([is_last])


def _aes_gcm(key: bytes) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise UsageError(
            "a backup with a passphrase needs the library cryptography, which is not installed here:"
            " `pip install 'procession[server]'`"
        ) from None
    return AESGCM(key)
