"""What stands behind addresses → sources of the collection: one address, or all of a bibliography.

Each entry's addresses and DOI are tried in turn, with manners. What comes is read as any file is, must bear the entry's
title, and is put into the collection at once, with its address and date, attached to the entry; so a run that was
stopped goes on where it was. What failed is remembered with its reason and not asked for again too soon. Nothing that
stands inside a document is fetched.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from rag import build, documents, store
from rag.attachments import bears_title, plain_id, qualified_id
from rag.build.plan import stop_if_cancelled
from rag.errors import BusyError, CancelledError, DocumentError, FetchError, InputError, TransientError
from rag.fetch import Fetched, Fetcher, Manners, Validators, file_name
from rag.files import replace_text
from rag.types import BuildReport, Document, Progress, Reference

State = Literal["saved", "held", "unchanged", "no-address", "failed"]
DOI_RESOLVER = "https://doi.org/"
LOG = "fetched.json"
"""In the collection's index folder: what was tried, when, and what came of it."""
_PATIENCE = 60.0
"""Seconds for which a host that asked to wait is waited for, once the others have had their turn."""
_AGAIN_AFTER = timedelta(days=30)
"""After this, what failed for good is tried again by itself."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one entry."""

    reference_id: str
    state: State
    address: str = ""
    """The last address tried, or where the copy came from."""
    source: str = ""
    """The file in the collection."""
    failure: str = ""
    """Why it could not be had: a kind of `FetchError`, ``unreadable`` or ``another-work``."""
    reason: str = ""
    tried_at: str = ""
    again_at: str = ""
    """When it is worth another try, where the site or the failure says so."""


@dataclass(frozen=True, slots=True)
class Harvest:
    """What a run came to."""

    outcomes: tuple[Outcome, ...]
    complete: bool
    """Whether every entry had its turn; another run goes on with those that had not."""
    report: BuildReport | None
    """What the rebuild did; None when nothing was to be built or the run was stopped."""


def fetch_one(
    fetcher: Fetcher, address: str, folder: Path, corpus: Path, *, reference: str | None = None
) -> build.Incoming:
    """Fetch one address into `folder` as a source for `rag.build.add` of `corpus`. Raises FetchError."""
    path = folder / "fetched"
    with path.open("wb") as file:
        fetched = fetcher.get(address, file)
    name = file_name(fetched, documents.kind_isolated(path, "fetched"))
    return build.Incoming(_free(corpus, name, fetched.address), path, reference, _origin(fetched))


def addresses_of(reference: Reference, doi_resolver: str = DOI_RESOLVER) -> list[str]:
    """Where a listed work may be had, in the order in which it is tried: its address, arXiv, its DOI."""
    csl = reference.csl
    found = []
    url = str(csl.get("URL") or "").strip()
    if url:
        found.append(url if "://" in url else f"https://{url}")
    if csl.get("archive") == "arXiv" and csl.get("archive_location"):
        found.append(f"https://arxiv.org/abs/{csl['archive_location']}")
    doi = str(csl.get("DOI") or "").strip()
    if doi and not any(doi.lower() in f.lower() and "doi.org/" in f for f in found):
        found.append(doi_resolver + quote(doi, safe="/:;()._-"))
    return list(dict.fromkeys(found))


def harvest(
    plan: build.Plan,
    fetcher: Fetcher,
    *,
    only: Sequence[str] | None = None,
    refresh: bool = False,
    retry: bool = False,
    pause: float = 2.0,
    doi_resolver: str = DOI_RESOLVER,
    told: Callable[[Outcome], None] = lambda _: None,
) -> Harvest:
    """Try to have a copy of every work that the live generation's bibliographies list, then rebuild.

    `only` names the entries to try, `refresh` asks for what is newer than the copies held, `retry` asks again for what
    failed for good. `pause` (seconds) lies between two requests to one host. `told` hears of every outcome as it comes.
    Stops where `plan.cancelled` says so; what is saved stays. Raises IndexMissingError without an index, NotFoundError
    for an entry of `only` that is not listed.
    """
    generation = store.Generation.open(plan.index)
    references = [generation.reference(i) for i in only] if only is not None else generation.references()
    run = _Run(plan, fetcher, Manners(fetcher, seconds_between=pause, cancelled=plan.cancelled), _Log(plan.index / LOG))
    held = run.held(generation)
    outcomes: dict[str, Outcome] = {}

    def done(outcome: Outcome) -> None:
        outcomes[outcome.reference_id] = outcome
        plan.progress(Progress("fetching", len(outcomes), len(references)))
        told(outcome)

    waiting: list[tuple[Reference, list[str]]] = []
    twins: dict[str, list[Reference]] = defaultdict(list)
    plan.progress(Progress("fetching", 0, len(references)))
    for reference in references:
        addresses = addresses_of(reference, doi_resolver)
        copies = held.get(qualified_id(reference), [])
        before = run.log.get(reference)
        if copies and not (refresh and any(documents.known_of(c, plan.root).get("origin") for c in copies)):
            done(Outcome(reference.id, "held", source=copies[0].name))
        elif not copies and not addresses:
            done(Outcome(reference.id, "no-address", reason="the entry has neither address nor DOI"))
        elif not copies and not retry and before is not None and not before.due:
            done(replace(before.outcome, reference_id=reference.id))
        elif not copies and addresses[0] in twins:
            twins[addresses[0]].append(reference)
        else:
            twins[addresses[0] if addresses else reference.id] = []
            waiting.append((reference, addresses))
    complete = True
    try:
        for late in (False, True):
            again: list[tuple[Reference, list[str]]] = []
            for reference, addresses in _by_turns(waiting):
                if late:
                    run.wait_for(reference, addresses)
                stop_if_cancelled(plan)
                copies = held.get(qualified_id(reference), [])
                outcome = run.refreshed(reference, copies[0]) if copies else run.tried(reference, addresses)
                if outcome.failure == "wait" and not late and run.patient(outcome.address):
                    again.append((reference, addresses))
                    continue
                run.log.note(reference, outcome)
                done(outcome)
                for twin in twins.get(addresses[0] if addresses else reference.id, ()):
                    state: State = "held" if outcome.state == "saved" else outcome.state
                    done(replace(outcome, reference_id=twin.id, state=state))
            waiting = again
    except CancelledError:
        complete = False
    finally:
        run.log.write()
    report = build.rebuild(plan) if complete else None
    return Harvest(tuple(outcomes.values()), complete, report)


def outcomes(index: Path) -> list[Outcome]:
    """What came of each entry when it was last tried, as the log in a collection's index folder says."""
    return _Log(index / LOG).outcomes()


class _Run:
    """One run's tools and what it does with one entry."""

    def __init__(self, plan: build.Plan, fetcher: Fetcher, manners: Manners, log: _Log) -> None:
        self.plan = plan
        self.fetcher = fetcher
        self.manners = manners
        self.log = log
        self._waits: dict[str, float] = {}

    def held(self, generation: store.Generation) -> dict[str, list[Path]]:
        """The copies there are of each entry, by its lasting id: told by the index, or by a run that was stopped."""
        found: dict[str, dict[Path, None]] = defaultdict(dict)
        for reference in generation.references():
            for document_id in generation.attached(reference.id):
                path = self.plan.corpus / generation.document(document_id).source
                if path.is_file():
                    found[qualified_id(reference)][path] = None
        for path in sorted(self.plan.corpus.rglob("*.toml")):
            file = path.with_suffix("")
            if not file.is_file():
                continue
            try:
                said = documents.known_of(file, self.plan.root).get("reference")
            except DocumentError:
                continue
            if said:
                found[said][file] = None
        return {key: list(paths) for key, paths in found.items()}

    def tried(self, reference: Reference, addresses: Sequence[str]) -> Outcome:
        """Try the entry's addresses in turn; the outcome of the first that gives it, else of the last."""
        outcome = Outcome(reference.id, "failed")
        for address in addresses:
            with tempfile.TemporaryDirectory(prefix="adfontes-") as folder:
                path = Path(folder) / "fetched"
                try:
                    with path.open("wb") as file:
                        fetched = self.fetcher.get(address, file, before=self.manners.before)
                    return self._saved(reference, fetched, path)
                except FetchError as error:
                    outcome = self._failed(reference, address, error)
                except DocumentError as error:
                    again = _now() if isinstance(error, TransientError) else ""
                    outcome = _outcome(
                        reference, "failed", address, failure="unreadable", reason=str(error), again_at=again
                    )
                except _AnotherWorkError as error:
                    outcome = _outcome(reference, "failed", address, failure="another-work", reason=str(error))
        return outcome

    def refreshed(self, reference: Reference, copy: Path) -> Outcome:
        """Ask for what is newer than the copy; a copy that nobody fetched is left as it is."""
        origin: Mapping[str, Any] = documents.known_of(copy, self.plan.root).get("origin", {})
        address = str(origin.get("address", ""))
        validators = Validators(
            str(origin.get("final_address", "")), str(origin.get("etag", "")), str(origin.get("last_modified", ""))
        )
        with tempfile.TemporaryDirectory(prefix="adfontes-") as folder:
            path = Path(folder) / "fetched"
            try:
                with path.open("wb") as file:
                    fetched = self.fetcher.get(address, file, held=validators, before=self.manners.before)
                if fetched.unchanged or path.read_bytes() == copy.read_bytes():
                    return _outcome(reference, "unchanged", address, source=copy.name)
                return self._saved(reference, fetched, path, instead_of=copy)
            except FetchError as error:
                return self._failed(reference, address, error)
            except (DocumentError, _AnotherWorkError) as error:
                # The copy that we have is better than what has come in its place.
                return _outcome(reference, "failed", address, failure="another-work", reason=str(error))

    def patient(self, address: str) -> bool:
        """Whether the host of an address that asked to wait is worth waiting for."""
        return self._waits.get(_host(address), 0.0) <= time.monotonic() + _PATIENCE

    def wait_for(self, reference: Reference, addresses: Sequence[str]) -> None:
        """Wait until the hosts that asked for it may be asked again. Raises CancelledError."""
        until = max((self._waits.get(_host(a), 0.0) for a in addresses), default=0.0)
        while time.monotonic() < until:
            if self.plan.cancelled():
                raise CancelledError(f"fetching {reference.id} was stopped")
            time.sleep(min(0.2, max(0.0, until - time.monotonic())))

    def _failed(self, reference: Reference, address: str, error: FetchError) -> Outcome:
        again = ""
        if error.failure == "wait":
            seconds = error.retry_after if error.retry_after is not None else _PATIENCE / 2
            at = _host(address)
            self._waits[at] = max(self._waits.get(at, 0.0), time.monotonic() + seconds)
            self.manners.asked_to_wait(at, seconds)
            again = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="seconds")
        elif error.again:
            again = _now()
        return _outcome(reference, "failed", address, failure=error.failure, reason=str(error), again_at=again)

    def _saved(self, reference: Reference, fetched: Fetched, path: Path, instead_of: Path | None = None) -> Outcome:
        """Keep what was fetched, if it can be read and is the work. Raises DocumentError, _AnotherWorkError."""
        kind = documents.kind_isolated(path, "fetched")
        name = file_name(fetched, kind, stem=documents.slug(plain_id(reference)))
        document = documents.read_isolated(path, name=name, known={"origin": _origin(fetched)})
        if not bears_title(document, reference):
            raise _AnotherWorkError(_not_it(document, reference))
        same = instead_of is not None and instead_of.suffix == Path(name).suffix
        name = instead_of.name if instead_of and same else _free(self.plan.corpus, name, fetched.address)
        incoming = build.Incoming(name, path, qualified_id(reference), _origin(fetched))
        for attempt in range(10):
            try:
                # Whoever stops the run stops it behind the address at hand: what has been fetched is kept.
                whole = replace(self.plan, cancelled=lambda: False)
                saved = build.save(whole, incoming, instead_of=instead_of)
                break
            except BusyError:
                if attempt == 9:
                    raise
                time.sleep(0.5)
        return _outcome(reference, "saved", fetched.address, source=saved.name)


class _AnotherWorkError(InputError):
    """What stands at the address is not what the entry lists."""


@dataclass(frozen=True, slots=True)
class _Tried:
    outcome: Outcome

    @property
    def due(self) -> bool:
        """Whether it is time for another try."""
        if self.outcome.state != "failed":
            return True
        when = self.outcome.again_at or self.outcome.tried_at
        try:
            at = datetime.fromisoformat(when)
        except ValueError:
            return True
        return datetime.now(UTC) >= (at if self.outcome.again_at else at + _AGAIN_AFTER)


class _Log:
    """What was tried before, by the entries' lasting ids.

    Written after each entry; a long log, whose writing takes its time, so seldom that it costs a fiftieth of the run.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._due = 0.0
        try:
            said = json.loads(path.read_bytes())
            self._known = {k: _Tried(Outcome(**v)) for k, v in said.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            self._known = {}

    def get(self, reference: Reference) -> _Tried | None:
        """What came of the entry the last time."""
        return self._known.get(qualified_id(reference))

    def outcomes(self) -> list[Outcome]:
        """All that is known, in the order in which it was first tried."""
        return [tried.outcome for tried in self._known.values()]

    def note(self, reference: Reference, outcome: Outcome) -> None:
        """Remember what came of an entry."""
        self._known[qualified_id(reference)] = _Tried(outcome)
        if time.monotonic() >= self._due:
            self.write()

    def write(self) -> None:
        """Write all that is known to the file."""
        begun = time.monotonic()
        text = json.dumps({k: asdict(t.outcome) for k, t in self._known.items()}, ensure_ascii=False, indent=1)
        replace_text(self._path, text)
        done = time.monotonic()
        self._due = done + 50 * (done - begun)


def _by_turns(waiting: Sequence[tuple[Reference, list[str]]]) -> list[tuple[Reference, list[str]]]:
    """The same with the hosts taking turns, so that the pause for one is spent on the others."""
    turns: list[tuple[int, int]] = []
    hosts: dict[str, list[int]] = {}
    for _, addresses in waiting:
        host = hosts.setdefault(_host(addresses[0]) if addresses else "", [len(hosts), 0])
        turns.append((host[1], host[0]))
        host[1] += 1
    return [waiting[i] for i in sorted(range(len(waiting)), key=turns.__getitem__)]


def _free(corpus: Path, name: str, address: str) -> str:
    """A name whose stem no other source has, for ids come from stems; a copy of the same address keeps its name."""
    stems = set()
    for path in build.survey(corpus).files:
        stems.add(path.stem.casefold())
        if path.suffix == Path(name).suffix and path.with_name(f"{path.name}.toml").is_file():
            try:
                if documents.known_of(path, corpus).get("origin", {}).get("address") == address:
                    return path.name
            except DocumentError:
                continue
    stem, suffix = Path(name).stem, Path(name).suffix
    candidates = (stem, *(f"{stem}-{n}" for n in range(2, 100_000)))
    return next(c for c in candidates if c.casefold() not in stems) + suffix


def _host(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""


def _origin(fetched: Fetched) -> dict[str, Any]:
    said = {
        "address": fetched.address,
        "final_address": fetched.final_address,
        "retrieved": fetched.retrieved,
        "media_type": fetched.media_type,
        "charset": fetched.charset,
        "etag": fetched.etag,
        "last_modified": fetched.last_modified,
    }
    return {k: v for k, v in said.items() if v}


def _outcome(reference: Reference, state: State, address: str, **more: str) -> Outcome:
    return Outcome(reference.id, state, address, tried_at=_now(), **more)


def _not_it(document: Document, reference: Reference) -> str:
    return (
        f"what stands there, {(document.title or document.text)[:80]!r}, does not bear the title "
        f"{str(reference.csl.get('title') or '')[:80]!r}; if it is the work all the same, add it with --reference"
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
