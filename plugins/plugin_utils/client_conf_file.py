# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file in which a destination's client.conf is kept: vault-encrypted, mode 0600, on the controller.

A rotation takes more than one run when something fails in between. Its first line then tells the next run which token
has still to be revoked.
"""

from __future__ import annotations

import os
import re
import stat
from typing import Any, NamedTuple

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.parsing.vault import is_encrypted, match_encrypt_secret
from ansible_collections.datastax.astra.plugins.module_utils import _atomic_file
from ansible_collections.datastax.astra.plugins.module_utils._errors import AstraError, InputError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import read_options
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.jwt import read_facts, read_jwt

_REPLACES = "# Revoke this token when no stream uses it any more: "
_FIRST_LINE = re.compile(re.escape(_REPLACES) + r"(\S+)\n")


class ClientConf(NamedTuple):
    """The text of a client.conf.

    :ivar text: without the line about a rotation.
    :ivar token_id: of the Pulsar token in it.
    :ivar urls: those of broker and admin API.
    :ivar replaces: id of the token that is still to be revoked, or None.
    """

    text: str
    token_id: str
    urls: tuple[Any, Any]
    replaces: str | None = None


def parse(text: str) -> ClientConf:
    """Return what a client.conf of ours says.

    :raises InputError: it is none, or has another kind of token than Astra's own.
    """
    match = _FIRST_LINE.match(text)
    body = text[match.end() :] if match else text
    options = read_options(body, {})
    token = read_facts(read_jwt(options.get("pulsar_token") or ""))
    urls = options.get("endpoint"), options.get("web_service_url")
    return ClientConf(body, token.token_id, urls, match.group(1) if match else None)


class ClientConfFile:
    """The file of one destination.

    :arg path: where it is, or shall be.
    :arg loader: Ansible's data loader, which has the vault secrets.
    :raises InputError: it cannot be used, seen before anything is made.
    """

    def __init__(self, path: str, loader: Any) -> None:
        self.path = os.path.abspath(os.path.expanduser(path))
        self._loader = loader
        self._vault = loader._vault
        secrets = self._vault.secrets if self._vault else []
        secret = match_encrypt_secret(secrets, encrypt_vault_id=C.DEFAULT_VAULT_ENCRYPT_IDENTITY) if secrets else None
        if secret is None:
            raise InputError(
                "client_conf_path needs a vault secret, because the file is written encrypted: run with "
                "--vault-password-file or --ask-vault-pass."
            )
        self._vault_id, self._secret = secret
        if not os.access(os.path.dirname(os.path.realpath(self.path)), os.W_OK):
            raise InputError("client_conf_path is in a directory that does not exist or cannot be written.")
        self.stored = self._read()

    def _read(self) -> ClientConf | None:
        if not os.path.lexists(self.path):
            return None
        try:
            with open(self.path, "rb") as stream:
                self._is_private = not stat.S_IMODE(os.fstat(stream.fileno()).st_mode) & 0o077
                content = stream.read()
            self._is_encrypted = is_encrypted(content)
            text = self._vault.decrypt(content) if self._is_encrypted else content
            return parse(text.decode("utf-8"))
        except AnsibleError:
            raise InputError("client_conf_path cannot be decrypted with the vault secrets that were given.") from None
        except OSError as error:
            raise InputError(f"client_conf_path cannot be read: {error.strerror}.") from None
        except (InputError, UnicodeDecodeError):
            raise InputError(
                "client_conf_path has something else than a client.conf with a token of Astra Streaming: remove the "
                "file, or choose another path."
            ) from None

    def is_kept_as(self, wanted: ClientConf) -> bool:
        """Tell whether the file needs no writing."""
        stored = self.stored
        return stored is not None and self._is_private and self._is_encrypted and stored[1:] == wanted[1:]

    def write(self, wanted: ClientConf) -> None:
        """Write the file.

        :raises AstraError: it cannot be written.
        """
        first_line = f"{_REPLACES}{wanted.replaces}\n" if wanted.replaces else ""
        encrypted = self._vault.encrypt(first_line + wanted.text, self._secret, self._vault_id)
        try:
            _atomic_file.replace(self.path, encrypted.decode("ascii"))
        except OSError as error:
            raise AstraError(f"client_conf_path cannot be written: {error.strerror}.") from None
        self.stored, self._is_private, self._is_encrypted = wanted, True, True

    def remove(self) -> None:
        """Remove the file.

        :raises AstraError: it cannot be removed.
        """
        try:
            os.unlink(self.path)
        except OSError as error:
            raise AstraError(f"client_conf_path cannot be removed: {error.strerror}.") from None
