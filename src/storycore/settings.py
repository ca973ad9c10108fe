"""Settings: what can be chosen, where it is read, and what stands if nothing is chosen.

Precedence, highest first: flags (arguments of `Settings.read`), environment `STORYCORE_<NAME>`, `./storycore.toml`,
`<user config folder>/storycore/storycore.toml`, defaults.
"""

import contextlib
import difflib
import ipaddress
import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from platformdirs import user_cache_path, user_config_path, user_data_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails

from storycore.errors import FieldFault, InvalidInput, Reason
from storycore.units import MEBIBYTE
from storycore.wording import explain

_PASSWORD = re.compile(r"(://[^/@:]*:).*@|((?:^|[?&\s])(?:ssl)?password\s*=\s*)[^&\s]+", re.IGNORECASE | re.DOTALL)
"""Before the host of a URL, whatever stands in it; in its query; and in what libpq takes in place of a URL."""


class Settings(BaseModel):
    """Everything that can be set; frozen, so that no part of a run sees another value than the next."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    roots: tuple[Path, ...] = Field(
        default=(),
        description="Folders that projects may be read from. Empty: any path the user names; `serve` then uses its "
        "working directory.",
    )
    output_roots: tuple[Path, ...] = Field(
        default=(), description="Folders, beside each project's exports/, that results may be written to."
    )
    stores: tuple[str, ...] = Field(
        default=(),
        description="Places in object stores that results may be written to and packages read from: "
        "`s3://bucket/folder`, `az://container`, `gs://bucket`, with commas between. Credentials come from the "
        "environment or an AWS profile, never from here.",
    )
    server: str = Field(
        default="", description="URL of a running server that does the work, instead of this process; empty for none."
    )
    key: SecretStr = Field(
        default=SecretStr(""), description="API key for that server. Never given as an argument: others see those."
    )
    key_file: Path | None = Field(default=None, description="File that holds the API key for that server.")
    host: str = Field(default="127.0.0.1", description="Address that `serve` listens on.")
    port: int = Field(default=8765, ge=0, le=65535, description="Port that `serve` listens on; 0 takes a free one.")
    allowed_hosts: tuple[str, ...] = Field(
        default=(),
        description="More names by which the server may be called, beside its address and localhost.",
    )
    require_key: bool = Field(
        default=False, description="Whether callers on this machine need an API key too; others always do."
    )
    max_body_bytes: int = Field(default=MEBIBYTE, ge=1024, description="Largest request body, in bytes.")
    max_json_depth: int = Field(default=64, ge=4, le=500, description="Deepest nesting of JSON that is read.")
    max_project_files: int = Field(default=100_000, ge=1, description="Most files that a project may hold.")
    max_project_json_bytes: int = Field(
        default=64 * MEBIBYTE,
        ge=1024,
        description="Largest project.json or side file that is read, in bytes.",
    )
    rate_limit_per_minute: int = Field(
        default=600, ge=0, le=1_000_000, description="Most calls a minute with one API key; 0 sets no limit."
    )
    min_free_bytes: int = Field(
        default=256 * MEBIBYTE,
        ge=0,
        description="Free space on a disk, in bytes, below which `/readyz` says that the server is not ready, and "
        "nothing that a workflow made is brought home.",
    )
    max_generated_bytes: int = Field(
        default=64 * 1024 * MEBIBYTE, ge=1, description="Most bytes that one run of a workflow may bring home."
    )
    drain_seconds: float = Field(
        default=0,
        ge=0,
        le=600,
        description="How long `serve`, told to stop, still takes calls while `/readyz` sends new ones elsewhere.",
    )
    cache_folder: Path = Field(
        default_factory=lambda: user_cache_path("storycore", appauthor=False),
        description="Where measured facts of media are remembered; may be deleted at any time.",
    )
    ffmpeg: Path | None = Field(
        default=None, description="The ffmpeg to use; the one that came with StoryCore if left out, else one on PATH."
    )
    render_workers: int = Field(
        default_factory=lambda: min(16, os.cpu_count() or 1),
        ge=1,
        le=64,
        description="Segments of one film that are rendered at a time.",
    )
    segment_cache_bytes: int = Field(
        default=10 * 1024 * MEBIBYTE,
        ge=0,
        description="Most bytes of rendered segments that are kept in the cache folder to be used again.",
    )
    segment_store: str = Field(
        default="",
        description="Where machines share rendered segments, the cache folder of each in front of it: a folder that "
        "all of them see, by its absolute path, or a place in an object store (`s3://bucket/segments`). Empty: they "
        "are shared only with processes that use the same cache folder.",
    )
    render_on_many: Literal["auto", "never"] = Field(
        default="auto",
        description="Whether `serve` and `worker` on Postgres render a film together with others that share its "
        "segments; never: each renders its films alone, and no others'.",
    )
    database_url: str = Field(
        default="",
        description="Where tasks, events and keys are kept: `sqlite:///` and an absolute path, or `postgresql://…`. "
        "Empty: a SQLite file in the user's data folder. `none`: nothing is kept; commands then run without a record, "
        "and what one that was killed left is not cleared away.",
    )
    workers: int = Field(
        default_factory=lambda: min(4, os.cpu_count() or 1), ge=1, le=64, description="Tasks that are done at a time."
    )
    lease_seconds: float = Field(
        default=15, ge=1, le=3600, description="A task whose process is silent for that long is taken over."
    )
    retention_days: float = Field(
        default=30,
        ge=1,
        le=36_500,
        description="How long finished tasks are remembered; their files stay where they are.",
    )
    comfyui_allow: tuple[str, ...] = Field(
        default=(),
        description="ComfyUI servers that callers over the network may name beside those of this machine: "
        "`host-or-CIDR[:port]`, with commas between.",
    )
    comfyui_api_key: SecretStr = Field(
        default=SecretStr(""), description="Key of a Comfy account, for nodes that call its paid services."
    )
    generated_folder: Path = Field(
        default_factory=lambda: user_data_path("storycore", appauthor=False) / "generated",
        description="Where what ComfyUI makes goes if it belongs to no project and there is no output root.",
    )
    webhook_allow: tuple[str, ...] = Field(
        default=(),
        description="Places beside the public internet that webhooks may call, each by host or network, and port: "
        "127.0.0.1:9000, 10.1.0.0/16:443, hooks.lan:*.",
    )
    webhook_require_https: bool = Field(default=False, description="Whether webhooks at http:// are refused.")
    webhook_timeout_seconds: float = Field(
        default=20, ge=1, le=60, description="How long one attempt may take in all, the whole answer included."
    )
    webhook_slots: int = Field(
        default=64, ge=1, le=1024, description="Attempts that one process makes at a time, over all webhooks."
    )
    webhook_proxy: SecretStr = Field(
        default=SecretStr(""), description="URL of a proxy that webhooks are sent through; targets are still checked."
    )
    webhook_ca_file: Path | None = Field(
        default=None, description="File of certificates that webhooks trust, instead of the system's."
    )
    secret_key: SecretStr = Field(
        default=SecretStr(""),
        description="Key that secrets of webhooks are sealed with, 32 bytes in base64; the same on all machines.",
    )
    secret_key_file: Path | None = Field(
        default=None,
        description="File that holds this key if it is not set; beside the SQLite database, else in the user's data "
        "folder. Made when first needed; back it up with the database.",
    )
    credentials: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="Whether finished files are signed with content credentials: auto where media are known to be "
        "generated, always, or never.",
    )
    training_mining: Literal["unsaid", "allowed", "not_allowed"] = Field(
        default="unsaid",
        description="What credentials say about the use of a film for training AI and for data mining.",
    )
    signing_certificate: Path | None = Field(
        default=None,
        description="File of a certificate of yours to sign with, and of those above it, in PEM; this installation "
        "makes one of its own if left out.",
    )
    signing_key_file: Path | None = Field(
        default=None, description="File of its private key, in PEM without a password, readable for you alone."
    )
    trusted_certificates: Path | None = Field(
        default=None,
        description="File of certificates in PEM whose signatures count as trusted, beside those of this installation.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level of log lines that `serve` writes to stderr."
    )

    @field_validator("roots", "output_roots", mode="before")
    @classmethod
    def _split_paths(cls, value: Any) -> Any:
        return [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value

    @field_validator("roots", "output_roots", mode="after")
    @classmethod
    def _absolute(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        return tuple(Path(os.path.abspath(path.expanduser())) for path in value)  # noqa: PTH100 - keeps links

    @field_validator("allowed_hosts", "comfyui_allow", "stores", "webhook_allow", mode="before")
    @classmethod
    def _split_names(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("allowed_hosts", mode="after")
    @classmethod
    def _lower(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.lower() for name in value)  # host names know no case

    @property
    def server_key(self) -> str:
        """The API key for `server`, or "".

        Raises:
            InvalidInput: setting_invalid: the file that should hold it can't be read.
        """
        if self.key_file is None:
            return self.key.get_secret_value()
        try:
            with self.key_file.open(encoding="utf-8") as file:
                return file.read(4096).strip()
        except (OSError, UnicodeDecodeError):
            raise InvalidInput(
                f"The key file {self.key_file.name} can't be read.", reason=Reason.SETTING_INVALID
            ) from None

    def shown(self) -> dict[str, Any]:
        """Every setting as JSON, without secrets."""
        values = self.model_dump(mode="json")
        return {name: without_passwords(value) if isinstance(value, str) else value for name, value in values.items()}

    @property
    def is_local(self) -> bool:
        """Whether `serve` can be reached from this machine only."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"

    @property
    def is_open(self) -> bool:
        """Whether callers without a key are let in."""
        return self.is_local and not self.require_key

    @property
    def database(self) -> str:
        """URL of the database.

        Raises:
            InvalidInput: setting_invalid: the settings say that there is none.
        """
        if self.database_url == "none":
            raise InvalidInput(
                "This needs a database, and database_url says that there is none.",
                reason=Reason.SETTING_INVALID,
                remediation="Leave STORYCORE_DATABASE_URL out, or name a database.",
            )
        if self.database_url:
            return self.database_url
        folder = user_data_path("storycore", appauthor=False)
        return f"sqlite:///{folder / 'storycore.db'}"

    @property
    def sealing_key_place(self) -> Path:
        """The file of the key that secrets of webhooks are sealed with, there already or not."""
        if self.secret_key_file is not None:
            return self.secret_key_file
        kind, _, path = self.database_url.partition("///")
        if kind == "sqlite:" and path:
            return Path(path).with_suffix(".key")
        return Path(user_data_path("storycore", appauthor=False)) / "storycore.key"

    @property
    def signing_place(self) -> Path:
        """The file of the key and the certificate of this installation, there already or not."""
        return self.sealing_key_place.with_suffix(".signing.pem")

    @classmethod
    def read(cls, **flags: Any) -> Self:
        """Settings from all places; `flags` that are None count as not given.

        Raises:
            InvalidInput: a setting has no acceptable value, or a settings file is not TOML; says which one.
        """
        given: dict[str, Any] = {}
        for _, values in sources(flags):
            given |= values
        try:
            return cls(**given)
        except ValidationError as fault:
            faults = [_fault(item) for item in fault.errors(include_url=False)]
            raise InvalidInput(
                f"Setting not acceptable: {faults[0].pointer[1:]}: {faults[0].message}",
                reason=Reason.SETTING_INVALID,
                errors=faults,
            ) from None


def user_folder() -> Path:
    """Where a person's own settings and presets are."""
    return user_config_path("storycore", appauthor=False)


def without_passwords(url: str) -> str:
    """A URL as people may see it."""
    return _PASSWORD.sub(lambda found: f"{found[1]}***@" if found[1] else f"{found[2]}***", url)


def sources(flags: Mapping[str, Any] | None = None) -> list[tuple[str, dict[str, Any]]]:
    """What each place says, and what that place is called; a later one overrules those before it.

    Raises:
        InvalidInput: setting_invalid: a settings file is not TOML.
    """
    found = []
    for path in files():
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            found.append((str(path), _read_file(path)))
    found.append(("environment", _from_environment(Settings.model_fields)))
    found.append(("flags", {name: value for name, value in (flags or {}).items() if value is not None}))
    return found


def files() -> tuple[Path, Path]:
    """Where settings files are looked for, the nearest last."""
    return (user_folder() / "storycore.toml", Path("storycore.toml"))


def _read_file(path: Path) -> dict[str, Any]:
    if not stat.S_ISREG(path.stat().st_mode):
        raise InvalidInput(f"The settings file {path} is not a file.", reason=Reason.SETTING_INVALID)
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as fault:
        raise InvalidInput(f"The settings file {path} can't be read: {fault}", reason=Reason.SETTING_INVALID) from None


def _from_environment(names: Iterable[str]) -> dict[str, str]:
    return {name: os.environ[key] for name in names if (key := f"STORYCORE_{name.upper()}") in os.environ}


def _fault(item: ErrorDetails) -> FieldFault:
    name = ".".join(map(str, item["loc"]))
    message = explain(item["type"], item.get("ctx", {}), item["msg"])
    if item["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, Settings.model_fields, n=1)
        message = "there is no such setting" + (f"; did you mean {near[0]}?" if near else "")
    return FieldFault(f"/{name}", Reason.SETTING_INVALID, message)
