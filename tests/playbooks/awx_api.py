# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""So much of AWX's API as the modules of awx.awx need: it stores what it is given, and links it as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
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

# What a question of a survey must have, and what its default must be, by its type.
QUESTION = {"type": str, "question_name": str, "variable": str, "required": bool}
QUESTION_TYPES = {
    "text": str,
    "textarea": str,
    "password": str,
    "multiplechoice": str,
    "multiselect": (str, list),
    "integer": int,
    "float": float,
}

# What there is to every item.
ALWAYS_SHOWN = ("id", "type", "url", "related", "summary_fields")

# What can be linked to an item of an endpoint.
LINKS = {
    "organizations": {"galaxy_credentials"},
    "groups": {"hosts"},
    "job_templates": {"credentials"},
    "workflow_job_template_nodes": {"success_nodes", "failure_nodes", "always_nodes"},
}

ENDPOINTS = {
    *UNIFIED_JOB_TEMPLATES.values(),
    *LINKS,
    "credential_types",
    "credentials",
    "execution_environments",
    "hosts",
    "inventories",
    "project_updates",
    "schedules",
    "unified_job_templates",
    "workflow_approval_templates",
}

NOT_FOUND = (404, {"detail": "The requested resource could not be found."})

# What AWX has from the beginning.
INITIAL = {"credentials": [{"name": "Ansible Galaxy", "inputs": {}}]}


class AwxApi:
    """A server on a free port of loopback, in a thread.

    It refuses what AWX refuses of surveys, of the answers of a workflow's nodes, and of playbooks that a project lacks.

    :arg playbooks: what is in the repository of the project.
    :ivar url: where it is.
    :ivar items: the items of each endpoint, by their names, as they were sent.
    """

    def __init__(self, playbooks: Iterable[str]) -> None:
        self.url = ""
        self._playbooks = set(playbooks)
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

    def survey(self, endpoint: str, name: str) -> list[dict]:
        """Return the questions of a template's survey."""
        return self._questions(self.items[endpoint][name])

    def name_of(self, endpoint: str, number: int) -> str:
        """Return the name of the item with this id."""
        return self._item(endpoint, number)["name"]

    @contextmanager
    def running(self) -> Iterator[AwxApi]:
        """Serve."""
        with serving(_handler(self)) as self.url:
            yield self

    def answer(self, method: str, url: str, body: dict | None) -> tuple[int, object]:
        """Return the status and the document that answer a request."""
        parts = urlsplit(url)
        endpoint, *rest = parts.path.removeprefix(PREFIX).strip("/").split("/")
        if endpoint not in ENDPOINTS:
            return NOT_FOUND
        if not rest:
            if method == "GET":
                return 200, _page(self._search(endpoint, dict(parse_qsl(parts.query))))
            if complaint := self._complaint(endpoint, body):
                return 400, {"__all__": [complaint]}
            return 201, _shown(self._create(endpoint, body))
        item = self._item(endpoint, int(rest[0]))
        if len(rest) == 1:
            if method == "PATCH":
                if complaint := self._complaint(endpoint, {**item, **body}):
                    return 400, {"__all__": [complaint]}
                item.update(body)
            return 200, _shown(item)
        if rest[1] == "survey_spec":
            if method == "POST":
                if complaint := _complaint_about_survey(body):
                    return 400, {"error": complaint}
                self._surveys[item["url"]] = body
            return 200, self._surveys.get(item["url"], {})
        if rest[1] == "update":
            item["scm_revision"] = "0123456789abcdef"
            done = {"status": "successful", "failed": False, "event_processing_finished": True}
            shared = {name: item[name] for name in ("name", "scm_revision")}
            return 202, self._create("project_updates", {**shared, **done})
        if rest[1] == "create_approval_template":
            template = self._create("workflow_approval_templates", body)
            item["unified_job_template"] = template["id"]
            item["related"]["unified_job_template"] = template["url"]
            return 201, _shown(template)
        if rest[1] not in LINKS.get(endpoint, ()):
            return NOT_FOUND
        links = self._links.setdefault(parts.path, [])
        if method == "GET":
            return 200, _page(links)
        kind = "workflow_job_template_nodes" if rest[1].endswith("_nodes") else rest[1].removeprefix("galaxy_")
        other = self._item(kind, body["id"])
        if body.get("disassociate"):
            links.remove(other)
        else:
            links.append(other)
        return 204, None

    def _item(self, endpoint: str, number: int) -> dict:
        return next(item for item in self._items[endpoint] if item["id"] == number)

    def _questions(self, item: dict) -> list[dict]:
        return self._surveys.get(item["url"], {"spec": []})["spec"]

    def _complaint(self, endpoint: str, item: dict) -> str | None:
        """Return what AWX says about an item that it refuses."""
        if endpoint == "job_templates":
            synced = self._item("projects", item["project"])["scm_revision"]
            return None if synced and item["playbook"] in self._playbooks else "Playbook not found for project."
        if endpoint == "workflow_job_template_nodes" and (item.get("extra_data") or item.get("job_slice_count")):
            return self._complaint_about_node(item)
        return None

    def _complaint_about_node(self, node: dict) -> str | None:
        template = self._item("job_templates", node["unified_job_template"])
        questions = {question["variable"]: question for question in self._questions(template)}
        for variable, answer in (node.get("extra_data") or {}).items():
            if variable not in questions:
                return f"Variables {variable} are not allowed on launch."
            if complaint := complaint_about_answer(questions[variable], answer):
                return complaint
        if node.get("job_slice_count") and not template.get("ask_job_slice_count_on_launch"):
            return "Field is not configured to prompt on launch."
        return None

    def _create(self, endpoint: str, body: dict) -> dict:
        items = self._items.setdefault(endpoint, [])
        number = 1 + sum(map(len, self._items.values()))
        url = f"{PREFIX}{endpoint}/{number}/"
        item = {"id": number, "type": endpoint.removesuffix("s"), "url": url, "summary_fields": {}, "scm_revision": ""}
        related = {name: f"{url}{name}/" for name in ("survey_spec", "update")}
        items.append({**item, "related": related, **body})
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
    if item["type"] == "credential":
        return {**item, "inputs": dict.fromkeys(item["inputs"], ENCRYPTED)}
    if item["type"] == "workflow_approval_template":
        return {name: item[name] for name in (*ALWAYS_SHOWN, "name", "description", "timeout") if name in item}
    return item


def complaint_about_answer(question: dict, answer: object) -> str | None:
    """Return what AWX says about an answer, or a default, that it refuses."""
    variable = question["variable"]
    if isinstance(answer, bool) or not isinstance(answer, QUESTION_TYPES[question["type"]]):
        return f"Value {answer} for '{variable}' expected to be of the type {question['type']}."
    size = answer if isinstance(answer, (int, float)) else len(answer)
    if not question.get("min", size) <= size <= question.get("max", size):
        return f"'{variable}' value {answer} is too small or too large."
    if answer not in question.get("choices", [answer]):
        return f"Value {answer} for '{variable}' expected to be one of {question['choices']}."
    return None


def _complaint_about_survey(survey: dict) -> str | None:
    """Return what AWX says about a survey that it refuses."""
    for field, kind in (("name", str), ("description", str), ("spec", list)):
        if not isinstance(survey.get(field), kind):
            return f"Field '{field}' is missing or of the wrong type."
    variables = [question.get("variable") for question in survey["spec"]]
    if not variables or len(set(variables)) < len(variables):
        return "There are no questions, or two about the same variable."
    return next(filter(None, map(_complaint_about_question, survey["spec"])), None)


def _complaint_about_question(question: dict) -> str | None:
    for field, kind in QUESTION.items():
        if not isinstance(question.get(field), kind):
            return f"'{field}' is missing from a question or of the wrong type: {question}"
    if question["type"] not in QUESTION_TYPES:
        return f"Unknown type of question: {question}"
    if not all(isinstance(question.get(bound, 0), int) for bound in ("min", "max")):
        return f"Limits have to be integers: {question}"
    if question["type"] in ("multiplechoice", "multiselect") and "choices" not in question:
        return f"There must be choices: {question}"
    default = question.get("default", "")
    return None if default == "" else complaint_about_answer(question, default)


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
