"""How Prefect is set up for Rollcall: one place for every switch, with the reason beside it.

Prefect reads its settings from the environment when it is first imported, so these are set before that.
"""

import os
from pathlib import Path
from urllib.parse import quote

LOOPBACK = {"127.0.0.1", "localhost", "::1"}

# Model libraries: nothing is fetched that nobody asked for by name, and their advice to developers stays inside.
MODEL_LIBRARIES = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "DIFFUSERS_VERBOSITY": "error",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    # Threads that wait sleep: on a busy machine spinning ones take the time they wait for.
    "OMP_WAIT_POLICY": "PASSIVE",
}


def prefect_environment(
    home: Path,
    *,
    api_url: str | None = None,
    database_url: str | None = None,
    login: str | None = None,
    public_ui_api: str | None = None,
) -> dict[str, str]:
    """The PREFECT_* variables for servers, workers and in-process runs.

    `login` is "user:password" and switches authentication on; `public_ui_api` is the API's address as
    browsers reach it.
    """
    environment = {
        "PREFECT_HOME": str(home / "prefect"),
        # HR meets the V1 screens: visible Resume and Cancel buttons, links in tables, no request to anybody outside.
        "PREFECT_SERVER_UI_V2_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        # Prefect's own records are short-lived: ours say what was done, and nobody's data may linger in events.
        "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P1D",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(30 * 24 * 3600),
        # The recorder works one event at a time by default and falls a minute behind (measured).
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE": "100",
        "PREFECT_SERVER_SERVICES_TRIGGERS_READ_BATCH_SIZE": "100",
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        # A busy two-core machine once needed more than the default 20 seconds.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
        "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
        "PREFECT_LOGGING_LEVEL": "CRITICAL" if api_url is None else "INFO",
        "PREFECT_CLI_COLORS": "false",
        **MODEL_LIBRARIES,
    }
    if api_url:
        environment["PREFECT_API_URL"] = api_url
        environment["PREFECT_SERVER_UI_API_URL"] = public_ui_api or api_url
    if database_url:
        environment["PREFECT_API_DATABASE_CONNECTION_URL"] = database_url
    if login:
        environment["PREFECT_SERVER_API_AUTH_STRING"] = login
        environment["PREFECT_API_AUTH_STRING"] = login
    return environment


def apply(environment: dict[str, str]) -> None:
    """Puts the variables where Prefect will look; what the user has set himself stays."""
    for name, value in environment.items():
        os.environ.setdefault(name, value)


def run_form_link(ui_url: str, deployment_id: str, parameters: dict[str, str]) -> str:
    """The address of Prefect's run form for a deployment, prefilled."""
    import json

    return f"{ui_url}/deployments/deployment/{deployment_id}/run?parameters={quote(json.dumps(parameters))}"
