"""The one settings table: name, default, help, environment variable (`ADFONTES_<NAME>`).

    flag  →  environment  →  file (adfontes.toml)  →  default        the first that says something counts

Read only where a program starts (the command line, the service's start); library rooms get plain values.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, ValidationError

from rag.errors import SettingsError

PREFIX = "ADFONTES_"
FILE = Path("adfontes.toml")
"""Read where the program is started, unless ADFONTES_SETTINGS or a flag names another."""


class Settings(BaseModel):
    """Every setting there is, with where each value comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    corpus: Path = Field(Path("corpus"), description="Folder of collections: one sub-folder each, holding sources.")
    index: Path = Field(Path("index"), description="Folder of built generations; made and owned by `adfontes rebuild`.")
    models: Path | None = Field(
        None,
        description="Folder of encoders in the form that starts at once, made when first needed and safe to delete; "
        "when not set, `.models` in the index folder.",
    )
    collection: str = Field("china-generative-ai", description="Collection to work with when none is named.")
    encoder: str = Field(
        "all-MiniLM-L6-v2",
        description="Any sentence-transformers name or path; `all-MiniLM-L6-v2` comes inside a package and needs no "
        "network, `multilingual-e5-small` is the multilingual one of the extra `multilingual`.",
    )
    judge: str = Field(
        "packaged",
        description="What reads passages for an answer: `packaged` is our own small model, `none` turns it off, or the "
        "folder of one exported by its training command.",
    )
    sparse: Literal["packaged", "none"] = Field(
        "packaged",
        description="What weighs terms of passages and questions beside BM25: `packaged` is a small learned model for "
        "English, `none` turns it off. An index has them from its next rebuild on.",
    )
    chunk_tokens: int = Field(200, ge=16, le=4096, description="Tokens (cl100k_base) a chunk may hold.")
    passages: int = Field(8, ge=1, le=100, description="Passages retrieved for a question.")
    dense_weight: float = Field(
        0.5, ge=0, le=1, description="Share of the dense score in the fusion; the rest is lexical."
    )
    reranker: str = Field(
        "none",
        description="What reads the best passages again and helps to order them: `none`, `judge` (our own small "
        "model), `llm` (the language model at `llm_url`), or the name or path of any sentence-transformers "
        "CrossEncoder.",
    )
    reranker_timeout: float = Field(
        10, gt=0, le=3600, description="Seconds that a language model may take to order passages; then they stay."
    )
    citation_style: str = Field(
        "harvard", description="Style of formatted references: harvard, apa, chicago, mla, ieee."
    )
    generator: Literal["extractive", "llm"] = Field(
        "extractive", description="Who words an answer when a question does not say: the sources themselves, or `llm`."
    )
    llm_url: str = Field(
        "",
        description="Address of an OpenAI-compatible server with its version, as in `http://127.0.0.1:8080/v1`; none "
        "by default.",
    )
    llm_model: str = Field("default", description="Name of the model on that server.")
    llm_key: SecretStr = Field(SecretStr(""), description="Key for that server, when it wants one.")
    llm_timeout: float = Field(
        60, gt=0, le=3600, description="Seconds for a model's answer, retries included; then it is extractive."
    )
    threads: int = Field(1, ge=1, le=64, description="CPU threads for the models.")
    vector_memory_mb: int = Field(
        1024, ge=1, description="Memory that the vector index may take; a larger one is built in a smaller form."
    )
    follow_links: bool = Field(
        default=False,
        description="Let symbolic links in a collection's folder lead out of it; whoever can put a link there then has "
        "any file read that the program may read.",
    )
    keep_generations: int = Field(3, ge=2, le=100, description="Generations kept on disk, the live one included.")
    max_question_chars: int = Field(2000, ge=1, description="Longest question accepted, in characters.")
    max_upload_mb: int = Field(50, ge=1, description="Largest file accepted, in MiB.")
    fetch_contact: str = Field(
        "", description="A mail or web address that the user agent names, so that a site's keeper can reach you."
    )
    fetch_seconds: float = Field(60, gt=0, le=3600, description="Seconds that fetching one address may take in all.")
    fetch_pause: float = Field(2, ge=0, le=3600, description="Seconds between two requests to one host.")
    fetch_loopback: bool = Field(
        default=False, description="Let addresses of this machine be fetched; for tests, never for a service."
    )
    host: str = Field("127.0.0.1", description="Address the service binds.")
    port: int = Field(8000, ge=0, le=65535, description="Port the service binds; 0 picks a free one.")
    hosts: str = Field(
        "",
        description="Host names the service answers to besides the bound one, separated by commas; with none, one "
        "bound to all addresses answers to any. A public name makes API keys required: it is a proxy's.",
    )
    allow_origins: str = Field(
        "", description="Web sites whose pages may use the API, separated by commas; none by default (CORS closed)."
    )
    keys: Path = Field(Path("keys.sqlite"), description="File of the API keys, hashed; see `adfontes keys`.")
    require_keys: Literal["auto", "always"] = Field(
        "auto",
        description="When API keys are required: `auto` is as soon as the service binds anything but the loopback, or "
        "`hosts` names anything but the loopback.",
    )
    rate_limit: int = Field(
        120, ge=0, description="Requests a minute and key, where the key has no limit of its own; 0 is none."
    )
    daily_quota: int = Field(
        0, ge=0, description="Questions a day and key, where the key has no quota of its own; 0 is none."
    )
    answer_timeout: float = Field(120, gt=0, le=3600, description="Seconds an answer may take before it is given up.")
    shutdown_timeout: int = Field(
        10, ge=0, le=600, description="Seconds that requests under way may take when the service stops."
    )
    workers: int = Field(1, ge=1, le=64, description="Processes that serve; they share one index on disk.")
    log_format: Literal["text", "json"] = Field(
        "text", description="How the service logs: lines to read, or JSON objects."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is logged.")

    @classmethod
    def load(cls, *, file: Path | None = None, **flags: Any) -> Settings:  # noqa: ANN401  (every setting's type)
        """Settings from flags (None means not given), the environment, the settings file and the defaults.

        Raises SettingsError naming the setting, its value, where it comes from and what it takes.
        """
        named = file or (Path(os.environ[_NAMING]) if os.environ.get(_NAMING) else None)
        path = named or FILE
        layers = (
            (f"file {path}", _from_file(path, required=named is not None)),
            ("environment", {n: os.environ[v] for n in cls.model_fields if (v := PREFIX + n.upper()) in os.environ}),
            ("flag", {name: value for name, value in flags.items() if value is not None}),
        )
        values: dict[str, Any] = {}
        origins: dict[str, str] = {}
        for origin, layer in layers:
            for name in layer.keys() - cls.model_fields.keys():
                close = get_close_matches(name, cls.model_fields, 1)
                meant = f"; is {close[0]!r} meant?" if close else ""
                raise SettingsError(f"there is no setting {name!r} ({origin}){meant} `adfontes settings` lists them")
            values.update(layer)
            origins.update(dict.fromkeys(layer, origin))
        try:
            made = cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0]) if first["loc"] else "settings"
            origin = origins.get(name, "default")
            raise SettingsError(
                f"setting {name!r} has the value {first.get('input')!r} ({origin}): {first['msg']} "
                f"(set it by flag, by the environment variable {PREFIX}{name.upper()} or in the settings file)"
            ) from error
        made._origins.update(origins)
        return made

    def in_plain(self) -> dict[str, Any]:
        """The settings as JSON has them, secrets legible: to be handed on to a process of our own."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        secrets = {name: value.get_secret_value() for name, value in values.items() if isinstance(value, SecretStr)}
        return self.model_dump(mode="json") | secrets

    def origin(self, name: str) -> str:
        """Where a setting's value comes from: `flag`, `environment`, `file …` or `default`."""
        return self._origins.get(name, "default")


_NAMING = PREFIX + "SETTINGS"
_OURS = {_NAMING, PREFIX + "RUNTIME", PREFIX + "SCREENSHOTS"}
"""Variables of ours that are no settings."""


def misspelt() -> list[str]:
    """Environment variables that look like ours and are no setting."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | _OURS
    return sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)


def _from_file(path: Path, *, required: bool) -> Mapping[str, Any]:
    """The settings of a TOML file; its relative paths start from its own folder."""
    if not path.is_file():
        if required:
            raise SettingsError(f"the settings file {str(path)!r} does not exist")
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"the settings file {str(path)!r} cannot be read: {error}") from error
    return {name: _anchored(name, value, path.parent) for name, value in found.items()}


def _anchored(name: str, value: object, folder: Path) -> object:
    field = Settings.model_fields.get(name)
    return folder / value if field is not None and field.annotation is Path and isinstance(value, str) else value
