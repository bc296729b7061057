"""May a new generation go live? Its figures on the collection's judged questions must reach the floors pinned there.

    corpus/<collection>/questions.jsonl   judged questions, as `rag.evaluate` reads them
    corpus/<collection>/questions.toml    [floors], a measure and its least value a line: evidence = 0.8

Without floors nothing is asked. Knows no model: who asks is given.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from rag import evaluate
from rag.build import QUESTIONS
from rag.errors import IndexRejectedError, InputError
from rag.files import read
from rag.store import Generation
from rag.types import Answer

_SHARES = ("answered", "string", "evidence", "string_and_evidence", "references", "references_given_evidence")
MEASURES = (*_SHARES, "coverage", "declined")
"""What may have a floor: shares between 0 and 1, where more is better."""


def examine(corpus: Path, generation: Generation, ask: Callable[[str], Answer]) -> None:
    """Ask `generation` the collection's judged questions; raise IndexRejectedError for the first measures below floors.

    Raises InputError for floors or questions that cannot be read.
    """
    floors = read_floors(corpus)
    if not floors:
        return
    if not (corpus / QUESTIONS).is_file():  # a pipe would be waited for
        raise InputError(f"there are floors but no questions: {str(corpus / QUESTIONS)!r} is no file")
    questions = evaluate.load(corpus / QUESTIONS)
    measures = asdict(evaluate.measure(evaluate.run(questions, ask, generation)))
    below = [
        f"{name} {found:.3f} < {floor:g}"
        for name, floor in floors.items()
        if (found := measures[name]) is not None and found < floor - 1e-9
    ]
    if below:
        raise IndexRejectedError(
            f"the new generation of {corpus.name!r} is not taken: on {len(questions)} judged questions "
            f"{', '.join(below)}; what was live stays; mend the sources, or the floors in questions.toml"
        )


def read_floors(corpus: Path) -> dict[str, float]:
    """The floors pinned for a collection, none where it has none. Raises InputError."""
    path = (corpus / QUESTIONS).with_suffix(".toml")
    try:
        floors = tomllib.loads(read(path).decode()).get("floors", {})
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InputError(f"the floors {str(path)!r} cannot be read ({error})") from error
    if not isinstance(floors, dict):
        raise InputError(f"{path.name}: [floors] is a table of measures and their least values")
    for name, value in floors.items():
        if name not in MEASURES:
            raise InputError(f"{path.name}: there is no measure {name!r}; there are: {', '.join(MEASURES)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise InputError(f"{path.name}: the floor of {name!r} is {value!r}; give a share between 0 and 1")
    return {name: float(value) for name, value in floors.items()}
