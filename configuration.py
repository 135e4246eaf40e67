"""Settings of one installation: read from WUJIAN_* in the environment and from wujian.toml, checked at start.

It stands beside app.py and belongs to no room. `app`, `web` and `jobs` read it; the workflow, the store,
intake and pdf never do and are handed plain values instead (import contract "plain" in setup.cfg).

    settings = configuration.load()             # raises ConfigurationRefused with every reason at once
    settings = configuration.load(port=5001)    # what is passed wins over environment and file
"""
import os
import secrets
import shutil
import stat
import subprocess
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

ROOT = Path(__file__).resolve().parent
SECRET_KEY_LENGTH = 32  # characters; ASVS 11.2.3 asks for 128 bits, this leaves room for poor choices
WEAK_WORDS = ("secret", "changeme", "password", "wujian", "example", "default")
MAKE_ONE = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
FONTS = ("Noto Serif CJK SC", "Noto Sans CJK SC")


class ConfigurationRefused(Exception):
    """The settings cannot be used. `reasons` says each: which setting, what is wrong, what to do."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons


def _home() -> Path:
    """Where var/ and wujian.toml are: beside the code in a checkout, else where the command was started."""
    return ROOT if (ROOT / "run").is_file() else Path.cwd()


class Settings(BaseSettings):
    """Every setting with its default. The defaults are the embedded demo: one process, one directory.

    An empty string means "the default made from the others", as the docstring of the property beside it says.
    """

    model_config = SettingsConfigDict(
        env_prefix="WUJIAN_", env_ignore_empty=True, extra="forbid", frozen=True)

    # --- the installation
    profile: Literal["demo", "production"] = "demo"
    debug: bool = False
    var: Path = Field(default_factory=lambda: _home() / "var", description="what this installation keeps")
    host: str = "127.0.0.1"
    port: int = Field(5000, ge=1, le=65535)
    threads: int = Field(8, ge=1, le=256, description="web threads per process")
    public_origin: str = Field("", description="scheme://host[:port] of the public; goes into QR codes")
    trusted_proxies: int = Field(0, ge=0, le=5, description="reverse proxies whose X-Forwarded-* is believed")
    secret_key: SecretStr = SecretStr("")
    secret_key_file: Path | None = None
    previous_secret_keys: list[SecretStr] = []
    language: Literal["zh_Hans_CN", "en"] = "zh_Hans_CN"
    timezone: Literal["Asia/Shanghai"] = "Asia/Shanghai"

    # --- the bureau that runs it
    bureau_name: str = "示范市市场监督管理局"
    bureau_division: str = Field("610100", pattern=r"^\d{6}$", description="GB/T 2260 division code")
    bureau_authority: str = Field("27", pattern=r"^\d{2}$", description="AA of the certificate number")
    bureau_counter_scope: Literal[
        "year_authority", "year_authority_field", "year_authority_field_industry"] = "year_authority"
    bureau_phone: str = ""
    bureau_address: str = ""

    # --- where things rest
    database_url: str = ""
    file_store_url: str = ""
    file_store_endpoint: str = ""
    file_store_region: str = "us-east-1"
    file_store_access_key: str = ""
    file_store_secret_key: SecretStr = SecretStr("")
    file_store_allow_http: bool = False
    upload_limit_mb: int = Field(50, ge=1, le=1024)

    # --- mail; empty: nothing is sent and every message is shown on the administrator's page
    smtp_url: SecretStr = SecretStr("")
    mail_from: str = "no-reply@bureau.invalid"

    # --- jobs
    worker_slots: int = Field(1, ge=1, le=64, description="jobs run at once by one worker process")
    lease_seconds: int = Field(60, ge=2, le=3600, description="after which a dead worker's job is taken over")
    embedded_worker: bool = Field(True, description="the web process also runs jobs; off beside workers")

    # --- people
    session_idle_minutes: int = Field(30, ge=1, le=24 * 60)
    administrator_idle_minutes: int = Field(15, ge=1, le=24 * 60)
    session_hours: int = Field(8, ge=1, le=24)
    reauthentication_minutes: int = Field(5, ge=1, le=60)
    sign_in_failures: int = Field(5, ge=1, le=100, description="wrong passwords before an account rests")
    sign_in_rest_minutes: int = Field(15, ge=1, le=24 * 60)

    # --- watching it
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"
    metrics_token: SecretStr = SecretStr("")

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is passed, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, settings_file())

    @field_validator("var", mode="after")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    # --- what follows from the settings

    @property
    def is_production(self) -> bool:
        """Whether the stricter refusals of `check_at_start` apply."""
        return self.profile == "production"

    @property
    def database(self) -> str:
        """`database_url`, by default the SQLite file wujian.sqlite3 in `var`; psycopg is named."""
        url = self.database_url or f"sqlite:///{self.var / 'wujian.sqlite3'}"
        for plain in ("postgresql://", "postgres://"):
            if url.startswith(plain):
                return "postgresql+psycopg://" + url.removeprefix(plain)
        return url

    @property
    def file_store(self) -> str:
        """`file_store_url`, by default the directory files in `var`: file:///… or s3://bucket/prefix."""
        return self.file_store_url or (self.var / "files").as_uri()

    @property
    def file_store_options(self) -> dict[str, Any]:
        """Keyword arguments for obstore's S3Store beside bucket and prefix; empty for a local directory."""
        if not self.file_store.startswith("s3://"):
            return {}
        options: dict[str, Any] = {"region": self.file_store_region, "virtual_hosted_style_request": False}
        if self.file_store_endpoint:
            options["endpoint"] = self.file_store_endpoint
        if self.file_store_access_key:
            options["access_key_id"] = self.file_store_access_key
            options["secret_access_key"] = self.file_store_secret_key.get_secret_value()
        if self.file_store_allow_http:
            options["client_options"] = {"allow_http": True}
        return options

    @property
    def bureau(self) -> dict[str, str]:
        """The issuing authority, as the store keeps it for certificates."""
        return {"name": self.bureau_name, "division": self.bureau_division,
                "authority_code": self.bureau_authority, "counter_scope": self.bureau_counter_scope}

    @property
    def origin(self) -> str:
        """`public_origin` without a closing slash, by default the address served on."""
        return self.public_origin.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def kept_secret_key_file(self) -> Path:
        """Where the secret key is read from when not given itself: `secret_key_file` or var/secret.key."""
        return self.secret_key_file or self.var / "secret.key"

    @cached_property
    def secret(self) -> str:
        """The secret key. The demo makes one at the first start and keeps it, readable by its owner only.

        Raises ConfigurationRefused when production has none, or the file that was named is not there.
        """
        if given := self.secret_key.get_secret_value():
            return given
        path = self.kept_secret_key_file
        if path.is_file():
            return path.read_text(encoding="ascii").strip()
        if self.is_production or self.secret_key_file:
            raise ConfigurationRefused([
                f"secret_key: there is none. Set WUJIAN_SECRET_KEY, or write {SECRET_KEY_LENGTH} or more "
                f"random characters to {path} (mode 0600): {MAKE_ONE}"])
        path.parent.mkdir(parents=True, exist_ok=True)
        return _keep(path, secrets.token_urlsafe(48))


def _keep(path: Path, secret: str) -> str:
    """Write a secret once; where another process was quicker, answer with that one's."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret + "\n")
    try:
        os.link(draft, path)  # atomic, and fails where the file is there already
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    finally:
        draft.unlink()
    return secret


def settings_file() -> Path:
    """The file of settings: WUJIAN_CONFIG, or wujian.toml beside the code; it need not exist."""
    return Path(os.environ.get("WUJIAN_CONFIG") or _home() / "wujian.toml")


def load(**given: Any) -> Settings:
    """Read the settings; raises ConfigurationRefused that names every setting that cannot be read."""
    named = os.environ.get("WUJIAN_CONFIG")
    if named and not Path(named).is_file():
        raise ConfigurationRefused([f"WUJIAN_CONFIG: there is no file {named}"])
    unknown = sorted(
        key for key in os.environ
        if key.startswith("WUJIAN_") and key != "WUJIAN_CONFIG"
        and key.removeprefix("WUJIAN_").lower() not in Settings.model_fields)
    reasons = [f"{key}: there is no such setting; see docs/operations.md" for key in unknown]
    try:
        settings = Settings(**given)
    except ValidationError as refused:
        reasons += [f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"
                    for error in refused.errors(include_url=False, include_input=False)]
    except ValueError as broken:  # the file is not TOML, or a list in the environment is not JSON
        reasons.append(f"{settings_file().name} or environment: {broken}")
    if reasons:
        raise ConfigurationRefused(reasons)
    return settings


def check_at_start(settings: Settings) -> list[str]:
    """What speaks against starting with these settings, one sentence each; empty when nothing does.

    Each begins with the setting's name and ends with what to do. The demo asks only for what it needs to run;
    production also refuses what would be unsafe.
    """
    refusals = [*_paths(settings), *_secret(settings), *_fonts(), *_addresses(settings)]
    if settings.is_production:
        refusals += _production(settings)
    return refusals


def _paths(settings: Settings) -> list[str]:
    refusals = []
    wanted = {"var": settings.var}
    if settings.file_store.startswith("file://"):
        wanted["file_store_url"] = Path(unquote(urlsplit(settings.file_store).path))
    for name, path in wanted.items():
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            refusals.append(f"{name}: {path} cannot be made ({error.strerror}): name another directory")
            continue
        if not os.access(path, os.W_OK | os.X_OK):
            refusals.append(f"{name}: {path} cannot be written by this user: chown it, or name another")
    for name, path in (("secret_key_file", settings.kept_secret_key_file), ("wujian.toml", settings_file())):
        holds_a_secret = name == "secret_key_file" or settings.is_production
        if holds_a_secret and path.is_file() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            refusals.append(f"{name}: {path} can be read by others than its owner: chmod 600 {path}")
    return refusals


def _secret(settings: Settings) -> list[str]:
    try:
        secret = settings.secret
    except ConfigurationRefused as refused:
        return refused.reasons
    except OSError as error:
        return [f"secret_key_file: {settings.kept_secret_key_file} ({error.strerror}): name another place"]
    if not secret:
        return [f"secret_key_file: {settings.kept_secret_key_file} is empty: {MAKE_ONE}"]
    if not settings.is_production:
        return []
    if len(secret) < SECRET_KEY_LENGTH or len(set(secret)) < 10:
        return [f"secret_key: shorter than {SECRET_KEY_LENGTH} characters or too regular: {MAKE_ONE}"]
    if any(word in secret.lower() for word in WEAK_WORDS):
        return ["secret_key: holds a word that anyone would guess: make a random one"]
    return []


def _fonts() -> list[str]:
    """Certificates need Chinese fonts; fontconfig answers with another family when one is absent."""
    program = shutil.which("fc-match")
    if program is None:
        return ["fonts: fc-match is not installed: apt-get install fontconfig fonts-noto-cjk"]
    missing = []
    for family in FONTS:
        answer = subprocess.run(  # noqa: S603, a fixed program and fixed arguments
            [program, "-f", "%{family}", family], capture_output=True, text=True, timeout=60, check=False)
        if family not in answer.stdout:
            missing.append(family)
    return [f"fonts: {', '.join(missing)} not installed: apt-get install fonts-noto-cjk"] if missing else []


def _addresses(settings: Settings) -> list[str]:
    refusals = []
    if not settings.database.startswith(("sqlite:///", "postgresql+psycopg://")):
        refusals.append("database_url: must begin with sqlite:/// or postgresql://")
    if not settings.file_store.startswith(("file:///", "s3://")):
        refusals.append("file_store_url: must begin with file:/// or s3://")
    mail = settings.smtp_url.get_secret_value()
    if mail and not mail.startswith(("smtp://", "smtps://", "smtp+starttls://")):
        refusals.append("smtp_url: must begin with smtp://, smtps:// or smtp+starttls://")
    origin = urlsplit(settings.origin)
    if origin.scheme not in ("http", "https") or not origin.hostname or origin.path or origin.query:
        refusals.append("public_origin: must be scheme://host or scheme://host:port and nothing more")
    return refusals


def _production(settings: Settings) -> list[str]:
    refusals = []
    if settings.debug:
        refusals.append("debug: must be off in production, since it lets a visitor run code")
    if not settings.public_origin.startswith("https://"):
        refusals.append("public_origin: production needs the https:// address that the public uses")
    if settings.file_store.startswith("s3://") and not settings.file_store_access_key:
        refusals.append("file_store_access_key: an S3 store needs its access key and secret key")
    if settings.mail_from.endswith(".invalid"):
        refusals.append("mail_from: give the bureau's own address")
    if settings.bureau_name == Settings.model_fields["bureau_name"].default:
        refusals.append("bureau_name: give the bureau's own name, it is printed on certificates")
    return refusals
