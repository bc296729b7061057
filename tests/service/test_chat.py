"""/v1/chat/completions and /v1/models, asked by the client that people use."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest

USERS = "How many users had Ernie Bot attracted by April 2024?"
NOBODY = "What is the boiling point of nitrogen?"


@pytest.fixture(scope="module")
def client(server: str) -> Iterator[openai.OpenAI]:
    """The real client, as its users make it."""
    with openai.OpenAI(base_url=f"{server}/v1", api_key="none needed", max_retries=0) as opened:
        yield opened


def test_a_question_is_answered_with_numbers_that_lead_to_the_page(client: openai.OpenAI, server: str) -> None:
    """The text bears numbers, and each number has an annotation whose address is a passage on the page."""
    reply = client.chat.completions.create(model="adfontes", messages=[{"role": "user", "content": USERS}])
    message = reply.choices[0].message
    assert message.content is not None
    assert "200 million" in message.content
    assert message.annotations
    for annotation in message.annotations:
        where = annotation.url_citation
        assert message.content[where.start_index : where.end_index].strip("[]").isdigit()
        assert where.url.startswith(f"{server}/?collection=china-generative-ai#document/damiani-2024/")
        assert "Deng" in where.title
    assert "\n[1] " in message.content


def test_the_whole_answer_comes_along(client: openai.OpenAI) -> None:
    """The extra field holds the answer object with its citations."""
    reply = client.chat.completions.create(model="adfontes", messages=[{"role": "user", "content": USERS}])
    whole = reply.model_dump()["adfontes"]
    assert whole["object"] == "answer"
    assert whole["citations"][0]["cited_text"] in whole["answer"]


def test_a_stream_makes_the_same_text(client: openai.OpenAI) -> None:
    """The pieces of a stream are the answer, its annotations are the same, and the usage comes when asked for."""
    messages = [{"role": "user", "content": USERS}]
    whole = client.chat.completions.create(model="adfontes", messages=messages).choices[0].message
    options = {"include_usage": True}
    chunks = list(
        client.chat.completions.create(model="adfontes", messages=messages, stream=True, stream_options=options)
    )
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == whole.content
    noted = [note for delta in deltas for note in delta.model_dump().get("annotations") or []]
    assert noted == [annotation.model_dump() for annotation in whole.annotations or []]
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None


def test_what_the_sources_do_not_answer_is_said(client: openai.OpenAI) -> None:
    """An unanswerable question gets a plain sentence without numbers."""
    reply = client.chat.completions.create(model="adfontes", messages=[{"role": "user", "content": NOBODY}])
    assert "[1]" not in (reply.choices[0].message.content or "")
    assert reply.model_dump()["adfontes"]["status"] == "abstained"


def test_the_last_message_of_the_user_is_asked(client: openai.OpenAI) -> None:
    """A conversation is answered at its end, in whatever form the content comes and whatever sampling is asked for."""
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": NOBODY},
        {"role": "assistant", "content": "The sources do not answer this."},
        {"role": "user", "content": [{"type": "text", "text": USERS}]},
    ]
    reply = client.chat.completions.create(model="adfontes", messages=messages, temperature=0, max_tokens=5, seed=1)
    assert "200 million" in (reply.choices[0].message.content or "")


def test_collections_are_models(client: openai.OpenAI) -> None:
    """Each collection is listed as a model and answers under that name."""
    names = [model.id for model in client.models.list()]
    assert {"adfontes", "adfontes/china-generative-ai", "adfontes/harbour"} <= set(names)
    assert client.models.retrieve("adfontes/harbour").id == "adfontes/harbour"
    question = [{"role": "user", "content": "Who keeps the old lighthouse?"}]
    reply = client.chat.completions.create(model="adfontes/harbour", messages=question)
    assert "Tamsin Vale" in (reply.choices[0].message.content or "")


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"model": "adfontes/nowhere"}, openai.NotFoundError),
        ({"model": "gpt-4o"}, openai.UnprocessableEntityError),
        ({"model": "adfontes/../../etc"}, openai.UnprocessableEntityError),
        ({"messages": []}, openai.UnprocessableEntityError),
        ({"messages": [{"role": "system", "content": "hello"}]}, openai.UnprocessableEntityError),
        ({"messages": [{"role": "user", "content": "  "}]}, openai.UnprocessableEntityError),
        ({"messages": [{"role": "user", "content": "a\0b"}]}, openai.UnprocessableEntityError),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, openai.UnprocessableEntityError),
        ({"n": 2}, openai.UnprocessableEntityError),
    ],
)
def test_bad_requests_are_errors_that_the_client_knows(
    client: openai.OpenAI, request_: dict, error: type[openai.APIStatusError]
) -> None:
    """A refusal reaches the client as the exception its status stands for, with our words in it."""
    with pytest.raises(error) as raised:
        client.chat.completions.create(
            **{"model": "adfontes", "messages": [{"role": "user", "content": USERS}], **request_}
        )
    assert raised.value.response.headers["content-type"] == "application/problem+json"


def test_a_question_that_leans_on_the_conversation_is_understood(client: openai.OpenAI) -> None:
    """The messages before are what it leans on; what was understood is told in the text and in the whole answer."""
    messages = [
        {"role": "user", "content": USERS},
        {"role": "assistant", "content": "More than 200 million.\n\n[1] Damiani (2024)"},
        {"role": "user", "content": "Who claimed that it attracted them?"},
    ]
    reply = client.chat.completions.create(model="adfontes", messages=messages)
    content = reply.choices[0].message.content or ""
    assert "Li Yanhong" in content
    assert "(Understood as: Who claimed that Ernie Bot attracted them?)" in content
    assert reply.model_dump()["adfontes"]["question"] == "Who claimed that Ernie Bot attracted them?"
