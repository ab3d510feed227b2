# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx configuration of the documentation that `make docs` builds."""

from __future__ import annotations

import re

from docutils import nodes

project = "datastax.astra"
title = html_title = html_short_title = "datastax.astra"
copyright = "DataStax Astra collection contributors"

extensions = ["sphinx_antsibull_ext"]
default_role = "any"
highlight_language = "YAML+Jinja"
pygments_style = "ansible"

html_theme = "sphinx_ansible_theme"
html_copy_source = False
html_show_sphinx = False
html_use_index = False
html_use_smartypants = True

ANSIBLE_DOCS = "https://docs.ansible.com/projects/ansible/latest/"
# Labels of Ansible's documentation that antsibull-docs refers to from the pages that it makes.
ANSIBLE_LABELS = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}


def link_to_ansible(_app, _env, node, content):
    """Resolve a reference into Ansible's own documentation; its inventory would have to be downloaded."""
    target = node["reftarget"]
    page = ANSIBLE_LABELS.get(target)
    if plugin := re.fullmatch(r"ansible_collections\.ansible\.builtin\.(\w+?)(?:__.*)?", target):
        page = f"collections/ansible/builtin/{plugin[1]}.html"
    return page and nodes.reference("", "", content, internal=False, refuri=ANSIBLE_DOCS + page)


def setup(app):
    """Register the resolver with Sphinx."""
    app.connect("missing-reference", link_to_ansible)
