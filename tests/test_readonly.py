"""Folders that cannot be written: the service goes on serving, whoever changes something is told, all is kept."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from rag import store
from rag.errors import AdFontesError, IndexWriteError
from rag.workspace import Workspace
from service.app import create_app

_CAPABILITIES = 0x20080522
_OVERRIDE = 0b110
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, by which root writes where it may not."""


@contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """Nothing in `folder` can be written by this thread and those it starts, though they be root's."""
    modes = {p: p.stat().st_mode for p in (folder, *folder.rglob("*"))}
    for path in modes:
        path.chmod(0o555 if path.is_dir() else 0o444)
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES, 0)
    before = (ctypes.c_uint32 * 6)()
    if os.geteuid() == 0:
        assert libc.capget(header, before) == 0
        without = (ctypes.c_uint32 * 6)(*before)
        without[0] &= ~_OVERRIDE
        assert libc.capset(header, without) == 0
    try:
        with pytest.raises(PermissionError):
            (folder / "probe").touch()
        yield
    finally:
        if os.geteuid() == 0:
            assert libc.capset(header, before) == 0
        for path, mode in modes.items():
            path.chmod(mode)


def test_an_index_that_cannot_be_written_is_served(fresh: Workspace) -> None:
    """Questions are answered, a rebuild says what cannot be written and where, and the index stays as it is."""
    live = fresh.rebuild().generation
    (fresh.settings.corpus / "c/new.txt").write_text("The heron stands on one leg all day long.")
    folder = fresh.settings.index / "c"
    (folder / ".building-20260101T000000000-aaaaaa").mkdir()
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    with unwritable(fresh.settings.index):
        anew = Workspace(fresh.settings)
        with TestClient(create_app(anew), base_url="http://127.0.0.1") as client:
            deadline = time.monotonic() + 60
            while client.get("/readyz").status_code != 200:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            answer = client.post("/v1/ask", json={"question": "How many homes does the turbine power?"}).json()
            assert answer["status"] == "answered"
        with pytest.raises(IndexWriteError, match=r"index of collection 'c' cannot be written in .*/c"):
            anew.rebuild()
        with pytest.raises(IndexWriteError):
            anew.rollback(generation=live)
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
    assert fresh.rebuild().documents == 2


def test_sources_that_cannot_be_written_are_kept(fresh: Workspace) -> None:
    """What is to be added, attached or removed is refused with the folder's name; a rebuild needs no writing there."""
    live = fresh.rebuild().generation
    folder = fresh.settings.corpus / "c"
    before = {p: p.read_bytes() for p in folder.iterdir()}
    with unwritable(folder):
        for change in (
            lambda: fresh.add(None, "owls.txt", b"The Zemblan owl sleeps eleven hours a day."),
            lambda: fresh.add(None, "tides.md", b"Something else entirely.", overwrite=True),
            lambda: fresh.remove(None, "tides"),
        ):
            with pytest.raises(AdFontesError, match=str(folder)):
                change()
        assert fresh.rebuild().unchanged
        assert fresh.ask("How many homes does the turbine power?").status == "answered"
    assert {p: p.read_bytes() for p in folder.iterdir()} == before
    assert store.current(fresh.settings.index / "c") == live
