"""What the documentation can say by itself: settings, commands, HTTP reference.

    make docs        writes docs/settings.md, docs/commands.md and docs/http.md; a test fails when they are old

Everything comes from the code that does the work: the settings table, the command line's help, the OpenAPI description.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
from typer.cli import get_docs_for_click

from rag.cli import app as command_line
from rag.settings import PREFIX, Settings
from rag.workspace import Workspace
from service.app import create_app
from service.problems import KINDS

DOCS = Path(__file__).parent
MADE = "<!-- made by docs/generate.py: change the code it comes from, then `make docs` -->"
SETTINGS_LEAD = f"""\
A setting is a flag (`--set NAME=VALUE`, before the command; many have a flag of their own), an environment variable, or
a line of a settings file. The first of these that says something counts; `adfontes settings` shows each with where it
comes from. The file is `adfontes.toml` where the program starts, or the one that `--settings` or `{PREFIX}SETTINGS`
names; relative paths in it start from its own folder:"""
HTTP_LEAD = """\
The service describes itself at `/openapi.json`; this page is that description, shorter. Paths are versioned under
`/v1`. Where API keys are required, each operation takes the scope named with it, in the header
`Authorization: Bearer <key>`. Errors are problem details (RFC 9457); their kinds stand at the end."""


def settings() -> str:
    """Every setting with its environment variable, default and meaning."""
    rows = [
        f"| `{name}` | `{PREFIX}{name.upper()}` | {_default(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(
        [
            "# Settings",
            MADE,
            "",
            SETTINGS_LEAD,
            "",
            "```toml",
            'collection = "field-notes"',
            "passages = 12",
            "```",
            "",
            "| name | environment | default | what |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def commands() -> str:
    """Each command's help."""
    click = typer.main.get_command(command_line)
    text = get_docs_for_click(obj=click, ctx=typer.Context(click), name="adfontes")
    text = re.sub(r"\* `--(?:install|show)-completion`.*\n", "", text)
    text = re.sub(r"^# `adfontes`", "# Commands", text, count=1)
    return re.sub(r"\n{3,}", "\n\n", text.replace("# Commands\n", f"# Commands\n{MADE}\n", 1)).rstrip() + "\n"


def http() -> str:
    """Each operation of the OpenAPI description with its parameters, its body and its answer."""
    with tempfile.TemporaryDirectory() as folder:
        schema = create_app(Workspace(Settings(corpus=Path(folder), index=Path(folder)))).openapi()
    lines = [
        "# HTTP reference",
        MADE,
        "",
        HTTP_LEAD,
        "",
    ]
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            lines += _operation(method.upper(), path, operation)
    lines += ["## Shapes", ""]
    for name, shape in sorted(schema["components"]["schemas"].items()):
        lines += _shape(name, shape)
    lines += ["## Problems", "", "| type | status | title | what to do |", "|---|---|---|---|"]
    lines += [f"| `/problems/{name}` | {kind.status} | {kind.title} | {kind.mend} |" for name, kind in KINDS.items()]
    return "\n".join(lines) + "\n"


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"## {method} {path}", "", operation["description"], "", f"Scope: {operation['x-scope']}.")
    parameters = operation.get("parameters", [])
    if parameters:
        yield from ("", "| parameter | in | type | what |", "|---|---|---|---|")
        for one in parameters:
            needed = " (required)" if one.get("required") else ""
            what = _cell(one.get("description", ""))
            yield f"| `{one['name']}`{needed} | {one['in']} | {_type(one['schema'])} | {what} |"
    for media, body in operation.get("requestBody", {}).get("content", {}).items():
        yield from ("", f"Body, `{media}`: {_type(body['schema'])}.")
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            kinds = [f"`{m}`: {_type(c.get('schema', {}))}" for m, c in answer.get("content", {}).items()]
            yield from ("", f"Answer {status}: {'; '.join(kinds) or 'no body'}.")
    yield ""


def _shape(name: str, shape: Mapping[str, Any]) -> Iterator[str]:
    yield from (
        f"### {name}",
        "",
        *filter(None, [shape.get("description", "").partition("\n\n")[0].replace("\n", " ")]),
    )
    if "properties" in shape:
        needed = set(shape.get("required", ()))
        yield from ("", "| field | type | what |", "|---|---|---|")
        for field, described in shape["properties"].items():
            mark = " (required)" if field in needed else ""
            yield f"| `{field}`{mark} | {_type(described)} | {_cell(described.get('description', ''))} |"
    yield ""


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return " or ".join(f"`{one}`" for one in schema["enum"])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(_type(one) for one in schema[several]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type", "anything"))


def _cell(text: str) -> str:
    return text.replace("\n", " ").replace("|", "\\|")


def _default(value: object) -> str:
    text = str(value)
    return f"`{text}`" if text else "none"


PAGES: Mapping[str, Callable[[], str]] = {"settings.md": settings, "commands.md": commands, "http.md": http}


def main() -> None:
    """Write the pages."""
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), encoding="utf-8")
        sys.stdout.write(f"docs/{name}\n")


if __name__ == "__main__":
    main()
