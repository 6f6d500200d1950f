"""Where this installation keeps things: one frozen value read from `ROLLCALL_*` variables, handed on as an argument.

Nothing else in Rollcall reads the environment, so a test, a worker on another machine and the command line differ
only in the `Settings` they pass.
"""

import os
import re
from datetime import timedelta
from pathlib import Path
from zoneinfo import available_timezones

from pydantic import ByteSize, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tasks.shipped import in_use
from tasks.vault.failures import BadSetting

KMS = "kms:"  # a master key that starts so is kept by a key management service
# Whose values may be given by a file. (`signing_key_file` and its like name files that are no more than that.)
SECRET = (
    "database_url",
    "keys_url",
    "blob_url",
    "desk_password",
    "oidc_client_secret",
    "people_login",
    "machine_login",
    "smtp_url",
    "metrics_token",
)


class Settings(BaseSettings):
    """Every choice an installation makes. Unset paths are derived from `home`."""

    model_config = SettingsConfigDict(env_prefix="ROLLCALL_", frozen=True, extra="ignore")

    home: Path = Path("var")
    database_url: str | None = Field(None, description="SQLAlchemy URL; a SQLite file in `home` when unset")
    blob_url: str | None = Field(None, description="s3://bucket/prefix?endpoint=...; a folder in `home` when unset")
    keys_url: str | None = Field(None, description="database of wrapped keys, kept apart from the records on purpose")
    master_key: str | None = Field(
        None,
        description="what wraps everybody's keys: a file kept off the backups of `home`, or kms:alias/NAME?region=...",
    )
    encrypt: bool = Field(True, description="encrypt blobs with each person's own key")
    kits: Path = Field(default_factory=lambda known: in_use("brand_kits", known["home"]))
    bases: Path = Field(default_factory=lambda known: in_use("base_models", known["home"]))
    models: Path = Field(
        default_factory=lambda known: known["home"] / "models",
        description="where fetched model files lie, for every process; `models` in `home` when unset",
    )
    base: str = "embedded"
    eyes: str = "embedded"
    mixed_worlds: bool = Field(False, description="go on where photos are real and base or eyes know drawn people only")
    # Enough to fill a card with a small base, few enough that a group that is lost with its machine is minutes.
    cohort: int = Field(16, ge=1, le=64, description="people whom one worker learns and draws together")
    public_url: str = "http://127.0.0.1:4280"
    prefect_ui_url: str = Field("http://127.0.0.1:4200", description="where HR opens Prefect, for links to run forms")
    desk_password: str | None = Field(None, repr=False, description="lets reviewers in; without it only this machine")
    oidc_issuer: str | None = Field(None, description="address of the company's sign-in; in the place of the password")
    oidc_client_id: str = Field("", description="how the desk is registered there")
    oidc_client_secret: str | None = Field(None, repr=False, description="none for a public client")
    oidc_groups: str = Field("groups", description="the claim that names somebody's groups")
    roles: Path | None = Field(None, description="TOML that says which groups and people have which role at the desk")
    proxies: str = Field("", description="proxies before the desk whose word on the client's address and https counts")
    tls_certificate: Path | None = Field(None, description="PEM certificate with its chain: the desk speaks https")
    tls_key: Path | None = Field(None, repr=False, description="PEM private key; in the certificate's file when unset")
    prefect_api_url: str = Field("http://127.0.0.1:4200/api", description="where our own processes reach Prefect")
    people_login: str | None = Field(None, repr=False, description="name:secret for Prefect's pages; made when unset")
    machine_login: str | None = Field(None, repr=False, description="name:secret of workers and desk; made when unset")
    metrics_token: str | None = Field(None, repr=False, description="lets /metrics be read; without it here alone")
    smtp_url: str | None = Field(
        None, repr=False, description="smtp://name:secret@host:587 (STARTTLS) or smtps://...: who carries alerts"
    )
    alerts_to: str = Field("", description="addresses that alerts go to, with commas between them")
    alerts_from: str = Field("rollcall@localhost", description="the address that alerts come from")
    language: str = Field("en", description="what pages speak: a name in tasks/language/, or a folder like `en` there")
    timezone: str = Field("UTC", description="the company's, such as Europe/Berlin: the sweep's hour is meant in it")
    retention_rules: Path | None = Field(None, description="the company's retention TOML; built-in rules when unset")
    checkpoint_copies: Path | None = Field(None, description="a second place, better elsewhere, for audit checkpoints")
    signing_chain: Path | None = Field(
        None, description="PEM certificates, leaf first, that sign content credentials; a test chain when unset"
    )
    signing_key_file: Path | None = Field(None, description="PEM private key of the first certificate", repr=False)
    photo_roots: Path | None = Field(
        None, description="PEM roots, such as the C2PA trust list, whose signatures on people's photos are believed"
    )
    input_folders: str = Field(
        "", description="folders and buckets that may be photographed, by name: `hr=/srv/hr, berlin=s3://...`"
    )
    export_folder: Path | None = Field(None, description="below it deliveries from forms and the desk are written")
    report_files: str = Field(
        "", description="`store` keeps review reports in the blob store; a folder is a volume that machines share"
    )
    packs: Path | None = Field(None, description="the company's own delivery packs, one TOML file each")
    time_stamps: str | None = Field(None, description="address of an RFC 3161 authority, so that signatures outlive it")
    price_per_hour: float | None = Field(None, gt=0, description="what an hour of the computing machine costs")
    currency: str = Field("EUR", description="of prices, as the desk writes it")
    yes_above: float | None = Field(None, gt=0, description="a run that costs more waits for a second person's yes")
    processes: int | None = Field(
        None, ge=1, description="processes that work on pictures at once; one for each core, as memory allows, if unset"
    )
    search_limit: ByteSize = Field(
        ByteSize(1 << 30),
        description="most that is read, times people, to see that a forgotten name is in no file; `4GiB` reads longer",
    )
    writer_life: timedelta = Field(
        timedelta(hours=6),
        description="longest a step may run between its permit and its last byte; erasure sweeps again after it",
    )

    @field_validator(
        "home",
        "kits",
        "bases",
        "models",
        "retention_rules",
        "checkpoint_copies",
        "signing_chain",
        "signing_key_file",
        "export_folder",
        "photo_roots",
        "packs",
        "tls_certificate",
        "tls_key",
        "roles",
    )
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        """Relative paths are resolved once, so that a worker changing folder cannot split the vault in two."""
        return None if value is None else value.expanduser().absolute()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"there is no time zone called {value}: write it as Europe/Berlin")
        return value

    @field_validator("input_folders")
    @classmethod
    def _named_folders(cls, value: str) -> str:
        wrong = [one for one in _listed(value) if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}=(/|s3://).+", one)]
        if wrong:
            raise ValueError("write each as name=/whole/path or name=s3://bucket, with commas between them")
        return value

    @property
    def inputs(self) -> dict[str, str]:
        """Name → folder or bucket, of those that are listed."""
        return dict(one.split("=", 1) for one in _listed(self.input_folders))

    @property
    def records_url(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'rollcall.db'}"

    @property
    def wrapped_keys_url(self) -> str:
        return self.keys_url or f"sqlite:///{self.home / 'keys' / 'wrapped.db'}"

    @property
    def blobs_location(self) -> str:
        return self.blob_url or str(self.home / "blobs")

    @property
    def master_key_location(self) -> str:
        """A path, or a service's URL."""
        if self.master_key and self.master_key.startswith(KMS):
            return self.master_key
        return str(Path(self.master_key or self.home / "keys" / "master.key").expanduser().absolute())

    @property
    def signing_key(self) -> Path:
        return self.home / "keys" / "signing.key"

    @property
    def audit(self) -> Path:
        return self.home / "audit"

    @property
    def scratch(self) -> Path:
        return self.home / "scratch"

    @property
    def reports_in_store(self) -> bool:
        """Whether review reports lie in the blob store, so that desk and workers may be on different machines."""
        return self.report_files == "store"

    @property
    def reports(self) -> Path:
        """The folder of review reports, where they lie in one."""
        given = "" if self.reports_in_store else self.report_files
        return Path(given).expanduser().absolute() if given else self.home / "reports"

    @property
    def uploads(self) -> Path:
        return self.home / "drops"

    @property
    def receipts(self) -> Path:
        return self.home / "receipts"


def _listed(value: str) -> list[str]:
    return [one.strip() for one in value.split(",") if one.strip()]


def load_settings() -> Settings:
    """The settings of this process, from its environment. Called once, by whoever starts the program.

    Secrets may be given as files: ROLLCALL_DATABASE_URL_FILE names one that holds the database's
    URL. Raises BadSetting for one that cannot be read, or that cannot be meant.
    """
    given = {name: secret_from_environment(f"ROLLCALL_{name.upper()}") for name in SECRET}
    try:
        return Settings.model_validate({name: value for name, value in given.items() if value})
    except ValidationError as wrong:
        raise BadSetting("; ".join(_said(str(one["loc"][0]), one["msg"]) for one in wrong.errors())) from None


def _said(name: str, message: str) -> str:
    return f"ROLLCALL_{name.upper()}: {message.removeprefix('Value error, ')}"


def secret_from_environment(variable: str) -> str | None:
    """The variable's value, or what the file holds that `<variable>_FILE` names; None without either. BadSetting."""
    path = os.environ.get(f"{variable}_FILE")
    if (value := os.environ.get(variable)) or not path:
        return value
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as wrong:
        raise BadSetting(f"{variable}_FILE: {path} cannot be read ({type(wrong).__name__}).") from wrong
