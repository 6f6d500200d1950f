"""What the people's login may ask of Prefect: everything that its pages show, and three acts. Pure; the door asks here.

The acts are: start a deployment with its form's parameters, cancel or repeat a run, and switch a schedule. Each body is
written anew from what was understood, so that what was checked is what Prefect reads. Which calls Prefect's pages
make was recorded in a browser, page by page; a call that is not here is refused.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tasks.failures import RollcallError

ID, NAME = r"[0-9a-f-]{36}", r"[^/]+"
LOOKS = re.compile(
    "|".join(
        [
            r"GET /(admin/(version|settings)|csrf-token|health|ready|version)",
            rf"GET /(deployments|flows|flow_runs|task_runs|artifacts|automations)/{ID}",
            rf"GET /(flow_runs/{ID}/(graph-v2|logs/download)|artifacts/{NAME}/latest|automations/related-to/{NAME})",
            rf"GET /work_pools/{NAME}(/queues/{NAME})?|POST /work_pools/{NAME}/(workers|queues)/filter",
            r"POST /(ui/)?(flows|flow_runs|task_runs|deployments|work_pools|work_queues|automations|saved_searches"
            r"|artifacts|artifacts/latest|variables|logs|events|v2/concurrency_limits)"
            r"/(filter|paginate|count|history|lateness)",
            r"POST /(events/count-by/(event|time)|block_documents/count|ui/schemas/validate)",
            r"POST /ui/(flows/(count-deployments|next-runs)|flow_runs/count-task-runs)",
        ]
    )
)
RUN = re.compile(rf"POST /deployments/{ID}/create_flow_run")
STATE = re.compile(rf"POST /flow_runs/{ID}/set_state")
SWITCH = re.compile(rf"PATCH /deployments/{ID}/schedules/{ID}")
BLOCKS = re.compile(r"POST /block_documents/filter")

RUN_KEYS = {
    "name", "parameters", "tags", "state", "empirical_policy", "work_queue_name", "job_variables",
    "enforce_parameter_schema",
}  # fmt: skip
MAY = "This login may look, start, cancel and repeat runs, and switch a schedule off and on."


class NotAllowed(RollcallError):
    """This login may not; the sentence says so to whoever pressed the button."""


def is_look(call: str) -> bool:
    """Whether "METHOD /path" (below /api) only reads."""
    return LOOKS.fullmatch(call) is not None


def allowed_body(call: str, body: object, schedule: Mapping[str, str]) -> dict[str, Any]:
    """What of the body of an act goes on to Prefect; raises NotAllowed. `schedule` is the one that our sweep has."""
    if not isinstance(body, dict):
        raise NotAllowed(MAY)
    if RUN.fullmatch(call):
        return _run(body)
    if STATE.fullmatch(call):
        return _state(body)
    if SWITCH.fullmatch(call):
        return _switch(body, schedule)
    if BLOCKS.fullmatch(call) and not body.get("include_secrets"):
        return {**body, "include_secrets": False}
    raise NotAllowed(MAY)


def _run(body: dict[str, Any]) -> dict[str, Any]:
    """A run with its form's parameters, which Prefect holds against the form. Names and tags are ours: what is typed
    there would stay in Prefect."""
    state = body.get("state") or {}
    if not body.keys() <= RUN_KEYS or body.get("job_variables"):
        raise NotAllowed("A run takes the form's parameters and nothing else: no job variables.")
    if state.get("type", "SCHEDULED") != "SCHEDULED":
        raise NotAllowed("A run begins as scheduled.")
    if any((body.get("empirical_policy") or {}).values()):
        raise NotAllowed("Rollcall repeats by itself what is worth repeating: leave retries empty.")
    if body.get("work_queue_name") not in {None, "", "default"}:
        raise NotAllowed("There is one queue: default.")
    parameters = body.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise NotAllowed("Parameters are named values.")
    later = (state.get("state_details") or {}).get("scheduled_time")
    details = {"state_details": {"scheduled_time": _moment(later)}} if later else {}
    return {
        "parameters": parameters,
        "enforce_parameter_schema": True,
        "state": {"type": "SCHEDULED", "message": "Started from the pages", **details},
    }


def _moment(text: object) -> str:
    return datetime.fromisoformat(str(text)).isoformat()


def _state(body: dict[str, Any]) -> dict[str, Any]:
    """Cancel or repeat. Never by force, which would turn a run that has just completed into a cancelled one."""
    kind = (body.get("state") or {}).get("type")
    if kind == "CANCELLING":
        return {"state": {"type": "CANCELLING", "name": "Cancelling"}, "force": False}
    if kind == "SCHEDULED":
        again = {"type": "SCHEDULED", "name": "AwaitingRetry", "message": "Repeated from the pages"}
        return {"state": again, "force": False}
    raise NotAllowed("A run can be cancelled or repeated; what else becomes of it is not for a button.")


def _switch(body: dict[str, Any], schedule: Mapping[str, str]) -> dict[str, Any]:
    """Off and on. The page sends the whole schedule along; another time, or other parameters, are refused."""
    sent = body.get("schedule")
    same = sent is None or all(sent.get(key) == value for key, value in schedule.items())
    if body.get("parameters") or not same:
        raise NotAllowed("When the sweep runs is a setting (ROLLCALL_TIMEZONE), not a button.")
    if not isinstance(body.get("active"), bool):
        raise NotAllowed(MAY)
    return {"active": body["active"]}
