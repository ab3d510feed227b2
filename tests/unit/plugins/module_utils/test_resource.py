# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from a resource's declaration: its plan, its module and its info twin."""

from __future__ import annotations

import contextlib
import json

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.datastax.astra.plugins.module_utils import _command
from ansible_collections.datastax.astra.plugins.module_utils._api import Call
from ansible_collections.datastax.astra.plugins.module_utils._command import make_command, make_info_command, perform
from ansible_collections.datastax.astra.plugins.module_utils._deadline import UNBOUNDED
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._http import Answer, Attempts
from ansible_collections.datastax.astra.plugins.module_utils._resource import DeclaredResource, Field
from ansible_collections.datastax.astra.plugins.module_utils._resources.role import Role

from tests.unit.plugins.module_utils.support import APPLICATION_TOKEN


class Box(DeclaredResource):
    """Something in a memory that is called ``devops`` here."""

    kind = "box"
    list_key = "boxes"
    spec = {
        "shelf": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "colour": {"type": "str"},
        "contents": {"type": "list", "elements": "str"},
        "size": {"type": "int"},
        "force": {"type": "bool", "default": False},
    }
    identity_options = ("shelf", "name")
    fields = (Field("colour", str.lower), Field("contents", sorted), Field("size", is_immutable=True))
    needed_to_create = ("size", "contents")

    @classmethod
    def examine(cls, params):
        if params["name"] == "impossible":
            yield "name must be possible."

    def read(self, deadline):
        return self.devops.read(Call("Reading a box", "GET", f"/{self.params['name']}", absent=(404,)), deadline)

    def list(self, deadline):
        return self.devops.read(Call("Listing boxes", "GET", "/"), deadline)

    def create(self, asked):
        return (Call("Making a box", "POST", f"/{asked['name']}", body=asked),)

    def update(self, before, asked):
        return (Call("Changing a box", "PATCH", f"/{before['name']}", body=asked),)

    def delete(self, before):
        return (Call("Removing a box", "DELETE", f"/{before['name']}"),)

    def find_loss(self, before, deadline):
        return f"it holds {', '.join(before['contents'])}" if before["contents"] else None

    def refuse_change(self, before, after):
        return "A green box stays green." if before["colour"] == "green" else None

    def find_unready(self, stored):
        return () if stored.get("ready", True) else ("it is not ready",)


STORED = {"id": 7, "shelf": "top", "name": "one", "colour": "Red", "contents": ["b", "a"], "size": 3}
SHOWN = {**STORED, "colour": "red", "contents": ["a", "b"]}
NOT_GIVEN = {"colour": None, "contents": None, "size": None, "force": False, "state": "present"}


def make_box(**params):
    return Box({**NOT_GIVEN, "shelf": "top", "name": "one", **params}, None, contextlib.ExitStack())


def plan_for(stored, **params):
    return make_box(**params).plan(stored)


def sent(plan):
    return [(call.method, call.body) for call in plan.writes]


class TestPlan:
    def test_created(self):
        plan = plan_for(None, colour="RED", contents=["b", "a"], size=3)
        asked = {"shelf": "top", "name": "one", "colour": "red", "contents": ["a", "b"], "size": 3}
        assert (plan.action, plan.before, plan.after, plan.refusal) == ("created", None, asked, None)
        assert plan.diff == {"before": {}, "after": asked}
        assert sent(plan) == [("POST", asked)]
        assert plan.pending

    @pytest.mark.parametrize("contents", [None, []])
    def test_what_is_needed_to_create(self, contents):
        plan = plan_for(None, contents=contents)
        assert plan.refusal == "size and contents must be given to create box top/one."
        assert plan.writes == ()

    @pytest.mark.parametrize("given", [{}, {"colour": "rED"}, {"contents": ["b", "a"]}, {"size": 3}], ids=str)
    def test_as_asked(self, given):
        plan = plan_for(STORED, **given)
        assert (plan.action, plan.writes, plan.pending, plan.refusal) == ("none", (), (), None)
        assert plan.before == plan.after == SHOWN

    def test_updated(self):
        plan = plan_for(STORED, colour="blue", contents=["a", "b"])
        assert (plan.action, plan.before, plan.after) == ("updated", SHOWN, {**SHOWN, "colour": "blue"})
        assert plan.diff == {"before": SHOWN, "after": {**SHOWN, "colour": "blue"}}
        assert sent(plan) == [("PATCH", {"colour": "blue"})]
        assert plan.pending == ("colour",)

    def test_what_cannot_be_changed(self):
        plan = plan_for(STORED, size=4, colour="blue")
        assert plan.refusal == "size of box top/one cannot be changed."
        assert (plan.action, plan.writes) == ("updated", ())

    def test_deleted(self):
        plan = plan_for({**STORED, "contents": []}, state="absent")
        assert (plan.action, plan.before, plan.after) == ("deleted", {**SHOWN, "contents": []}, None)
        assert plan.diff == {"before": {**SHOWN, "contents": []}, "after": {}}
        assert (sent(plan), plan.refusal) == ([("DELETE", None)], None)
        assert plan.pending

    def test_what_would_be_lost(self):
        box = make_box(state="absent")
        with pytest.raises(InputError) as caught:
            box.check_write(box.plan(STORED), UNBOUNDED)
        assert caught.value.message == (
            "box top/one is not removed, because it holds a, b. Set force to true to lose that."
        )
        box = make_box(state="absent", force=True)
        box.check_write(box.plan(STORED), UNBOUNDED)

    def test_a_change_that_is_refused(self):
        plan = plan_for({**STORED, "colour": "green"}, colour="red")
        assert (plan.action, plan.refusal, plan.writes) == ("updated", "A green box stays green.", ())
        assert plan_for({**STORED, "colour": "green"}).refusal is None

    def test_what_has_to_exist_before(self):
        box = make_box(contents=["a"], size=3)
        box.blocker = "There is no shelf."
        plan = box.plan(None)
        assert (plan.action, plan.blocker, plan.writes) == ("created", "There is no shelf.", ())

    def test_absent_already(self):
        plan = plan_for(None, state="absent")
        assert (plan.action, plan.changed, plan.writes, plan.pending) == ("none", False, (), ())

    def test_what_is_there_may_not_be_ready(self):
        plan = plan_for({**STORED, "ready": False})
        assert (plan.action, plan.pending, plan.unready) == ("none", (), ("it is not ready",))


class Http:
    """A memory of boxes behind HTTP, as a context manager."""

    url_option = "api_url"

    def __init__(self, **boxes):
        self.boxes = boxes
        self.requests = []

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def make_attempts(self):
        return Attempts(0)

    def request(self, method, path, *, body=None, **_more):
        self.requests.append(f"{method} {path}")
        name = path.strip("/")
        if method == "GET" and not name:
            return Answer(200, json.dumps(list(self.boxes.values())).encode())
        if method == "GET":
            return (
                Answer(200, json.dumps(self.boxes[name]).encode())
                if name in self.boxes
                else Answer(404, b'{"errors": []}')
            )
        if method == "DELETE":
            del self.boxes[name]
        else:
            self.boxes[name] = {**self.boxes.get(name, {"id": 8}), **json.loads(body)}
        return Answer(200, b"")


@pytest.fixture
def run(monkeypatch):
    """Validate options as Ansible does, and perform the command of the module or of its info twin."""

    def run(http, make=make_command, check_mode=False, **options):
        monkeypatch.setattr(_command, "open_http", lambda _params: http)
        command = make(Box)
        validation = ArgumentSpecValidator(command.argument_spec).validate(
            {"application_token": APPLICATION_TOKEN, "shelf": "top", **options}
        )
        assert not validation.error_messages
        return perform(command, validation.validated_parameters, check_mode, diff=True)

    return run


class TestCommand:
    def test_present_and_absent(self, run):
        http = Http()
        given = {"name": "one", "contents": ["a"], "size": 3}
        created = run(http, **given)
        assert (created["action"], created["box"]["id"]) == ("created", 8)
        assert run(http, **given)["action"] == "none"
        assert run(http, name="one", state="absent", force=True)["action"] == "deleted"
        assert http.boxes == {}

    def test_check_mode_reads_only(self, run):
        http = Http()
        assert run(http, name="one", contents=["a"], size=3, check_mode=True)["action"] == "created"
        assert http.requests == ["GET /one"]

    def test_a_refusal(self, run):
        http = Http(one=STORED)
        result = run(http, name="one", state="absent")
        assert (result["failed"], result["changed"]) == (True, False)
        assert "it holds a, b" in result["msg"]
        assert http.requests == ["GET /one"]

    def test_every_mistake_is_found_before_anything_is_sent(self, run):
        http = Http()
        result = run(http, name="impossible", timeout=0)
        assert result["msg"] == "timeout must be between 1 and 3600 seconds. name must be possible."
        assert http.requests == []


class TestInfo:
    def test_one(self, run):
        assert run(Http(one=STORED), make_info_command, name="one") == {"changed": False, "exists": True, "box": STORED}
        assert run(Http(), make_info_command, name="one") == {"changed": False, "exists": False, "box": None}

    def test_all(self, run):
        assert run(Http(one=STORED), make_info_command) == {"changed": False, "boxes": [STORED]}

    def test_options(self):
        spec = make_info_command(Box).argument_spec
        assert (spec["name"]["required"], spec["shelf"]["required"]) == (False, True)
        assert {"state", "colour", "wait", "force"}.isdisjoint(spec)


class TestRole:
    def plan(self, stored, **params):
        given = {"name": "r", "permissions": None, "resources": None, "description": None, "state": "present", **params}
        return Role(given, None, contextlib.ExitStack()).plan(stored)

    def test_the_api_refuses_a_policy_without_a_description(self):
        [call] = self.plan(None, permissions=["b", "a"], resources=["*"]).writes
        assert call.body == {
            "name": "r",
            "policy": {"actions": ["a", "b"], "description": "r", "effect": "allow", "resources": ["*"]},
        }

    def test_an_empty_description_would_never_be_as_asked(self):
        given = {"name": "r", "description": ""}
        assert list(Role.examine({**given, "state": "present"})) == [
            "description must not be empty: leave it out to have the role's name there."
        ]
        assert list(Role.examine({**given, "state": "absent"})) == []
        assert list(Role.examine({**given, "description": None})) == []

    def test_what_is_not_given_is_kept(self):
        stored = {"id": "7", "name": "r", "permissions": ["a"], "resources": ["*"], "description": "d"}
        [call] = self.plan(stored, permissions=["b"]).writes
        assert (call.method, call.path) == ("PUT", "/v2/organizations/roles/7")
        assert call.body["policy"] == {"actions": ["b"], "description": "d", "effect": "allow", "resources": ["*"]}
