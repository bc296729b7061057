"""Every operation, asked whatever its description allows and forbids: no failure inside, every answer as described.

`make fuzz` asks thousands of times; the suite asks a few times each (ADFONTES_FUZZ_CASES).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from rag.settings import Settings
from rag.workspace import Workspace
from service.app import create_app

CASES = int(os.environ.get("ADFONTES_FUZZ_CASES", "4"))
PATHS = create_app(Workspace(Settings())).openapi()["paths"]
OPERATIONS = [(method.upper(), path) for path, methods in PATHS.items() for method in methods]
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


@pytest.fixture(scope="module")
def schema(
    tmp_path_factory: pytest.TempPathFactory, serve: Callable[[Workspace], AbstractContextManager[str]]
) -> Iterator[BaseSchema]:
    """The description of a running service over a small collection of its own."""
    root = tmp_path_factory.mktemp("fuzz")
    folder = root / "corpus" / "bay"
    folder.mkdir(parents=True)
    (folder / "bay.md").write_text(
        "# The bay\n\nThe bay froze in 1911 (Ode, 1912).\n\n## References\n\nOde, B., 1912. Ice.\n"
    )
    made = Workspace(Settings(corpus=root / "corpus", index=root / "index", collection="bay", max_upload_mb=1))
    made.rebuild()
    with serve(made) as address:
        yield schemathesis.openapi.from_url(f"{address}/openapi.json")


@pytest.mark.parametrize("mode", MODES, ids=["good", "bad"])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_whatever_is_asked_the_answer_is_as_described(
    schema: BaseSchema, method: str, path: str, mode: GenerationMode
) -> None:
    """No 5xx, and status, content type, headers and body are those of the description, for good input and bad."""
    described = PATHS[path][method.lower()]
    if mode is GenerationMode.NEGATIVE and not (described.get("parameters") or described.get("requestBody")):
        return  # nothing that could be wrong
    operation = schema[path][method]

    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        answer = case.call(timeout=60)
        # What no schema can say: an empty file, a conversation without a question, an address that is not fetched.
        meant = answer.status_code == 422 and answer.json()["type"] in (
            "/problems/invalid-input",
            "/problems/not-fetched",
        )
        excluded = [positive_data_acceptance] if meant else []
        if case.media_type == "multipart/form-data":  # a form carries text and files: there is no wrong type in it
            excluded.append(negative_data_rejection)
        case.validate_response(answer, excluded_checks=excluded)

    with suppress(Unsatisfiable):  # nothing can be wrong with a parameter that may be any text
        ask()
