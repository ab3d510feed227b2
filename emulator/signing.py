# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pulsar's JWTs, signed so that a real broker takes them as well."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from pathlib import Path
from typing import Any


class Signer:
    """Signs and reads JWTs with one key.

    :arg key: a secret for HS256, as Pulsar's `tokens create-secret-key` writes it, or a private RSA key (PEM or
        PKCS#8 DER) for RS256; None for a new secret.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)
        self._private = _load_private_key(self._key)

    def sign(self, claims: dict) -> str:
        """Return a JWT with these claims."""
        header = {"alg": "RS256" if self._private else "HS256", "typ": "JWT"}
        signed = b".".join(_encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        return (signed + b"." + _encode(self._make_signature(signed))).decode()

    def read(self, token: str) -> dict | None:
        """Return the claims of a JWT whose signature is right, whether it has ended or not; otherwise None."""
        signed, _dot, signature = token.rpartition(".")
        try:
            header, claims = (json.loads(_decode(part)) for part in signed.split("."))
            valid = hmac.compare_digest(_decode(signature), self._make_signature(signed.encode()))
        except (ValueError, binascii.Error):
            return None
        # The algorithm is ours and never the token's choice.
        return claims if valid and isinstance(header, dict) and isinstance(claims, dict) else None

    def _make_signature(self, signed: bytes) -> bytes:
        if self._private is None:
            return hmac.new(self._key, signed, hashlib.sha256).digest()
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        # RS256 has no random part, so that verifying is signing again.
        return self._private.sign(signed, PKCS1v15(), SHA256())


def read_key(path: Path) -> bytes:
    """Return a key from a file; text as Pulsar's --base64 option writes it is decoded.

    :raises OSError: the file cannot be read.
    """
    content = path.read_bytes()
    try:
        decoded = base64.b64decode(content.strip(), validate=True)
    except binascii.Error:
        return content
    # A raw secret may by chance consist of base64's letters, but hardly of so many.
    return decoded if len(decoded) >= 32 else content


def _load_private_key(key: bytes) -> Any:
    if not key.startswith((b"-----BEGIN", b"\x30\x82")):
        return None
    from cryptography.hazmat.primitives import serialization

    load = serialization.load_pem_private_key if key.startswith(b"-") else serialization.load_der_private_key
    return load(key, None)


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
