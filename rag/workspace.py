"""The folders, models and settings that a program works with, opened once and handed to whoever asks.

The command line and the service stand on this door; it holds no logic of its own beyond keeping the live generation
open and following the swap when a rebuild publishes a new one.
"""

from __future__ import annotations

import ctypes
import logging
import os
import re
import tempfile
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rag import answer, asked, build, encoder, examine, retrieve, store
from rag.answer import check
from rag.build import Incoming
from rag.encoder import Encoder, Reranker, SparseEncoder
from rag.encoder.judge import Judge
from rag.errors import DocumentError, IndexDamagedError, IndexMissingError, InputError, NotFoundError
from rag.settings import Settings
from rag.store import Generation, GenerationInfo
from rag.types import Answer, BuildReport, Checked, Document, Passage, Progress

if TYPE_CHECKING:  # what fetches takes a twentieth of a cold start, and few commands fetch
    from rag import harvest
    from rag.fetch import Fetcher

log = logging.getLogger("adfontes.workspace")

_T = TypeVar("_T")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Workspace:
    """Collections, the models and the settings. Readers may share it between threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._loading = {name: threading.Lock() for name in ("encoder", "sparse", "judge")}
        self._open: dict[str, tuple[str, Generation]] = {}
        """By collection the live generation and the one that is open: the same, unless the live one is damaged."""
        self._damaged: dict[str, str] = {}
        self._allowed: Callable[[], Collection[str] | None] = lambda: None

    def confined(self, allowed: Callable[[], Collection[str] | None]) -> Workspace:
        """The same workspace for callers who see only the collections that `allowed` names when asked; None is all.

        To them the others do not exist, and the default collection is one of their own.
        """
        other = copy(self)
        other._allowed = allowed  # noqa: SLF001
        return other

    def collections(self) -> list[str]:
        """The names of all collections that have sources or an index."""
        found: set[str] = set()
        for folder in (self.settings.corpus, self.settings.index):
            if folder.is_dir():
                found.update(p.name for p in folder.iterdir() if p.is_dir() and _NAME.fullmatch(p.name))
        allowed = self._allowed()
        return sorted(found if allowed is None else found.intersection(allowed))

    def generation(self, collection: str | None = None) -> Generation:
        """The live generation, opened and verified once and again after each swap.

        Raises NotFoundError for a collection that does not exist, IndexMissingError for one never built,
        IndexDamagedError when its files are not what was written.
        """
        folder = self._index(collection)
        live = store.current(folder)
        if live is None:
            if not self._corpus(collection).is_dir():
                known = ", ".join(self.collections()) or "none yet"
                raise NotFoundError(f"there is no collection {folder.name!r}; there are: {known}")
            raise IndexMissingError(f"collection {folder.name!r} has no index yet; build it with `adfontes rebuild`")
        with self._lock:
            wanted, opened = self._open.get(folder.name, (None, None))
            if opened is None or wanted != live:
                opened = self._opened(folder, live)
                self._open[folder.name] = (live, opened)
            return opened

    def damaged(self) -> dict[str, str]:
        """The collections whose live generation is not what was written, with the reason.

        They are answered from the newest earlier generation that is whole, until a rebuild publishes another.
        """
        allowed = self._allowed()
        with self._lock:
            seen = [(n, why) for n, why in self._damaged.items() if allowed is None or n in allowed]
            answering = {n: f"; answering from generation {o.state.generation!r}" for n, (_, o) in self._open.items()}
            return {name: f"{why}{answering.get(name, '')}" for name, why in seen}

    def damage(self) -> list[tuple[str, str, str]]:
        """What another process must know to `distrust` the same: collection, its live generation, what is wrong."""
        with self._lock:
            return [(name, self._open[name][0], why) for name, why in self._damaged.items()]

    def distrust(self, collection: str, generation: str, why: str) -> None:
        """Answer from an earlier generation, for another process came upon damage in this one, if it is still live."""
        folder = self._index(collection)
        with self._lock, suppress(IndexDamagedError):
            live, opened = self._open.get(folder.name, (store.current(folder), None))
            if live == generation and (opened is None or opened.state.generation == live):
                self._open[folder.name] = (live, self._earlier(folder, live, IndexDamagedError(why)))

    def _opened(self, folder: Path, live: str) -> Generation:
        self._damaged.pop(folder.name, None)
        try:
            return Generation.open(folder, live)
        except IndexDamagedError as error:
            return self._earlier(folder, live, error)

    def _earlier(self, folder: Path, live: str, error: IndexDamagedError) -> Generation:
        """The newest generation that is whole, besides the live one; raises `error` where there is none."""
        for earlier in store.generations(folder):
            if earlier.id == live:
                continue
            with suppress(IndexDamagedError):
                whole = Generation.open(folder, earlier.id)
                self._damaged[folder.name] = str(error)
                log.error("collection %r: %s; answering from generation %r", folder.name, error, earlier.id)
                return whole
        raise error

    def _from_whole(self, collection: str | None, work: Callable[[Generation], _T]) -> _T:
        """What `work` makes of the live generation, or of an earlier one where it comes upon damage."""
        generation = self.generation(collection)
        try:
            return work(generation)
        except IndexDamagedError as error:
            folder = self._index(collection)
            with self._lock:
                live, opened = self._open.get(folder.name, ("", generation))
                if opened is generation:
                    opened = self._earlier(folder, generation.state.generation, error)
                    self._open[folder.name] = (live, opened)
            return work(opened)

    def encoder(self) -> Encoder:
        """The encoder the settings name, loaded once."""
        with self._loading["encoder"]:
            return encoder.load(self.settings.encoder, self.settings.threads, self.exports)

    @property
    def exports(self) -> Path:
        """Where encoders are kept in the form that starts at once; shared by all collections."""
        return self.settings.models or self.settings.index / ".models"

    def sparse(self) -> SparseEncoder | None:
        """What weighs the terms of texts, loaded once; None when it is turned off."""
        with self._loading["sparse"]:
            return encoder.load_sparse(self.settings.threads) if self.settings.sparse == "packaged" else None

    def judge(self) -> Judge | None:
        """The judge the settings name, loaded once; None when it is turned off."""
        with self._loading["judge"]:
            return _judge(self.settings.judge, self.settings.threads)

    def reranker(self) -> Reranker | None:
        """The re-ranker the settings name, loaded once; None when there is none. Raises ModelError, InputError."""
        with self._loading["judge"]:
            name = self.settings.reranker
            if name == "llm":
                return _ordering(self._server("reranker", self.settings.reranker_timeout))
            return None if name == "none" else encoder.load_reranker(name, self.settings.threads)

    def sweep(self) -> None:
        """Clear away what killed processes left in the index."""
        for name in self.collections():
            build.sweep(self._corpus(name), self._index(name))

    def warm(self) -> None:
        """Load the models, so that the first question does not wait for them."""
        for model in (self.encoder(), self.sparse()):
            if model is not None:
                model.encode_question("ready")
        answer.warm(self.judge())
        _give_back()

    def preload(self) -> None:
        """Begin to load the models while the caller does something else; what goes wrong is told to who needs them."""

        def load(model: Callable[[], object]) -> None:
            with suppress(Exception):  # also a program that ends meanwhile, under which nothing more can be imported
                model()

        for model in (self.encoder, self.sparse, self.judge):
            threading.Thread(target=load, args=(model,)).start()

    def search(
        self,
        query: str,
        *,
        collection: str | None = None,
        limit: int = 10,
        filters: Mapping[str, Any] | None = None,
        kinds: Sequence[str] | None = None,
        embedded: retrieve.Embedded | None = None,
    ) -> tuple[Generation, list[Passage]]:
        """The passages nearest to a query, of all chunk kinds or of some, and the generation they are from.

        `embedded` is the query where `embed` has made it already, with others. Raises what `generation` does, and
        InputError for a bad query.
        """
        query = self.asked(query)

        def found(generation: Generation) -> tuple[Generation, list[Passage]]:
            passages = retrieve.search(
                generation,
                self.encoder(),
                query,
                embedded=embedded,
                limit=limit,
                dense_weight=self.settings.dense_weight,
                filters=retrieve.Filters.of(filters),
                kinds=kinds,
                sparse=self.sparse(),
                reranker=self.reranker(),
            )
            return generation, passages

        return self._from_whole(collection, found)

    def embed(self, questions: Sequence[str]) -> list[retrieve.Embedded]:
        """Questions as the encoders read them, in one run: for searches that come together."""
        return retrieve.embed(self.encoder(), self.sparse(), questions)

    def ask(
        self,
        question: str,
        *,
        collection: str | None = None,
        limit: int | None = None,
        filters: Mapping[str, Any] | None = None,
        style: str | None = None,
        generator: str | None = None,
        show_unsupported: bool = False,
        threshold: float | None = None,
        earlier: Sequence[answer.Turn] = (),
        of: Generation | None = None,
        on_event: Callable[[str, Any], None] | None = None,
    ) -> Answer:
        """Answer a question from one generation, from the first step to the last.

        A question that leans on the ones before it (`earlier`, oldest first) is made to stand alone; the answer tells.
        `of` names the generation where it is not to be the live one. `threshold` is the least probability for an
        answer; left out, the generator's own.

        `on_event` is told of `retrieval.completed` (passages), `answer.delta` (str), `citation.added` (Citation) and
        `sentence.verified` (Sentence) as they come. Raises what `generation` does, and InputError for a bad question.
        """
        typed = self.asked(question)
        model = self._model(generator or self.settings.generator)
        understood = answer.stand_alone(typed, self.earlier(earlier))

        def answered(generation: Generation) -> Answer:
            return answer.ask(
                generation,
                self.encoder(),
                understood,
                answer.Options(
                    limit=limit or self.settings.passages,
                    dense_weight=self.settings.dense_weight,
                    style=style or self.settings.citation_style,
                    filters=retrieve.Filters.of(filters),
                    judge=self.judge(),
                    sparse=self.sparse(),
                    reranker=self.reranker(),
                    model=model,
                    show_unsupported=show_unsupported,
                    threshold=threshold,
                ),
                on_event=on_event,
            )

        found = answered(of) if of is not None else self._from_whole(collection, answered)
        return found if understood == typed else replace(found, asked=typed)

    def check(
        self,
        text: str,
        *,
        passages: Sequence[str] | None = None,
        collection: str | None = None,
        filters: Mapping[str, Any] | None = None,
        style: str | None = None,
        on_event: Callable[[str, Any], None] | None = None,
    ) -> Checked:
        """Hold each sentence of a text to the passages given or, without them, to one generation of a collection.

        `on_event` is told of `citation.added` (Citation) and `sentence.checked` (CheckedSentence) as they come. Raises
        what `generation` does, and InputError for a text or passages that are too long or empty.
        """
        style = style or self.settings.citation_style
        if passages is not None:
            return check.against_passages(text, passages, self.judge(), style=style, on_event=on_event)

        def found(generation: Generation) -> Checked:
            options = retrieve.Filters.of(filters)
            encoder, sparse = self.encoder(), self.sparse()

            def search(claim: str) -> list[Passage]:
                return retrieve.search(
                    generation,
                    encoder,
                    claim,
                    limit=check.READ,
                    dense_weight=self.settings.dense_weight,
                    filters=options,
                    kinds=("text",),
                    sparse=sparse,
                )

            return check.against_collection(text, generation, search, self.judge(), style=style, on_event=on_event)

        return self._from_whole(collection, found)

    def _model(self, generator: str) -> answer.LanguageModel | None:
        """The language model that `generator` names. Raises InputError for one that is not there."""
        if generator == "extractive":
            return None
        if generator != "llm":
            raise InputError(f"generator {generator!r} is not known; there are 'extractive' and 'llm'")
        return self._server("generator", self.settings.llm_timeout, "use 'extractive'")

    def _server(self, setting: str, budget: float, instead: str = "use 'none'") -> answer.LanguageModel:
        """The language model at `llm_url`. Raises InputError when there is none."""
        if not self.settings.llm_url:
            raise InputError(f"{setting} 'llm' needs a server: set ADFONTES_LLM_URL, or {instead}")
        return answer.LanguageModel(
            self.settings.llm_url, self.settings.llm_model, self.settings.llm_key.get_secret_value(), budget=budget
        )

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────

    def plan(
        self,
        collection: str | None = None,
        *,
        progress: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> build.Plan:
        """What `rag.build` needs to know to work on a collection."""
        name = self.settings.encoder
        return build.Plan(
            corpus=self._corpus(collection),
            index=self._index(collection),
            load_encoder=self.encoder,
            encoder_fingerprint=encoder.fingerprint(name, self.exports) or self.encoder().fingerprint,
            load_sparse=self.sparse,
            sparse_fingerprint=encoder.sparse_fingerprint() if self.settings.sparse == "packaged" else None,
            follow_links=self.settings.follow_links,
            chunk_tokens=self.settings.chunk_tokens,
            keep_generations=self.settings.keep_generations,
            vectors=self.settings.index / ".vectors",
            vector_memory=self.settings.vector_memory_mb << 20,
            workers=max(1, (os.cpu_count() or 1) // self.settings.threads),
            accepted=lambda made: examine.examine(self._corpus(collection), made, lambda q: self.ask(q, of=made)),
            progress=progress or (lambda _: None),
            cancelled=cancelled or (lambda: False),
        )

    def rebuild(
        self,
        collection: str | None = None,
        *,
        progress: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        force: bool = False,
    ) -> BuildReport:
        """Bring a collection's index up to its sources; see `rag.build.rebuild`."""
        return build.rebuild(self.plan(collection, progress=progress, cancelled=cancelled), force=force)

    def index_documents(
        self,
        documents: Sequence[Document],
        collection: str | None = None,
        *,
        progress: Callable[[Progress], None] | None = None,
    ) -> BuildReport:
        """Index documents that are read already, as evaluation sets have them; see `rag.build.index`."""
        return build.index(self.plan(collection, progress=progress), documents)

    def add(
        self,
        collection: str | None,
        name: str,
        content: Path | bytes,
        *,
        reference: str | None = None,
        overwrite: bool = False,
        progress: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> BuildReport:
        """Put one source into a collection and rebuild. Raises DocumentError, with the reason, when it is refused."""
        plan = self.plan(collection, progress=progress, cancelled=cancelled)
        report, reasons = build.add(plan, [Incoming(name, content, reference)], overwrite=overwrite)
        if report is None:
            raise DocumentError(reasons[0])
        return report

    def add_all(
        self,
        files: Sequence[Incoming],
        *,
        collection: str | None = None,
        overwrite: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> tuple[BuildReport | None, list[str]]:
        """Put many sources into a collection and rebuild once; see `rag.build.add`."""
        return build.add(self.plan(collection, progress=progress), files, overwrite=overwrite)

    def fetcher(self) -> Fetcher:
        """What fetches addresses, as the settings say."""
        from rag.fetch import Fetcher, Limits

        settings = self.settings
        contact = "".join(c for c in settings.fetch_contact if c.isascii() and c.isprintable() and c not in "()")
        return Fetcher(
            f"adfontes/{_version()}" + (f" (+{contact})" if contact else ""),
            limits=Limits(max_bytes=settings.max_upload_mb << 20, seconds=settings.fetch_seconds),
            loopback=settings.fetch_loopback,
        )

    def fetch(self, collection: str | None, address: str, folder: Path, *, reference: str | None = None) -> Incoming:
        """Fetch one address into `folder`, as a source that `add_all` takes. Raises FetchError."""
        from rag import harvest

        return harvest.fetch_one(self.fetcher(), address, folder, self._corpus(collection), reference=reference)

    def add_address(
        self,
        collection: str | None,
        address: str,
        *,
        reference: str | None = None,
        overwrite: bool = False,
        progress: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> BuildReport:
        """Fetch one address into a collection and rebuild. Raises FetchError or DocumentError when it is refused."""
        plan = self.plan(collection, progress=progress, cancelled=cancelled)
        plan.progress(Progress("fetching", 0, 1))
        with tempfile.TemporaryDirectory(prefix="adfontes-") as folder:
            incoming = self.fetch(collection, address, Path(folder), reference=reference)
            report, reasons = build.add(plan, [incoming], overwrite=overwrite)
        if report is None:
            raise DocumentError(reasons[0])
        return report

    def fetch_sources(
        self,
        collection: str | None = None,
        *,
        only: Sequence[str] | None = None,
        refresh: bool = False,
        retry: bool = False,
        told: Callable[[harvest.Outcome], None] = lambda _: None,
        progress: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> harvest.Harvest:
        """Try to have a copy of every work that a collection's bibliographies list; see `rag.harvest.harvest`."""
        from rag import harvest

        return harvest.harvest(
            self.plan(collection, progress=progress, cancelled=cancelled),
            self.fetcher(),
            only=only,
            refresh=refresh,
            retry=retry,
            pause=self.settings.fetch_pause,
            told=told,
        )

    def fetched(self, collection: str | None = None) -> list[harvest.Outcome]:
        """What came of each entry of a collection's bibliographies when it was last tried."""
        from rag import harvest

        return harvest.outcomes(self._index(collection))

    def remove(self, collection: str | None, document_id: str) -> BuildReport:
        """Take a document out of a collection and rebuild; see `rag.build.remove`."""
        return build.remove(self.plan(collection), document_id)

    def original(self, collection: str | None, document: Document) -> Path:
        """The file that a document was read from. Raises NotFoundError when it is no longer there."""
        corpus = self._corpus(collection)
        path = corpus / document.source
        where = os.path.normpath if self.settings.follow_links else os.path.realpath
        if not Path(where(path)).is_relative_to(where(corpus)) or not path.is_file():
            raise NotFoundError(f"the file {document.source!r} is no longer in the collection")
        return path

    def attach(self, collection: str | None, document_id: str, reference_id: str | None) -> BuildReport:
        """Say which bibliography entry a document is and rebuild; see `rag.build.attach`."""
        return build.attach(self.plan(collection), document_id, reference_id)

    def generations(self, collection: str | None = None) -> list[GenerationInfo]:
        """All generations of a collection, newest first. Raises NotFoundError."""
        folder = self._index(collection)
        if not folder.is_dir() and not self._corpus(collection).is_dir():
            raise NotFoundError(
                f"there is no collection {folder.name!r}; there are: {', '.join(self.collections()) or 'none yet'}"
            )
        return store.generations(folder)

    def rollback(self, collection: str | None = None, generation: str | None = None) -> GenerationInfo:
        """Make an older generation live: the named one, or the newest before the live one.

        Raises NotFoundError, IndexDamagedError for one that is not whole, BusyError, IndexWriteError.
        """
        folder = self._index(collection)
        listed = self.generations(collection)
        if generation is None:
            live = next((i for i, g in enumerate(listed) if g.current), -1)
            if live + 1 >= len(listed):
                raise NotFoundError(f"collection {folder.name!r} has no generation before the live one")
            generation = listed[live + 1].id
        self._check_generation(listed, folder, generation)
        with build.writing(self._corpus(collection), folder):
            store.verify(folder, generation)
            store.publish(folder, generation)
        return next(g for g in store.generations(folder) if g.current)

    def verify(self, collection: str | None = None, generation: str | None = None) -> dict[str, str]:
        """Check every byte of every generation, or of the one named; by generation what is wrong, "" where nothing is.

        Raises NotFoundError, IndexMissingError.
        """
        folder = self._index(collection)
        self.generations(collection)
        names = store.folders(folder)
        if generation is not None:
            names = [n for n in names if n == generation]
            if not names:
                raise NotFoundError(f"generation {generation!r} is not in {folder.name!r}")
        live = store.current(folder)
        if live is None:
            raise IndexMissingError(f"collection {folder.name!r} has no index yet; build it with `adfontes rebuild`")
        found: dict[str, str] = {}
        for name in dict.fromkeys([*names, *([live] if generation is None else [])]):
            try:
                store.verify(folder, name)
                found[name] = ""
            except IndexDamagedError as error:
                found[name] = str(error)
        return found

    def diff(self, collection: str | None = None, old: str | None = None, new: str | None = None) -> store.Difference:
        """What changed from one generation to another: by default from the one before the live one to the live one.

        Raises NotFoundError, IndexMissingError, IndexDamagedError.
        """
        folder = self._index(collection)
        listed = self.generations(collection)
        new = new or store.current(folder)
        if new is None:
            raise IndexMissingError(f"collection {folder.name!r} has no index yet; build it with `adfontes rebuild`")
        self._check_generation(listed, folder, new)
        if old is None:
            older = [g.id for g in listed[[g.id for g in listed].index(new) + 1 :]]
            if not older:
                raise NotFoundError(f"collection {folder.name!r} has no generation before {new!r}")
            old = older[0]
        self._check_generation(listed, folder, old)
        return store.difference(Generation.open(folder, old), Generation.open(folder, new))

    def prune(self, collection: str | None = None, keep: int | None = None) -> list[str]:
        """Delete the oldest generations beyond `keep` (the setting by default), never the live one; the ids deleted.

        Raises NotFoundError, BusyError.
        """
        folder = self._index(collection)
        self.generations(collection)
        with build.writing(self._corpus(collection), folder):
            return store.prune(folder, keep or self.settings.keep_generations)

    def _check_generation(self, listed: Sequence[GenerationInfo], folder: Path, generation: str) -> None:
        if generation not in {g.id for g in listed}:
            known = ", ".join(g.id for g in listed) or "none"
            raise NotFoundError(f"generation {generation!r} is not in {folder.name!r}; there are: {known}")

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────

    def _corpus(self, collection: str | None) -> Path:
        return self.settings.corpus / self.named(collection)

    def _index(self, collection: str | None) -> Path:
        return self.settings.index / self.named(collection)

    def named(self, collection: str | None) -> str:
        """The name of a collection that may exist or be made; the default one's for None.

        Raises InputError for what can be no name, NotFoundError for one that the caller may not see.
        """
        allowed = self._allowed()
        default = self.settings.collection
        if allowed is not None and default not in allowed:
            default = min(allowed, default=default)
        name = default if collection is None else collection
        # Not only tidy: a name is the one thing from outside that becomes part of a path.
        if not _NAME.fullmatch(name):
            raise InputError(
                f"{name[:100]!r} cannot be a collection's name; use letters, digits, '.', '_' and '-', beginning "
                "with a letter or digit, at most 100"
            )
        if allowed is not None and name not in allowed:
            there = ", ".join(self.collections()) or "none yet"
            raise NotFoundError(f"there is no collection {name!r}; there are: {there}")
        return name

    def asked(self, question: str) -> str:
        """A question as everything here reads it, on one line. Raises InputError for one that cannot be asked."""
        return asked.question(question, self.settings.max_question_chars)

    def earlier(self, turns: Sequence[answer.Turn]) -> list[answer.Turn]:
        """The turns before a question that are looked back on. Raises InputError for one that could not be asked."""
        return asked.earlier(turns, self.settings.max_question_chars)


def _version() -> str:
    try:
        return version("adfontes")
    except PackageNotFoundError:
        return "0"


def _give_back() -> None:
    """Return the memory that loading took and freed to the system, where the C library can."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


@lru_cache(maxsize=4)
def _ordering(model: answer.LanguageModel) -> Reranker:
    return answer.LanguageModelReranker(model)


@lru_cache(maxsize=4)
def _judge(name: str, threads: int) -> Judge | None:
    if name == "none":
        return None
    return Judge.packaged(threads=threads) if name == "packaged" else Judge.at(Path(name), threads=threads)
