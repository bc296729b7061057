"""The language model's path: its words are held to the passages, and its failures cost an answer's prose, no more."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import pytest
from model_server import Reply, Server, said, serving

from rag.answer import LanguageModel, Options, ask
from rag.answer.question import read
from rag.answer.verify import verify
from rag.errors import InputError
from rag.types import Answer
from rag.workspace import Workspace

QUESTION = "How many users had Ernie Bot attracted by April 2024?"
TRUE = "Ernie Bot had attracted more than 200 million users."
Asker = Callable[..., Answer]


def passage_with(body: dict[str, Any], words: str) -> int:
    """The number under which the request quotes the passage that holds `words`."""
    quoted = re.findall(r"<<\w+ (\d+)>>\n(.*?)\n<<end", body["messages"][1]["content"], re.DOTALL)
    return next(int(number) for number, text in quoted if words in text)


@pytest.fixture
def asked(workspace: Workspace) -> Asker:
    """Ask the digest through a server."""

    def asking(
        server: Server | str, question: str = QUESTION, *, budget: float = 8.0, unsupported: bool = False, **more: Any
    ) -> Answer:
        address = server if isinstance(server, str) else server.address
        model = LanguageModel(address, "m", "secret-key", budget=budget)
        options = Options(judge=workspace.judge(), model=model, show_unsupported=unsupported)
        return ask(workspace.generation(), workspace.encoder(), question, options, **more)

    return asking


def test_what_the_model_says_is_verified_and_cited(asked: Asker) -> None:
    """A supported sentence stands in the answer with its verdict, its place and the entry behind it."""
    with serving(lambda body, _: said((TRUE, [passage_with(body, "200 million")]))) as server:
        answer = asked(server)
    assert (answer.generator, answer.status, answer.answer) == ("llm", "answered", TRUE)
    (sentence,) = answer.sentences
    assert sentence.verdict == "supported"
    citation = answer.citations[sentence.citations[0]]
    assert "200 million" in citation.cited_text
    assert citation.reference_ids == ("deng-2024",)
    assert answer.models["llm"] == "m"


def test_the_model_is_told_that_passages_are_data_and_held_to_a_schema(asked: Asker) -> None:
    """The request fences each passage with a mark drawn anew, asks for JSON by schema, and carries the key once."""
    with serving(lambda body, _: said((TRUE, [passage_with(body, "200 million")]))) as server:
        asked(server)
        asked(server)
    first, second = server.requests
    assert first["response_format"]["type"] == "json_schema"
    assert first["authorization"] == "Bearer secret-key"
    assert "secret-key" not in json.dumps(first["messages"])
    fences = [re.search(r"<<(\w+) 1>>", r["messages"][1]["content"]).group(1) for r in (first, second)]  # type: ignore[union-attr]
    assert fences[0] != fences[1]
    assert "quoted data" in first["messages"][0]["content"]


def test_a_wrong_passage_number_is_mended(asked: Asker) -> None:
    """A true sentence that names the wrong passage cites the right one, and the answer says so."""

    def wrong(body: dict[str, Any], _: int) -> Reply:
        right = passage_with(body, "200 million")
        return said((TRUE, [right % 3 + 1 if right % 3 + 1 != right else right + 1]))

    with serving(wrong) as server:
        answer = asked(server)
    assert "200 million" in answer.citations[answer.sentences[0].citations[0]].cited_text
    assert any("mended" in notice for notice in answer.notices)


@pytest.mark.parametrize(
    "untrue",
    [
        "Ernie Bot had attracted more than 900 million users.",
        "ChatGPT had attracted more than 200 million users.",
        "Ernie Bot had attracted more than 200 million users in Brazil.",
        "Ernie Bot had lost all of its users by June 2019.",
        "Li Yanhong said that “users love us more than anything else”.",
        "The moon is made of cheese.",
    ],
)
def test_what_the_passages_do_not_carry_is_left_out(asked: Asker, untrue: str) -> None:
    """Another number, name, date, quotation or claim than the cited text's is dropped beside what holds."""
    with serving(lambda body, _: said((untrue, [passage_with(body, "200 million")]), (TRUE, [1]))) as server:
        answer = asked(server)
    assert untrue not in answer.answer
    assert TRUE in answer.answer
    assert answer.status == "partial"
    assert any("left out" in notice for notice in answer.notices)


def test_unsupported_sentences_are_shown_marked_on_request(asked: Asker) -> None:
    """Whoever wants to see what the model made up sees it, marked and without a citation."""
    untrue = "Ernie Bot had attracted more than 900 million users."
    with serving(lambda body, _: said((TRUE, [passage_with(body, "200 million")]), (untrue, [1]))) as server:
        answer = asked(server, unsupported=True)
    marked = [s for s in answer.sentences if answer.answer[s.start : s.end] == untrue]
    assert [(s.verdict in {"unsupported", "contradicted"}, s.citations) for s in marked] == [(True, ())]
    assert answer.status == "partial"


def test_when_nothing_holds_the_answer_is_extractive(asked: Asker) -> None:
    """A model that only invents is not heard: the sources speak for themselves, and the notice says why."""
    with serving(lambda *_: said(("Ernie Bot is a fish.", [1]), ("It has 12 fins.", [2]))) as server:
        answer = asked(server)
    assert answer.generator == "extractive"
    assert "200 million" in answer.answer
    assert any("full support" in notice for notice in answer.notices)


def test_what_is_carried_in_part_stands_beside_what_is_carried_whole_or_not_at_all(asked: Asker) -> None:
    """A doubtful sentence alone gives way to the sources' own words; beside one that holds it is shown, marked."""
    doubtful = "Yes, China is ahead in generative AI at the moment."
    question = "Is China ahead in generative AI at the moment?"
    with serving(lambda *_: said((doubtful, [1, 2, 3]))) as server:
        alone = asked(server, question)
        shown = asked(server, question, unsupported=True)
    assert server.requests
    assert alone.generator == "extractive"
    assert doubtful not in alone.answer
    assert any("full support" in notice for notice in alone.notices)
    assert doubtful in shown.answer
    assert {s.verdict for s in shown.sentences} == {"partial"}


def test_a_word_of_the_question_that_no_passage_has_is_not_read_out_of_it(workspace: Workspace) -> None:
    """Who "supervised" is asked, a passage on a degree has the names: the claim does not pass."""
    question = "Which professor supervised Damiani's thesis in Venice?"
    claim = "Pietro Damiani supervised the article in Venice."
    _, passages = workspace.search(question, collection="china-generative-ai", limit=5, kinds=("text",))
    numbers = range(1, len(passages) + 1)
    alone = verify(claim, numbers, passages, workspace.judge())
    held_to = verify(claim, numbers, passages, workspace.judge(), read(question).content)
    assert (alone.verdict, held_to.verdict) == ("partial", "partial")


def test_what_the_sources_do_not_answer_is_not_the_models_to_say(asked: Asker) -> None:
    """An unanswerable question is declined before the model could invent an answer; it is not even asked."""
    with serving(lambda *_: said(("The capital of France is Paris.", [1]))) as server:
        answer = asked(server, "What is the capital of France?")
    assert answer.status == "abstained"
    assert not server.requests


def test_sentences_are_told_as_they_are_verified(asked: Asker) -> None:
    """The stream brings the first sentence, verified, before the model has finished its second."""
    told: list[tuple[float, str]] = []

    def slow(body: dict[str, Any], _: int) -> Reply:
        reply = said((TRUE, [passage_with(body, "200 million")]), ("Of them 85,000 were enterprise clients.", [1]))
        return Reply(reply.pieces, pause=0.1)

    with serving(slow) as server:
        answer = asked(server, on_event=lambda name, _: told.append((time.monotonic(), name)))
        ended = time.monotonic()
    first = next(at for at, name in told if name == "sentence.verified")
    assert ended - first > 0.3
    assert answer.generator == "llm"


def endless(body: dict[str, Any], _: int) -> Reply:
    """A reply that never comes to an end."""
    return Reply(cycle(["and so on "]))


def endless_json(body: dict[str, Any], _: int) -> Reply:
    """A reply that opens well and then repeats one sentence for ever."""
    one = json.dumps({"text": "It is said.", "passages": [1]})

    def pieces() -> Iterator[str]:
        yield '{"answerable": true, "sentences": ['
        while True:
            yield f"{one},"

    return Reply(pieces())


FAULTS: dict[str, Callable[[dict[str, Any], int], Reply]] = {
    "server error": lambda *_: Reply(status=500),
    "busy for good": lambda *_: Reply(status=429, headers={"Retry-After": "0.1"}),
    "busy for an hour": lambda *_: Reply(status=429, headers={"Retry-After": "3600"}),
    "wrong key": lambda *_: Reply(status=401),
    "no such model": lambda *_: Reply(status=404),
    "no JSON": lambda *_: Reply(["Sure! Here ", "is what I think."]),
    "half JSON": lambda *_: Reply(['{"answerable": true, "sentences": [{"text": "Ern']),
    "other JSON": lambda *_: Reply(['{"answer": 42}']),
    "no sentence": lambda *_: said(),
    "odd sentences": lambda *_: Reply(['{"answerable": true, "sentences": [1, null, {"text": 3}, {"text": ""}]}']),
    "no events": lambda *_: Reply(raw=b"<html>a proxy's page</html>"),
    "binary": lambda *_: Reply(raw=bytes(range(256))),
    "cut off": lambda *_: Reply(['{"answerable": true, "sen'], cut=True),
    "nothing": lambda *_: Reply([]),
    "refuses every format": lambda *_: Reply(status=400),
    "endless": endless,
    "endless repetition": endless_json,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failing_model_costs_only_its_prose(asked: Asker, fault: str) -> None:
    """Whatever the server does, the answer comes within the budget, from the sources, with a notice that says why."""
    started = time.monotonic()
    with serving(FAULTS[fault]) as server:
        answer = asked(server, budget=6.0)
    assert time.monotonic() - started < 12
    assert answer.generator == "extractive"
    assert "200 million" in answer.answer
    assert all(s.verdict == "supported" for s in answer.sentences)
    assert any("language model" in notice for notice in answer.notices)
    assert "secret-key" not in str(answer)


def test_a_dead_server_costs_only_its_prose(asked: Asker) -> None:
    """A port where nothing listens is found out at once."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        answer = asked(f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
    assert answer.generator == "extractive"
    assert any("cannot be reached" in notice for notice in answer.notices)


def test_a_silent_server_is_given_up_within_the_budget(asked: Asker) -> None:
    """One that takes the question and says nothing, or drips, is waited for no longer than was allowed."""
    for pieces, pause in ((["x"], 30.0), (cycle([" "]), 0.2)):
        started = time.monotonic()
        with serving(lambda *_, p=pieces, w=pause: Reply(p, pause=w)) as server:  # type: ignore[misc]
            answer = asked(server, budget=1.0)
        assert time.monotonic() - started < 6
        assert answer.generator == "extractive"


def test_a_passing_fault_is_tried_again(asked: Asker) -> None:
    """Busy once, broken once, then well: the third attempt's answer is the answer."""

    def recovers(body: dict[str, Any], number: int) -> Reply:
        good = said((TRUE, [passage_with(body, "200 million")]))
        return [Reply(status=429, headers={"Retry-After": "0"}), Reply(["not JSON"]), good][number]

    with serving(recovers) as server:
        answer = asked(server)
    assert (answer.generator, answer.answer, len(server.requests)) == ("llm", TRUE, 3)


def test_a_server_that_knows_no_schema_is_asked_for_json(asked: Asker) -> None:
    """A server that refuses JSON schemas is asked for any JSON, then for text; a bare list in a fence will do."""

    def old(body: dict[str, Any], _: int) -> Reply:
        if "response_format" in body:
            return Reply(status=400)
        listed = json.dumps([{"text": TRUE, "passages": [passage_with(body, "200 million")]}])
        return Reply(["```json\n", listed, "\n```"])

    with serving(old) as server:
        answer = asked(server)
    assert (answer.generator, answer.answer) == ("llm", TRUE)
    assert [r.get("response_format", {}).get("type") for r in server.requests] == ["json_schema", "json_object", None]


def test_breaking_off_keeps_what_was_verified(asked: Asker) -> None:
    """A stream that dies after a good sentence leaves that sentence and a notice."""

    def breaks(body: dict[str, Any], _: int) -> Reply:
        whole = "".join(said((TRUE, [passage_with(body, "200 million")]), ("And then", [1])).pieces)
        return Reply([whole[:-20], *cycle_some("x", 13_000)])

    with serving(breaks) as server:
        answer = asked(server)
    assert (answer.generator, answer.answer) == ("llm", TRUE)


def cycle_some(piece: str, times: int) -> list[str]:
    """A long tail in few pieces."""
    return [piece * 1000] * (times // 1000)


def test_the_settings_name_the_server(workspace: Workspace) -> None:
    """Without an address the generator `llm` is refused with the setting that it needs; its key is shown nowhere."""
    with pytest.raises(InputError, match="ADFONTES_LLM_URL"):
        workspace.ask(QUESTION, generator="llm")
    with serving(lambda body, _: said((TRUE, [passage_with(body, "200 million")]))) as server:
        settings = workspace.settings.model_copy(update={"llm_url": server.address, "generator": "llm"})
        answer = Workspace(settings).ask(QUESTION)
    assert answer.generator == "llm"
