"""TLS for a client: which certificates it trusts, and which one it shows."""

from __future__ import annotations

import os
import ssl

from procession.errors import UsageError


def tls_context(ca_file: str, certificate_file: str = "", key_file: str = "") -> ssl.SSLContext:
    """A context for https; empty names stand for no file.

    `ca_file` has the certificates to trust, instead of those of the system. `certificate_file` has the certificate to
    show, with its key in the same file or in `key_file`. Raises UsageError for files that cannot be read or used.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise UsageError(f"cannot use the certificates in {ca_file}: {_reason(error)}") from None
    if certificate_file:
        try:
            # A password is not asked for, since there may be no terminal.
            context.load_cert_chain(certificate_file, key_file or None, password="")
        except OSError as error:
            raise UsageError(
                f"cannot use the certificate in {certificate_file} and its key: {_reason(error)}"
            ) from None
    return context


def _reason(error: OSError) -> str:
    reason: str = getattr(error, "reason", None) or os.strerror(error.errno or 0)
    return reason.lower()
