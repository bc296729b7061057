"""The same questions as tools for language models: a Model Context Protocol server, at /mcp and over stdio.

A tool returns what a model needs to answer with sources: short, numbered, verbatim. What goes wrong is told in the
words of the problem details. Knows no transport; `service.app` and `serve_stdio` give it one.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any, Literal, TypeVar

import anyio
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import ToolAnnotations
from pydantic import BaseModel, Field
from starlette.types import ASGIApp

from rag.errors import AdFontesError
from rag.types import Answer, Checked, Citation, Location, Passage, Status, Verdict
from rag.workspace import Workspace
from service import problems
from service.answering import Answering
from service.contract import (
    Audit,
    CollectionName,
    DocumentList,
    DocumentSummary,
    Limit,
    ReadableText,
    ReferenceList,
    Style,
)
from service.dependencies import Service
from service.jobs import Jobs
from service.metrics import Metrics
from service.routes.audit import problems_of
from service.routes.chat import compose
from service.routes.references import entries

T = TypeVar("T")
INSTRUCTIONS = (
    "Answers from a collection of articles, each sentence with the passage that carries it and, where the passage "
    "relays somebody, the bibliography entry behind it. Quote `cited_text` verbatim and name both hops: who says it, "
    "and in which document it is reported. When `status` is `found` no passage surely answers and the closest are "
    "quoted: say that. When it is `abstained` the sources do not answer: say so."
)
READING = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)


class Source(BaseModel):
    """What a number in an answer stands for."""

    number: int
    cited_text: str = Field(description="Verbatim from the document.")
    document_id: str
    location: Location
    attribution: str = Field(description="`own`: the document says it; `relayed`: it reports the references.")
    references: list[str] = Field(description="Formatted bibliography entries behind the passage.")
    problems: list[str] = Field(description="What is wrong with those entries.")


class Reply(BaseModel):
    """An answer, as short as it can be with its sources."""

    status: Status
    answer: str = Field(description="With numbers that stand for `sources`.")
    verdicts: list[Verdict] = Field(description="One a sentence.")
    sources: list[Source]
    nearest: list[str] = Field(description="When the sources do not answer: the passages that come nearest.")
    generation: str


class Held(BaseModel):
    """A sentence of a text that was held to the sources."""

    text: str
    verdict: Verdict | Literal["unchecked"]
    sources: list[int] = Field(description="Numbers of `sources` that carry it.")
    missing: list[str] = Field(description="Figures, names and quotations that the sources do not have.")


class Checks(BaseModel):
    """A text held to the sources, sentence by sentence."""

    sentences: list[Held]
    sources: list[Source]
    notices: list[str]


class Found(BaseModel):
    """Passages, best first."""

    passages: list[Passage]
    generation: str


class Tools:
    """The tools over one service."""

    def __init__(self, service: Callable[[], Service]) -> None:
        self._service = service

    async def ask(
        self, question: ReadableText, collection: CollectionName | None = None, style: Style | None = None
    ) -> Reply:
        """Answer a question from the sources, each sentence with the passage and the bibliography entry behind it."""
        service = self._service()

        async def ask() -> Reply:
            return _reply(await service.ask(service.workspace.asked(question), collection=collection, style=style))

        return await self._told(ask, question=True)

    async def verify(self, text: ReadableText, collection: CollectionName | None = None) -> Checks:
        """Hold each sentence of a text to the sources: its verdict, and the passages and entries that carry it."""
        service = self._service()

        async def check() -> Checks:
            return _checks(await service.check(text, collection=collection))

        return await self._told(check, question=True)

    async def search(self, query: ReadableText, collection: CollectionName | None = None, limit: Limit = 5) -> Found:
        """Find passages by meaning and by words, without wording an answer."""
        service = self._service()

        def work() -> Found:
            generation, passages = service.workspace.search(query, collection=collection, limit=limit)
            return Found(passages=passages, generation=generation.state.generation)

        return await self._work(work, question=True)

    async def get_passage(self, passage_id: str, collection: CollectionName | None = None) -> Found:
        """One passage again, by the identifier that `search` gave it."""

        def work() -> Found:
            generation = self._service().workspace.generation(collection)
            return Found(passages=[generation.passage(passage_id)], generation=generation.state.generation)

        return await self._work(work)

    async def list_documents(self, collection: CollectionName | None = None) -> DocumentList:
        """The documents of a collection."""

        def work() -> DocumentList:
            generation = self._service().workspace.generation(collection)
            found = [DocumentSummary.model_validate(document) for document in generation.documents()]
            return DocumentList(index=generation.state, documents=found)

        return await self._work(work)

    async def list_references(
        self, collection: CollectionName | None = None, document_id: str | None = None, style: Style | None = None
    ) -> ReferenceList:
        """The bibliography, each entry formatted, with its problems and how often the text cites it."""
        service = self._service()
        return await self._work(
            lambda: entries(service.workspace.generation(collection), service, document_id=document_id, style=style)
        )

    async def audit(self, collection: CollectionName | None = None, document_id: str | None = None) -> Audit:
        """What is wrong in the bibliography and the citations; "not found" never means "fake"."""
        return await self._work(lambda: problems_of(self._service().workspace.generation(collection), document_id))

    async def _work(self, work: Callable[[], T], *, question: bool = False) -> T:
        return await self._told(lambda: self._service().compute(work), question=question)

    async def _told(self, work: Callable[[], Awaitable[T]], *, question: bool) -> T:
        try:
            if question:
                self._service().charge()
            return await work()
        except (AdFontesError, TimeoutError) as error:
            raise ToolError(problems.of_error(error).detail) from error


def create_mcp(service: Callable[[], Service]) -> MCPServer[Any]:
    """An MCP server whose tools ask `service()`, which need not be there before the first call."""
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    server: MCPServer[Any] = MCPServer(
        "Ad Fontes", instructions=INSTRUCTIONS, version=version("adfontes"), log_level="WARNING"
    )
    root.level, root.handlers[:] = before  # the library sets up logging, which is the program's to do
    tools = Tools(service)
    for tool in (
        tools.ask,
        tools.verify,
        tools.search,
        tools.get_passage,
        tools.list_documents,
        tools.list_references,
        tools.audit,
    ):
        server.add_tool(tool, annotations=READING)
    return server


def over_http(service: Callable[[], Service]) -> tuple[MCPServer[Any], ASGIApp]:
    """The server and its application, which answers while the server's session manager runs."""
    server = create_mcp(service)
    # Without sessions and with plain JSON there is nothing to clean up after a client; the guard checks the host.
    unguarded = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    return server, server.streamable_http_app(json_response=True, stateless_http=True, transport_security=unguarded)


def serve_stdio(workspace: Workspace) -> None:
    """Speak MCP over standard input and output until the client leaves; logs go to standard error."""
    logging.basicConfig(level=logging.WARNING)
    service = Service(workspace, Jobs(), anyio.CapacityLimiter(2), Metrics(), Answering(workspace.settings))
    try:
        create_mcp(lambda: service).run("stdio")
    finally:
        service.jobs.close()


def _reply(answer: Answer) -> Reply:
    abstained = answer.status == "abstained"
    return Reply(
        status=answer.status,
        answer="".join(piece.text for piece in compose(answer, "")),
        verdicts=[sentence.verdict for sentence in answer.sentences],
        sources=[_source(answer, citation) for citation in answer.citations],
        nearest=[passage.text for passage in answer.passages[:3]] if abstained else [],
        generation=answer.index.generation,
    )


def _checks(checked: Checked) -> Checks:
    return Checks(
        sentences=[
            Held(
                text=checked.text[s.start : s.end].strip(),
                verdict=s.verdict,
                sources=[n + 1 for n in s.citations],
                missing=list(s.missing),
            )
            for s in checked.sentences
        ],
        sources=[_source(checked, citation) for citation in checked.citations],
        notices=list(checked.notices),
    )


def _source(answer: Answer | Checked, citation: Citation) -> Source:
    behind = [reference for reference in answer.references if reference.id in citation.reference_ids]
    return Source(
        number=citation.index + 1,
        cited_text=citation.cited_text,
        document_id=citation.document_id,
        location=citation.location,
        attribution=citation.attribution,
        references=[reference.formatted for reference in behind],
        problems=[problem.message for reference in behind for problem in reference.problems],
    )
