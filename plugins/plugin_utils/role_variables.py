# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the variables of the role audit_log_stream to the options of its module.

In Python, because each Jinja expression in a task is compiled again in every worker process: with one for each option
the role would cost twice as much for every organization.
"""

from __future__ import annotations

import os

from ansible import errors
from ansible.errors import AnsibleError
from ansible.plugins.loader import lookup_loader
from ansible_collections.datastax.astra.plugins.module_utils._command import AUDIT_LOG_STREAM
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import OPTIONS as CLIENT_CONF_OPTIONS
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import read_options
from ansible_collections.datastax.astra.plugins.plugin_utils.in_process import plain, preload

PREFIX = "audit_log_stream_"
# What the template of an omitted value raises; ansible-core before 2.19 returns a string that stands for it.
OMITTED = getattr(errors, "AnsibleValueOmittedError", ())

preload(lookup_loader, "ansible.builtin.file")


class RoleVariables:
    """The role's variables of one host.

    :arg variables: all variables of the host.
    :arg templar: Ansible's templar.
    :arg loader: Ansible's data loader, which decrypts vaulted files.
    :ivar problems: sentences about variables and files that cannot be read. They never hold a value.
    :ivar unknown: the options whose values are not known because of that.
    """

    def __init__(self, variables, templar, loader):
        self.problems = []
        self.unknown = set()
        self._variables = variables
        self._templar = templar
        self._loader = loader

    def options(self):
        """Return the module's options. Where there are problems, the options that they are about are missing."""
        options = {}
        for name in AUDIT_LOG_STREAM.argument_spec:
            value = self._value(name)
            if value not in (None, ""):
                options[name] = value
        if options.get("fingerprint_store") == "none":
            del options["fingerprint_store"]
        if options.get("state") != "absent":
            overrides = {name: options.pop(name, None) for name in CLIENT_CONF_OPTIONS}
            options.update(self._destination(overrides))
        return options

    def _value(self, name):
        raw = self._variables.get(PREFIX + name)
        if raw is None:
            return None
        try:
            value = self._templar.template(raw)
        except OMITTED:
            return None
        except AnsibleError as error:
            self.problems.append(f"{PREFIX}{name} cannot be read: {' '.join(error.message.split())}")
            self.unknown.add(name)
            return None
        return None if value == self._variables.get("omit") else plain(value)

    def _destination(self, overrides):
        problems_before = len(self.problems)
        text = self._client_conf()
        try:
            destination = read_options(text, overrides) if len(self.problems) == problems_before else {}
        except InputError as error:
            self.problems += error.problems
            destination = {}
        if len(self.problems) > problems_before:
            self.unknown.add("endpoint")
        destination.pop("web_service_url", None)
        return destination

    def _client_conf(self):
        """Return the text of client.conf, or None when there is none."""
        content = self._value("client_conf_content")
        path = self._value("client_conf")
        if content or not path:
            return content
        if not isinstance(path, str):
            self.problems.append(f"{PREFIX}client_conf must be the path of a file.")
            return None
        path = os.path.expanduser(path)
        for candidate in (os.path.abspath(path), os.path.join(self._variables.get("inventory_dir") or "", path)):
            if os.path.isfile(candidate):
                path = os.path.abspath(candidate)
                break
        lookup = lookup_loader.get("ansible.builtin.file", loader=self._loader, templar=self._templar)
        try:
            return plain(lookup.run([path], self._variables)[0])
        except AnsibleError as error:
            self.problems.append(f"{PREFIX}client_conf cannot be read: {' '.join(error.message.split())}")
            return None
