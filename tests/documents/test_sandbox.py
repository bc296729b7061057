"""No file takes the service down: reading happens in a process with limits, and every failure has its reason."""

from __future__ import annotations

import io
import json
import time
import zipfile
from pathlib import Path

import make_documents as make
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag import wire
from rag.bounded import Worker
from rag.documents import read, read_isolated
from rag.errors import DocumentError, TransientError

TEXT = "Small Dams\n\nThey were built by farmers who needed water for a few dry weeks each year.\n"


def test_the_same_document_comes_back(tmp_path: Path) -> None:
    """What the child reads is what the parent would have read, from a path and from bytes, sidecar included."""
    path = tmp_path / "dams.txt"
    path.write_text(TEXT)
    known = {"title": "Dams", "authors": ["Ana Sousa"], "date": "2021-03"}
    assert read_isolated(path, known=known, document_id="d") == read(path, known=known, document_id="d")
    assert read_isolated(Path("other.txt"), data=TEXT.encode()) == read(Path("other.txt"), data=TEXT.encode())


def test_an_error_says_what_reading_said(tmp_path: Path) -> None:
    """A refusal crosses the pipe word for word, and a missing file is named."""
    with pytest.raises(DocumentError, match=r"empty\.txt: the file is empty"):
        read_isolated(Path("empty.txt"), data=b"")
    with pytest.raises(DocumentError, match=r"gone\.txt: cannot be opened"):
        read_isolated(tmp_path / "gone.txt")


def test_too_slow(tmp_path: Path) -> None:
    """A file that takes too long ends with that reason, soon after its time, and the next one is read."""
    path = tmp_path / "big.html"
    path.write_text("<html><body>" + "<p>Dams <b>hold</b> water.</p>" * 400_000)
    with Worker() as worker:
        read_isolated(Path("warm.txt"), data=TEXT.encode(), worker=worker)
        start = time.monotonic()
        with pytest.raises(TransientError, match=r"big\.html: (takes more than 0\.5 seconds|.* not done after)"):
            read_isolated(path, seconds=0.5, worker=worker)
        assert time.monotonic() - start < 5
        assert read_isolated(Path("next.txt"), data=TEXT.encode(), worker=worker).title == "Small Dams"


def test_too_hungry(tmp_path: Path) -> None:
    """A file that needs more memory than allowed ends with that reason, and the next one is read."""
    path = tmp_path / "big.txt"
    path.write_bytes(b"Dams hold water.\n\n" * 8_000_000)
    with Worker(memory_mb=400) as worker:
        with pytest.raises(TransientError, match=r"big\.txt: .*memory"):
            read_isolated(path, seconds=120, worker=worker)
        assert read_isolated(Path("next.txt"), data=TEXT.encode(), worker=worker).title == "Small Dams"
        assert worker.peak_mb < 400


def test_too_large(tmp_path: Path) -> None:
    """A file above the size limit is refused before anything reads it."""
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.truncate(3 << 20)
    with pytest.raises(DocumentError, match=r"huge\.txt: has 3 MiB, more than the 2 allowed"):
        read_isolated(path, max_bytes=2 << 20)


def bomb(member: str, size: int) -> bytes:
    """A zip package one member of which unpacks to `size` zeros."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open(member, "w", force_zip64=True) as file:
            for _ in range(size >> 20):
                file.write(b"\0" * (1 << 20))
    return out.getvalue()


def lying(data: bytes) -> bytes:
    """The same package with every unpacked size in its directory set to 100."""
    place = data.rfind(b"PK\x01\x02")
    while place >= 0:
        data = data[: place + 24] + (100).to_bytes(4, "little") + data[place + 28 :]
        place = data.rfind(b"PK\x01\x02", 0, place)
    return data


@pytest.mark.parametrize("name", ["word/document.xml", "xl/workbook.xml", "ppt/presentation.xml"])
def test_zip_bombs(name: str) -> None:
    """A package that unpacks to a thousand times its size is refused, whether its directory admits it or lies."""
    data = bomb(name, 300 << 20)
    with pytest.raises(DocumentError, match="zip bomb"):
        read_isolated(Path("bomb.docx"), data=data)
    with pytest.raises(DocumentError, match=r"bomb\.docx"):
        read_isolated(Path("bomb.docx"), data=lying(data))


LAUGHS = (
    "<?xml version='1.0'?><!DOCTYPE article [<!ENTITY a 'haha'>"
    + "".join(f"<!ENTITY {chr(98 + i)} '{f'&{chr(97 + i)};' * 10}'>" for i in range(12))
    + "]><article article-type='x'><front><article-meta><title-group><article-title>Dams &m;</article-title>"
    "</title-group></article-meta></front><body><p>Water.</p></body></article>"
)
OUTSIDE = (
    "<?xml version='1.0'?><!DOCTYPE article [<!ENTITY f SYSTEM 'file:///etc/hostname'>]><article article-type='x'>"
    "<front><article-meta><title-group><article-title>Dams</article-title></title-group></article-meta></front>"
    "<body><p>Host: [&f;]</p></body></article>"
)


def test_xml_entities_stay_closed() -> None:
    """Entities neither multiply a document nor bring another file into it."""
    assert len(read_isolated(Path("laughs.xml"), data=LAUGHS.encode()).text) < 1000
    assert "Host: []" in read_isolated(Path("outside.xml"), data=OUTSIDE.encode()).text


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("deep.html", b"<div>" * 50_000 + b"Dams"),
        ("deep.xml", b"<article article-type='x'><body>" + b"<sec>" * 50_000),
        ("deep.md", b"> " * 20_000 + b"Dams"),
        ("brackets.md", b"[" * 50_000),
        ("braces.tex", b"\\documentclass{a}\\begin{document}" + b"{" * 20_000),
        ("deep.rtf", b"{\\rtf1" + b"{" * 50_000),
        ("line.txt", b"dams " * 400_000),
        ("numbers.txt", b"1 " * 100_000),
        ("spaces.txt", b"a" + b" " * 2_000_000 + b"b"),
        ("names.txt", b"By " + b"Ana and " * 20_000),
        ("marks.txt", "字".encode() * 300_000),
    ],
)
def test_hostile_shapes_end_in_time(name: str, data: bytes) -> None:
    """Deep nesting and endless lines end in a document or in a reason, in seconds."""
    start = time.monotonic()
    try:
        assert read_isolated(Path(name), data=data, seconds=20).source == name
    except DocumentError as error:
        assert name in str(error)  # noqa: PT017
        assert not isinstance(error, TransientError)  # noqa: PT017
    assert time.monotonic() - start < 20


def samples() -> dict[str, bytes]:
    """One sound file of each packed format."""
    return {
        "a.pdf": make.pdf([[(60, 700, 10, "Dams hold water.", False)]]),
        "a.docx": make.docx(make.paragraph("Dams hold water.")),
        "a.odt": make.odt("<text:p>Dams hold water.</text:p>"),
        "a.epub": make.epub({"c.xhtml": "<p>Dams hold water.</p>"}, ""),
        "a.pptx": make.pptx([make.shape("title", "Dams")]),
        "a.xlsx": make.xlsx("Dams", [["hold", "water"]]),
        "a.rtf": rb"{\rtf1\ansi Dams hold water.\par}",
    }


SAMPLES = samples()


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_damaged_files_are_read_or_refused(name: str, data: st.DataObject) -> None:
    """Cut off or with bytes changed, a file of any format is read or refused with its name, never worse."""
    sound = SAMPLES[name]
    kept = sound[: data.draw(st.integers(1, len(sound)))]
    place = data.draw(st.integers(0, len(kept) - 1))
    damaged = kept[:place] + data.draw(st.binary(max_size=8)) + kept[place + data.draw(st.integers(0, 8)) :]
    try:
        read_isolated(Path(name), data=damaged)
    except DocumentError as error:
        assert name in str(error)  # noqa: PT017
        assert "please report" not in str(error), damaged  # noqa: PT017


def test_json_gives_the_document_back() -> None:
    """A document crosses the pipe whole; spans outside the text and strange kinds are not believed."""
    found = read(Path("dams.pdf"), data=SAMPLES["a.pdf"])
    said = json.loads(json.dumps(wire.of_document(found)))
    assert wire.document(said) == found
    for key, value in [
        ("text", 7),
        ("sections", [{"title": "a", "level": 1, "kind": "body", "start": 0, "body_start": 0, "end": 10_000}]),
        ("sections", [{"title": "a", "level": 1, "kind": "secret", "start": 0, "body_start": 0, "end": 1}]),
        ("pages", [{"number": 1, "start": 3, "end": 1}]),
        ("authors", ["Ana"]),
        ("problems", [{"kind": "a", "message": "b", "severity": "dire"}]),
    ]:
        with pytest.raises(ValueError, match=r"not a|outside|unknown"):
            wire.document(said | {key: value})


def test_a_reading_process_may_not_reach_out(tmp_path: Path) -> None:
    """The child opens no connection, starts no program and writes no file."""
    import subprocess
    import sys

    for attempt in [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        f"open({str(tmp_path / 'x')!r}, 'w')",
    ]:
        code = f"import sys; from rag.bounded.child import lock; lock(1024); {attempt}"
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "PermissionError: a process at work on a file may not" in ran.stderr
    assert not list(tmp_path.iterdir())
