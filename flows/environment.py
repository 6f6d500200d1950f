"""How Prefect is set up for Rollcall: one place for every switch, with the reason beside it.

Prefect reads its settings from the environment when it is first imported, so these are set before that.
"""

import os
from datetime import timedelta
from pathlib import Path

from tasks.vault.settings import Settings

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
HEARTBEAT_S = 30  # between two signs of life of a run, or of a worker
SILENCE = timedelta(seconds=3 * HEARTBEAT_S + 5)  # three missed beats and a little are death
SWEEP_CRON = "30 3 * * *"  # when the sweep runs, in the company's time zone; prefect.yaml says the same

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


def prefect_environment(home: Path, *, quiet: bool = False) -> dict[str, str]:
    """The PREFECT_* variables that servers, workers and in-process runs share. `quiet`: no log lines."""
    return {
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
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_S),
        "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
        "PREFECT_LOGGING_LEVEL": "CRITICAL" if quiet else "INFO",
        "PREFECT_CLI_COLORS": "false",
        # What is imported is what is installed, whatever lies in the folder in which a process begins.
        "PYTHONSAFEPATH": "1",
        **MODEL_LIBRARIES,
    }


def settled(settings: Settings) -> dict[str, str]:
    """The paths that were given, whole: children begin in folders of their own, where `./kits` is another place."""
    given: dict[str, str] = {"ROLLCALL_HOME": str(settings.home)}
    for name in type(settings).model_fields:
        variable = f"ROLLCALL_{name.upper()}"
        value = getattr(settings, name)
        if variable in os.environ and isinstance(value, Path):
            given[variable] = str(value)
    if settings.master_key:
        given["ROLLCALL_MASTER_KEY"] = settings.master_key_location
    if settings.blob_url and "://" not in settings.blob_url:
        given["ROLLCALL_BLOB_URL"] = str(Path(settings.blob_url).expanduser().absolute())
    for name in ("database_url", "keys_url", "blob_url"):  # the other secrets are handed out one by one
        if path := os.environ.get(f"ROLLCALL_{name.upper()}_FILE"):
            given[f"ROLLCALL_{name.upper()}_FILE"] = str(Path(path).expanduser().absolute())
    return given


def client_environment(api: str, login: str) -> dict[str, str]:
    """How workers, runs and the desk reach the server at this address, as machines."""
    return {"PREFECT_API_URL": api, "PREFECT_API_AUTH_STRING": login}


def server_environment(login: str, origin: str, database_url: str | None = None) -> dict[str, str]:
    """What the server alone gets: a login always, on loopback too, and pages of no other site.

    `origin` is the address at which browsers open its pages; `database_url` Prefect's own database.
    """
    ours = {
        "PREFECT_SERVER_API_AUTH_STRING": login,
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": origin,
        # Relative, so that the pages work under every name by which they are opened, and behind a proxy.
        "PREFECT_SERVER_UI_API_URL": "/api",
    }
    return ours | ({"PREFECT_API_DATABASE_CONNECTION_URL": database_url} if database_url else {})


def apply(environment: dict[str, str]) -> None:
    """Puts the variables where Prefect will look; what the user has set himself stays."""
    for name, value in environment.items():
        os.environ.setdefault(name, value)
