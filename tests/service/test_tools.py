"""The Model Context Protocol server, asked by the real client library, at /mcp and over stdio."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.from_thread import start_blocking_portal
from mcp import Client, StdioServerParameters

from rag.workspace import Workspace

USERS = "How many users had Ernie Bot attracted by April 2024?"
TOOLS = {"ask", "verify", "search", "get_passage", "list_documents", "list_references", "audit"}


def talk(server: Any, conversation: Callable[[Client], Awaitable[None]]) -> None:
    """Run a conversation with a server from its first word to its last."""

    async def run() -> None:
        with anyio.fail_after(120):
            async with Client(server) as client:
                await conversation(client)

    with start_blocking_portal() as portal:  # in a thread of its own, whatever runs in this one
        portal.call(run)


def test_the_tools_are_described(server: str) -> None:
    """Every tool says what it does, what it takes, and that it only reads."""

    async def conversation(client: Client) -> None:
        listed = (await client.list_tools()).tools
        assert {tool.name for tool in listed} == TOOLS
        for tool in listed:
            assert tool.description
            assert tool.output_schema
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint

    talk(f"{server}/mcp", conversation)


def test_a_question_comes_back_with_numbered_sources(server: str) -> None:
    """The answer's numbers stand for sources with verbatim quotes and the entries behind them."""

    async def conversation(client: Client) -> None:
        reply = (await client.call_tool("ask", {"question": USERS})).structured_content
        assert reply is not None
        assert reply["status"] == "answered"
        assert "[1]" in reply["answer"]
        source = reply["sources"][0]
        assert source["cited_text"] in reply["answer"]
        assert source["attribution"] == "relayed"
        assert "Deng" in source["references"][0]

    talk(f"{server}/mcp", conversation)


def test_what_the_sources_do_not_answer_is_said(server: str) -> None:
    """An unanswerable question comes back as abstained, with the nearest passages and no sources."""

    async def conversation(client: Client) -> None:
        reply = (
            await client.call_tool("ask", {"question": "What is the boiling point of nitrogen?"})
        ).structured_content
        assert reply is not None
        assert (reply["status"], reply["sources"]) == ("abstained", [])
        assert reply["nearest"]

    talk(f"{server}/mcp", conversation)


def test_passages_references_and_the_audit_can_be_read(server: str) -> None:
    """A passage found is the passage fetched; the bibliography and its problems are all there."""

    async def conversation(client: Client) -> None:
        found = (await client.call_tool("search", {"query": "four new AI tigers", "limit": 2})).structured_content
        assert found is not None
        assert len(found["passages"]) == 2
        first = found["passages"][0]
        fetched = (await client.call_tool("get_passage", {"passage_id": first["id"]})).structured_content
        assert fetched is not None
        assert [passage["text"] for passage in fetched["passages"]] == [first["text"]]
        references = (await client.call_tool("list_references", {})).structured_content
        assert references is not None
        assert len(references["references"]) == 17
        audit = (await client.call_tool("audit", {})).structured_content
        assert audit is not None
        assert audit["counts"]["missing-date"] == 1
        documents = (await client.call_tool("list_documents", {"collection": "harbour"})).structured_content
        assert documents is not None
        assert len(documents["documents"]) == 2

    talk(f"{server}/mcp", conversation)


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("ask", {"question": " "}, "visible"),
        ("ask", {"question": "why " * 600}, "2,000"),
        ("ask", {"question": "who?", "collection": "nowhere"}, "nowhere"),
        ("ask", {"question": "who?", "collection": "../etc"}, "pattern"),
        ("search", {"query": "tar", "limit": 0}, "greater than or equal to 1"),
        ("get_passage", {"passage_id": "nowhere"}, "nowhere"),
        ("audit", {"document_id": "nowhere"}, "nowhere"),
    ],
)
def test_bad_calls_are_told_in_words(server: str, tool: str, arguments: dict, words: str) -> None:
    """A refused call is an error of the tool, with words that a model can act on."""

    async def conversation(client: Client) -> None:
        result = await client.call_tool(tool, arguments)
        assert result.is_error
        assert words in result.content[0].text

    talk(f"{server}/mcp", conversation)


def test_the_same_tools_speak_over_stdio(workspace: Workspace) -> None:
    """A program that starts `adfontes mcp` gets the same answer over its pipes."""
    settings = workspace.settings
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "rag.cli", "mcp"],
        cwd=Path(__file__).parents[2],
        env={"ADFONTES_CORPUS": str(settings.corpus), "ADFONTES_INDEX": str(settings.index)},
    )

    async def conversation(client: Client) -> None:
        assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS
        reply = (await client.call_tool("ask", {"question": USERS})).structured_content
        assert reply is not None
        assert "200 million" in reply["answer"]

    talk(parameters, conversation)
