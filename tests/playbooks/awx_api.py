# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""So much of AWX's API as the modules of awx.awx need: it stores what it is given, and links it as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, urlsplit

from tests.playbooks.serving import serving

PREFIX = "/api/v2/"
TOKEN = "only-for-tests"
ENCRYPTED = "$encrypted$"

# What has jobs, by the name of its type.
UNIFIED_JOB_TEMPLATES = {
    "job_template": "job_templates",
    "project": "projects",
    "workflow_job_template": "workflow_job_templates",
}

# What AWX has from the beginning.
INITIAL = {"credentials": [{"name": "Ansible Galaxy", "inputs": {}}]}


class AwxApi:
    """A server on a free port of loopback, in a thread.

    :ivar url: where it is.
    :ivar items: the items of each endpoint, by their names, as they were sent.
    :ivar links: the names that an endpoint's item is linked to: by endpoint, name, and kind of link.
    :ivar surveys: the survey of each template, by its name.
    """

    def __init__(self) -> None:
        self.url = ""
        self._items: dict[str, list[dict]] = {}
        self._links: dict[str, list[dict]] = {}
        self._surveys: dict[str, dict] = {}
        for endpoint, items in INITIAL.items():
            for item in items:
                self._create(endpoint, item)

    @property
    def items(self) -> dict[str, dict[str, dict]]:
        return {
            endpoint: {item.get("identifier") or item["name"]: item for item in items}
            for endpoint, items in self._items.items()
        }

    def linked(self, endpoint: str, name: str, kind: str) -> list[str]:
        """Return the names of what an item is linked to."""
        item = self.items[endpoint][name]
        return [other.get("identifier") or other["name"] for other in self._links.get(f"{item['url']}{kind}/", [])]

    def survey(self, name: str) -> list[dict]:
        """Return the questions of a job template's survey."""
        return self._surveys[self.items["job_templates"][name]["url"]]["spec"]

    def name_of(self, endpoint: str, number: int) -> str:
        """Return the name of the item with this id."""
        return next(item["name"] for item in self._items[endpoint] if item["id"] == number)

    @contextmanager
    def running(self) -> Iterator[AwxApi]:
        """Serve."""
        with serving(_handler(self)) as self.url:
            yield self

    def answer(self, method: str, url: str, body: dict | None) -> tuple[int, object]:
        """Return the status and the document that answer a request."""
        parts = urlsplit(url)
        endpoint, *rest = parts.path.removeprefix(PREFIX).strip("/").split("/")
        if not rest:
            if method == "POST":
                return 201, _shown(self._create(endpoint, body))
            return 200, _page(self._search(endpoint, dict(parse_qsl(parts.query))))
        item = next(item for item in self._items[endpoint] if item["id"] == int(rest[0]))
        if len(rest) == 1:
            if method == "PATCH":
                item.update(body)
            return 200, _shown(item)
        if rest[1] == "survey_spec":
            if method == "POST":
                self._surveys[item["url"]] = body
            return 200, self._surveys.get(item["url"], {})
        if rest[1] == "create_approval_template":
            template = self._create("workflow_approval_templates", body)
            item["unified_job_template"] = template["id"]
            item["related"]["unified_job_template"] = template["url"]
            return 201, template
        links = self._links.setdefault(parts.path, [])
        if method == "GET":
            return 200, _page(links)
        kind = "workflow_job_template_nodes" if rest[1].endswith("_nodes") else rest[1].removeprefix("galaxy_")
        links.append(next(other for other in self._items[kind] if other["id"] == body["id"]))
        return 204, None

    def _create(self, endpoint: str, body: dict) -> dict:
        items = self._items.setdefault(endpoint, [])
        number = 1 + sum(map(len, self._items.values()))
        url = f"{PREFIX}{endpoint}/{number}/"
        item = {"id": number, "type": endpoint.removesuffix("s"), "url": url, "summary_fields": {}, "scm_revision": ""}
        items.append({**item, "related": {"survey_spec": f"{url}survey_spec/"}, **body})
        return items[-1]

    def _search(self, endpoint: str, filters: dict[str, str]) -> list[dict]:
        endpoints = [endpoint]
        if endpoint == "unified_job_templates":
            # One of a type, or all of them.
            kind = filters.pop("type", None)
            endpoints = [UNIFIED_JOB_TEMPLATES[kind]] if kind in UNIFIED_JOB_TEMPLATES else []
            endpoints = endpoints if kind else list(UNIFIED_JOB_TEMPLATES.values())
        found = [item for name in endpoints for item in self._items.get(name, [])]
        return [item for item in found if all(str(item.get(name)) == value for name, value in filters.items())]


def _page(items: list[dict]) -> dict:
    return {"count": len(items), "next": None, "results": [_shown(item) for item in items]}


def _shown(item: dict) -> dict:
    """Return an item as AWX shows it; every input of a credential here is a secret."""
    if not item["url"].startswith(f"{PREFIX}credentials/"):
        return item
    return {**item, "inputs": dict.fromkeys(item["inputs"], ENCRYPTED)}


def _handler(api: AwxApi) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                status, document = 401, {}
            else:
                with lock:
                    status, document = api.answer(self.command, self.path, body)
            content = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", "24.6.1")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PATCH = do_GET

        def log_message(self, *_arguments: object) -> None:
            pass

    return Handler
