"""The Python client: the words of the library, from a service that runs elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from rag.errors import AdFontesError, DocumentError, InputError, NotFoundError
from rag.types import Answer
from rag.workspace import Workspace
from service.client import Client
from service.keys import Keys

USERS = "How many users had Ernie Bot attracted by April 2024?"


@pytest.fixture(scope="module")
def client(server: str) -> Iterator[Client]:
    """A client of a running service."""
    with Client(server) as opened:
        yield opened


def test_an_answer_is_the_librarys_own(client: Client) -> None:
    """What comes back is an Answer whose quotes are slices of the document that comes back."""
    answer = client.ask(USERS, style="apa")
    assert isinstance(answer, Answer)
    citation = answer.citations[0]
    text = client.document(citation.document_id).text
    assert text[citation.location.start_char_index : citation.location.end_char_index] == citation.cited_text
    assert "(2024, April 6)" in answer.references[0].formatted


def test_a_stream_ends_with_the_answer(client: Client) -> None:
    """The events are typed, and the last one holds the whole."""
    told = list(client.stream(USERS))
    name, answer = told[-1]
    assert name == "answer.completed"
    assert isinstance(answer, Answer)
    assert "".join(data for kind, data in told if kind == "answer.delta") == answer.answer
    assert tuple(data for kind, data in told if kind == "citation.added") == answer.citations


def test_the_sources_can_be_read(client: Client) -> None:
    """Passages, documents, references, exports and the audit come back in their shapes."""
    assert len(client.search("new AI tigers", limit=2).passages) == 2
    assert [document.id for document in client.documents().documents] == ["damiani-2024"]
    assert len(client.references(style="mla").references) == 17
    assert client.export("ris").count("TY  -") == 17
    assert client.audit(document_id="damiani-2024").counts["missing-date"] == 1


def test_documents_are_added_and_removed(client: Client, tmp_path: Path) -> None:
    """Adding waits until the document can be asked, removing until it is gone."""
    note = tmp_path / "Der Anker.md"
    note.write_text("# The anchor\n\nThe anchor of the Halcyon weighs nine hundred pounds.\n", encoding="utf-8")
    report = client.add(note, collection="anchors")
    assert report.documents == 1
    [document] = client.documents(collection="anchors").documents
    assert "nine hundred" in client.document(document.id, collection="anchors").text
    assert client.rebuild(collection="anchors").unchanged
    assert client.remove(document.id, collection="anchors").documents == 0


def test_refusals_are_the_librarys_errors(client: Client, tmp_path: Path) -> None:
    """What the service refuses is raised as the error the library itself would raise."""
    with pytest.raises(InputError, match="visible"):
        client.ask(" ")
    with pytest.raises(NotFoundError, match="nowhere"):
        client.ask("who?", collection="nowhere")
    with pytest.raises(NotFoundError, match="nowhere"):
        list(client.stream("who?", collection="nowhere"))
    with pytest.raises(NotFoundError):
        client.document("a/../b?c#d")
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 nothing")
    with pytest.raises(DocumentError, match=r"broken\.pdf"):
        client.add(broken, collection="harbour")


def test_a_conversation_and_an_export(client: Client) -> None:
    """A question that leans on the one before is understood, and its answer comes as a file."""
    answer = client.ask("Who claimed that it attracted them?", history=[{"question": USERS}])
    assert (answer.asked, answer.question) == (
        "Who claimed that it attracted them?",
        "Who claimed that Ernie Bot attracted them?",
    )
    assert answer.question in client.export_answer(answer, "markdown").decode()
    assert client.export_answer(answer, "docx")[:2] == b"PK"


def test_a_key_goes_with_every_request(
    workspace: Workspace, tmp_path: Path, serve: Callable[[Workspace], AbstractContextManager[str]]
) -> None:
    """With a key the service answers, without one it says what is missing."""
    _, secret = Keys(tmp_path / "keys.sqlite").add("program")
    changes = {"keys": tmp_path / "keys.sqlite", "require_keys": "always"}
    with serve(Workspace(workspace.settings.model_copy(update=changes))) as address:
        with Client(address, key=secret) as known:
            assert known.documents().documents
        with Client(address) as stranger, pytest.raises(AdFontesError, match="API key"):
            stranger.documents()
