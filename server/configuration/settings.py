"""The settings: read once from the environment and `.env`, checked together, handed down in slices.

Every mistake is reported with the name of its setting, with what is allowed, and with the value
where it is a number or a choice of a few words: those hold no secret.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from babel.numbers import list_currencies
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from domain.access.users import check_email, check_password
from server.configuration.allowed_values import allowed_for
from server.configuration.setting_names import near_in_environment, unknown_in_file
from server.failures import StartRefused
from web.security.client_address import covers_everybody

KEY_BYTES_MIN = 32
SIGN_IN_LIMIT_MAX = 600  # a minute from one address: an office behind one, and no guessing machine
SAMPLE_KEYS = ("change-me", "changeme", "secret", "your-secret", "sample", "example")
API_VERSION = "1.0.0"
ENV_FILE = ".env"
SHOWN_CHARS_MAX = 40  # of a value that was given
NOT_YET = "is not supported by this release"

Names = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """One validated value; the names of the environment variables are these in capitals."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    database_url: str = ""
    redis_url: str = ""
    jwt_secret_key: str = ""
    jwt_algorithm: Literal["HS256"] = "HS256"
    jwt_access_token_expire_minutes: int = Field(30, ge=1, le=24 * 60)
    jwt_refresh_token_expire_days: int = Field(7, ge=1, le=365)
    api_title: str = "Lendwire"
    api_description: str = "A loan server that keeps working when the line goes down"
    api_version: str = API_VERSION
    sync_remote_url: str = ""
    sync_node_id: str = ""
    sync_node_key: str = ""
    sync_batch_size: int = Field(50, ge=1, le=10_000)
    sync_retry_attempts: int = Field(3, ge=1, le=100)
    sync_retry_delay: int = Field(5, ge=1, le=3600)
    sync_timeout: int = Field(30, ge=1, le=600)
    max_file_size: int = Field(10_485_760, ge=1, le=1024 * 1024 * 1024)
    allowed_file_types: Names = ("pdf", "doc", "docx", "jpg", "jpeg", "png")
    ws_heartbeat_interval: float = Field(30, ge=0.1, le=3600)
    ws_max_connections: int = Field(1000, ge=1, le=100_000)
    ws_max_per_address: int = Field(100, ge=1, le=100_000)
    ws_max_per_user: int = Field(10, ge=1, le=10_000)
    rate_limit_user: int = Field(600, ge=1, le=10_000_000)
    rate_limit_sign_in: int = Field(30, ge=1, le=10_000_000)
    session_timeout: int = Field(3600, ge=10, le=365 * 86400)
    drain_notice_seconds: float = Field(5, ge=1, le=3600)
    loop_stuck_seconds: int = Field(60, ge=0, le=86400)
    bcrypt_rounds: str = ""
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    workers: int = Field(1, ge=1, le=64)
    allowed_origins: Names = ()
    trusted_proxies: Names = ()
    timezone: str = "UTC"
    default_currency: str = "EUR"
    environment: Literal["development", "test", "production"] = "development"
    lendwire_home: Path = Path(".lendwire")
    admin_email: str = "admin@localhost"
    admin_password: str = ""
    four_eyes: bool = True
    four_eyes_reversals: bool = False
    must_change_password: bool | None = None
    docs: bool = True

    @field_validator("allowed_file_types", "allowed_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"postgresql", "postgresql+asyncpg", "postgres"}:
            raise ValueError("must begin with postgresql:// or postgresql+asyncpg://")
        return value

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path:
                raise ValueError(
                    "must list origins such as https://app.example.com, without * or path"
                )
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            covers_everybody(value)
        except ValueError:
            raise ValueError("must list addresses or networks such as 10.0.0.0/8") from None
        return value

    @field_validator("timezone")
    @classmethod
    def _is_timezone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("must be a name of the time zone database, such as Europe/Berlin")
        return value

    @field_validator("default_currency")
    @classmethod
    def _is_currency(cls, value: str) -> str:
        if value not in list_currencies():
            raise ValueError("must be an ISO 4217 code, such as EUR")
        return value

    @field_validator("admin_email")
    @classmethod
    def _is_email(cls, value: str) -> str:
        if faults := check_email(value):
            raise ValueError("; ".join(fault.detail for fault in faults))
        return value

    @field_validator("jwt_secret_key")
    @classmethod
    def _is_strong(cls, value: str) -> str:
        if value and len(value.encode()) < KEY_BYTES_MIN:
            raise ValueError(f"must have {KEY_BYTES_MIN} bytes or more")
        return value

    @model_validator(mode="after")
    def _agree(self) -> Settings:
        """Refuse what contradicts; all of it at once, each by its name."""
        # The first administrator's password is held to the rule of everybody's.
        known = self.admin_email.lower()
        words = (known, known.partition("@")[0])
        faults = check_password(self.admin_password, words) if self.admin_password else ()
        wrong = [f"ADMIN_PASSWORD {fault.detail}" for fault in faults]
        if (self.sync_node_id or self.sync_node_key) and not self.sync_remote_url:
            wrong.append("SYNC_NODE_ID and SYNC_NODE_KEY contradict an empty SYNC_REMOTE_URL")
        if self.sync_remote_url:
            wrong.append(f"SYNC_REMOTE_URL {NOT_YET}: run this node standalone")
        if self.environment == "production":
            wrong += self._unsafe()
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _unsafe(self) -> list[str]:
        wrong: list[str] = []
        key = self.jwt_secret_key
        lowered = key.lower()
        if not key:
            wrong.append("JWT_SECRET_KEY is required in production")
        elif len(set(key)) < 8 or any(sample in lowered for sample in SAMPLE_KEYS):  # noqa: PLR2004
            wrong.append("JWT_SECRET_KEY must be random, not a sample or a repeated character")
        if self.database_url and urlsplit(self.database_url).password == "postgres":  # noqa: S105
            wrong.append("DATABASE_URL must not use the password that everybody tries first")
        for origin in self.allowed_origins:
            if not origin.startswith("https://"):
                wrong.append("ALLOWED_ORIGINS must be https:// in production")
                break
        if covers_everybody(self.trusted_proxies):
            wrong.append(
                "TRUSTED_PROXIES must not be everybody in production, who could then say what "
                "address they come from"
            )
        if self.rate_limit_sign_in > SIGN_IN_LIMIT_MAX:
            wrong.append(f"RATE_LIMIT_SIGN_IN must be {SIGN_IN_LIMIT_MAX} or less in production")
        return wrong

    @property
    def uses_home(self) -> bool:
        """Whether something in the home is needed: embedded services or a generated key."""
        return not (self.database_url and self.redis_url and self.jwt_secret_key)

    @property
    def asks_own_password(self) -> bool:
        """Whether a password that another set is changed first: in production, unless told."""
        if self.must_change_password is None:
            return self.environment == "production"
        return self.must_change_password

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of business days."""
        return ZoneInfo(self.timezone)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags win over the environment, the environment over `.env`."""
        return init_settings, env_settings, dotenv_settings


def read_settings(flags: Mapping[str, Any] | None = None) -> Settings:
    """Read and check the settings; `flags` of the command line win.

    Raises StartRefused with every mistake at once, misspelt names in `.env` among them.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    unknown = _unknown_names()
    try:
        settings = Settings(**given)
    except ValidationError as error:
        mistakes = _mistakes(error)
        wrong_names = {str(mistake["loc"][0]) for mistake in error.errors() if mistake["loc"]}
    else:
        if not unknown:
            return settings
        mistakes, wrong_names = [], set()
    # What contradicts is only checked when each field is right by itself, so look once more with
    # the wrong ones at their defaults: whoever mends the settings hears of everything at once.
    if wrong_names:
        defaults = {name: Settings.model_fields[name].default for name in wrong_names}
        try:
            Settings(**{**given, **defaults})
        except ValidationError as error:
            mistakes += _mistakes(error)
    raise StartRefused(f"The settings are not right: {'; '.join(mistakes + unknown)}.")


def remarks_on_environment() -> list[str]:
    """Names in the environment that were probably meant as settings: it holds others' as well."""
    return near_in_environment(os.environ, Settings.model_fields)


def _unknown_names() -> list[str]:
    """Mistakes for what is in `.env`, which is ours alone, and is no setting."""
    in_file = DotEnvSettingsSource(Settings).env_vars
    return unknown_in_file(in_file, Settings.model_fields, ENV_FILE)


def _mistakes(error: ValidationError) -> list[str]:
    lines: list[str] = []
    for mistake in error.errors(include_url=False, include_context=False):
        name = ".".join(str(part) for part in mistake["loc"])
        text = mistake["msg"].removeprefix("Value error, ")
        allowed = allowed_for(Settings.model_fields[name]) if name in Settings.model_fields else ""
        if allowed:
            text = f"must be {allowed}, and {_shown(mistake['input'])} was given"
        lines.append(f"{name.upper()} {text}" if name else text)
    return lines


def _shown(given: object) -> str:
    text = str(given)
    return repr(text if len(text) <= SHOWN_CHARS_MAX else f"{text[:SHOWN_CHARS_MAX]}…")


def plain_environment() -> dict[str, str]:
    """Return the environment for child processes, without the secrets of the settings."""
    secret = {"JWT_SECRET_KEY", "ADMIN_PASSWORD", "SYNC_NODE_KEY", "DATABASE_URL", "REDIS_URL"}
    return {name: value for name, value in os.environ.items() if name not in secret}
