"""The one settings table: name, default, help, environment variable (`ADFONTES_<NAME>`).

Read only where a program starts (the command line, the service's start); library rooms get plain values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag.errors import SettingsError


class Settings(BaseSettings):
    """Every setting there is. Flags win over the environment, the environment over these defaults."""

    model_config = SettingsConfigDict(env_prefix="ADFONTES_", frozen=True, extra="forbid")

    corpus: Path = Field(Path("corpus"), description="Folder of collections: one sub-folder each, holding sources.")
    index: Path = Field(Path("index"), description="Folder of built generations; made and owned by `adfontes rebuild`.")
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
    chunk_tokens: int = Field(200, ge=16, le=4096, description="Tokens (cl100k_base) a chunk may hold.")
    passages: int = Field(8, ge=1, le=100, description="Passages retrieved for a question.")
    dense_weight: float = Field(
        0.6, ge=0, le=1, description="Share of the dense score in the fusion; the rest is lexical."
    )
    citation_style: str = Field(
        "harvard", description="Style of formatted references: harvard, apa, chicago, mla, ieee."
    )
    threads: int = Field(1, ge=1, le=64, description="CPU threads for the models.")
    keep_generations: int = Field(3, ge=2, le=100, description="Generations kept on disk, the live one included.")
    max_question_chars: int = Field(2000, ge=1, description="Longest question accepted, in characters.")
    max_upload_mb: int = Field(50, ge=1, description="Largest file accepted, in MiB.")
    host: str = Field("127.0.0.1", description="Address the service binds.")
    port: int = Field(8000, ge=0, le=65535, description="Port the service binds; 0 picks a free one.")

    @classmethod
    def load(cls, **flags: Any) -> Settings:  # noqa: ANN401  (flags of every setting's type)
        """Settings from flags (None means not given), the environment and the defaults.

        Raises SettingsError naming the setting, its value and what it takes.
        """
        try:
            return cls(**{name: value for name, value in flags.items() if value is not None})
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0]) if first["loc"] else "settings"
            raise SettingsError(
                f"setting {name!r} has the value {first.get('input')!r}: {first['msg']} "
                f"(set it by flag or by the environment variable ADFONTES_{name.upper()})"
            ) from error
