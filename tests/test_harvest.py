"""Cited works fetched: what can be had is kept and attached, what cannot is reported, and a run can be stopped."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from rag import documents, harvest
from rag.fetch import Fetcher, Limits
from rag.types import Progress
from rag.workspace import Workspace

sys.path.insert(0, str(Path(__file__).parent / "fetch"))

from misbehaving import BOMB, PAGE, Handler, Site, serving

ARTICLE = """# Tidal power

The bay has a turbine (Marlowe, 2019). It was dear (Osei, 2021). Nets suffer (Brook, 2020; Carver, 2018). Birds do not
(Dunn, 2017; Eland, 2016). Some doubt it (Frost, 2015; Gale, 2014; Hart, 2013; Iles, 2012; Jessop, 2011).

## References

{entries}
"""
TITLES = {
    "Marlowe": (2019, "Turning tides"),
    "Osei": (2021, "What tidal power costs the harbour board"),
    "Brook": (2020, "Nets and turbines in narrow waters"),
    "Carver": (2018, "Eel migration past moving blades"),
    "Dunn": (2017, "Sea birds over a quiet machine"),
    "Eland": (2016, "A survey of diving terns"),
    "Frost": (2015, "Why I doubt the tide"),
    "Gale": (2014, "Storm damage to submerged rotors"),
    "Hart": (2013, "Maps of the northern channel"),
    "Iles": (2012, "The law of the foreshore"),
    "Jessop": (2011, "Old mills and their ponds"),
}


def page(name: str) -> bytes:
    """A page that is the work."""
    year, title = TITLES[name]
    return (
        f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1><p>By A. {name}, {year}</p>"
        f"<p>This is the work of {name} itself, with a sentence that nobody else has.</p></article></body></html>"
    ).encode()


def drip(h: Handler) -> None:
    """A body that never comes to an end, slowly."""
    h.say_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", *[b"x"] * 60, seconds=0.1)


def list_works(workspace: Workspace, addresses: dict[str, str]) -> None:
    """Write an article that lists works at these addresses ("" for none), and index it."""
    entries = []
    for name, address in addresses.items():
        year, title = TITLES[name]
        at = f" Available at: {address}" if address else ""
        entries.append(f"{name}, A., {year}. {title}. Bergen: Fjord Press.{at}")
    folder = workspace.settings.corpus / "c"
    (folder / "tides.md").write_text(ARTICLE.format(entries="\n\n".join(entries)))
    workspace.rebuild()


@pytest.fixture
def site():
    """A site on loopback."""
    yield from serving(Site())


def run(workspace: Workspace, **how: object) -> dict[str, harvest.Outcome]:
    """Fetch with small limits and no pause; outcomes by entry."""
    cancelled = how.pop("cancelled", lambda: False)
    fetcher = Fetcher("adfontes-test/1", limits=Limits(max_bytes=300_000, seconds=1.5, idle_seconds=0.8), loopback=True)
    found = harvest.harvest(workspace.plan(None, cancelled=cancelled), fetcher, pause=0, **how)  # type: ignore[arg-type]
    return {o.reference_id.partition("-")[0]: o for o in found.outcomes}


def test_what_can_be_had_is_kept_and_what_cannot_is_told(fresh: Workspace, site: Site) -> None:
    """Eleven entries, eleven fates: one good copy attached with address and date, each failure with its reason."""
    site.page("/robots.txt", b"User-agent: *\nDisallow: /closed\n", "text/plain")
    site.page("/good", page("Marlowe"), ETag='"v1"')
    site.route("/moved", lambda h: h.say(302, b"", {"Location": "/cost"}))
    site.page("/cost", page("Osei"))
    site.route("/slow", drip)
    site.route("/loop", lambda h: h.say(302, b"", {"Location": "/loop"}))
    site.page("/picture", b"\x89PNG", "image/png")
    site.page("/closed", page("Eland"))
    site.page("/bomb", BOMB, **{"Content-Encoding": "gzip"})
    site.page("/login", b"<html><title>Sign in</title><body><p>Please sign in to go on reading here.</p></body></html>")
    site.page("/binary", bytes(range(256)) * 20, "application/octet-stream")
    at = site.origin
    list_works(fresh, {
        "Marlowe": f"{at}/good", "Osei": f"{at}/moved", "Brook": f"{at}/slow", "Carver": f"{at}/loop",
        "Dunn": f"{at}/picture", "Eland": f"{at}/closed", "Frost": f"{at}/bomb", "Gale": f"{at}/login",
        "Hart": f"{at}/binary", "Iles": "", "Jessop": "http://169.254.169.254/latest/",
    })  # fmt: skip
    found = run(fresh)
    assert {k: (o.state, o.failure) for k, o in found.items()} == {
        "marlowe": ("saved", ""), "osei": ("saved", ""),
        "brook": ("failed", "timeout"), "carver": ("failed", "redirects"),
        "dunn": ("failed", "wrong-type"), "eland": ("failed", "robots"), "frost": ("failed", "too-large"),
        "gale": ("failed", "another-work"), "hart": ("failed", "unreadable"), "iles": ("no-address", ""),
        "jessop": ("failed", "refused"),
    }  # fmt: skip
    assert all(o.reason for o in found.values() if o.state not in {"saved", "held"})
    assert "/closed" not in site.asked
    copy = fresh.settings.corpus / "c/marlowe-2019.html"
    assert copy.read_bytes() == page("Marlowe")
    known = documents.known_of(copy)
    assert known["reference"] == "tides:marlowe-2019"
    assert (known["origin"]["address"], known["origin"]["etag"]) == (f"{at}/good", '"v1"')
    assert known["origin"]["retrieved"].startswith("20")
    document = fresh.generation().document("marlowe-2019")
    assert (document.origin, document.added) == (f"{at}/good", known["origin"]["retrieved"])
    assert [(a.reference_id, a.how) for a in document.attachments] == [("marlowe-2019", "given")]
    assert documents.known_of(fresh.settings.corpus / "c/osei-2021.html")["origin"]["final_address"] == f"{at}/cost"
    assert not list((fresh.settings.corpus / "c").glob(".*"))


def test_a_second_run_asks_for_nothing_it_has(fresh: Workspace, site: Site) -> None:
    """Held copies and fresh failures are not asked for again; `retry` asks for the failures, `refresh` for news."""
    site.page("/good", page("Marlowe"), ETag='"v1"')
    list_works(fresh, {"Marlowe": f"{site.origin}/good", "Osei": f"{site.origin}/gone"})
    run(fresh)
    site.asked.clear()
    again = run(fresh)
    assert site.asked == []
    assert (again["marlowe"].state, again["osei"].state, again["osei"].failure) == ("held", "failed", "status")
    site.page("/gone", page("Osei"))
    assert run(fresh, retry=True)["osei"].state == "saved"

    def answer(h: Handler) -> None:
        if h.headers.get("If-None-Match") == '"v1"':
            h.say_raw(b"HTTP/1.1 304 Not Modified\r\n\r\n")
        else:
            h.say(200, page("Marlowe"), {"Content-Type": "text/html"})

    site.route("/good", answer)
    assert run(fresh, refresh=True)["marlowe"].state == "unchanged"
    newer = page("Marlowe").replace(b"sentence", b"new sentence")
    site.page("/good", newer, ETag='"v2"')
    assert run(fresh, refresh=True)["marlowe"].state == "saved"
    assert (fresh.settings.corpus / "c/marlowe-2019.html").read_bytes() == newer
    site.page("/good", b"<html><title>Sign in</title><body><p>Please sign in to read this.</p></body></html>")
    assert run(fresh, refresh=True)["marlowe"].failure == "another-work"
    assert (fresh.settings.corpus / "c/marlowe-2019.html").read_bytes() == newer


def test_a_stopped_run_goes_on_where_it_was(fresh: Workspace, site: Site) -> None:
    """What was saved before the stop stays and is not fetched again, though no rebuild has seen it."""
    for name in ("Marlowe", "Osei", "Brook"):
        site.page(f"/{name}", page(name))
    list_works(fresh, {name: f"{site.origin}/{name}" for name in ("Marlowe", "Osei", "Brook")})
    first = run(fresh, cancelled=lambda: "/Osei" in site.asked)
    assert {k: o.state for k, o in first.items()} == {"marlowe": "saved", "osei": "saved"}
    assert [d.id for d in fresh.generation().documents()] == ["tides"]
    site.asked.clear()
    second = run(fresh)
    assert {k: o.state for k, o in second.items()} == {"marlowe": "held", "osei": "held", "brook": "saved"}
    assert [p for p in site.asked if p != "/robots.txt"] == ["/Brook"]
    assert len(fresh.generation().documents()) == 4


def test_a_host_that_is_busy_is_waited_for(fresh: Workspace, site: Site) -> None:
    """After 429 with a short Retry-After the others have their turn, then it is asked again; a long one is noted."""

    def answer(h: Handler) -> None:
        if site.count["/busy"] == 1:
            h.say(429, b"", {"Retry-After": "1"})
        else:
            h.say(200, page("Marlowe"), {"Content-Type": "text/html"})

    site.route("/busy", answer)
    site.page("/cost", page("Osei"))
    list_works(fresh, {"Marlowe": f"{site.origin}/busy", "Osei": f"{site.origin}/cost"})
    found = run(fresh)
    assert {k: o.state for k, o in found.items()} == {"marlowe": "saved", "osei": "saved"}
    pages = [(p, t) for p, t in zip(site.asked, site.times, strict=True) if p == "/busy"]
    assert pages[1][1] - pages[0][1] >= 0.9


def test_a_host_that_is_closed_for_long_is_noted(fresh: Workspace, site: Site) -> None:
    """A Retry-After of an hour is believed: nothing more is asked, and the report says when to come back."""
    site.route("/busy", lambda h: h.say(429, b"", {"Retry-After": "3600"}))
    list_works(fresh, {"Marlowe": f"{site.origin}/busy", "Osei": f"{site.origin}/cost"})
    found = run(fresh)
    assert {o.failure for o in found.values()} == {"wait"}
    assert all(o.again_at > o.tried_at for o in found.values())
    assert [p for p in site.asked if p != "/robots.txt"] == ["/busy"]
    site.asked.clear()
    assert run(fresh)["marlowe"].failure == "wait"
    assert site.asked == []


def test_a_work_that_two_lists_cite_is_fetched_once(fresh: Workspace, site: Site) -> None:
    """The same address in two bibliographies is one request, and the copy is the source of both entries."""
    site.page("/good", page("Marlowe"))
    list_works(fresh, {"Marlowe": f"{site.origin}/good"})
    folder = fresh.settings.corpus / "c"
    (folder / "other.md").write_text((folder / "tides.md").read_text().replace("Tidal power", "Another article"))
    fresh.rebuild()
    found = harvest.harvest(fresh.plan(None), Fetcher("t/1", loopback=True), pause=0)
    assert sorted(o.state for o in found.outcomes) == ["held", "saved"]
    assert site.count["/good"] == 1
    (document,) = [d for d in fresh.generation().documents() if d.attachments]
    assert {a.reference_id for a in document.attachments} == {"tides:marlowe-2019", "other:marlowe-2019"}


def test_a_doi_leads_to_the_work(fresh: Workspace, site: Site) -> None:
    """Where the entry has a DOI, its resolver is asked, and its address first."""
    site.route("/doi/10.1234/tides", lambda h: h.say(302, b"", {"Location": "/good"}))
    site.page("/good", page("Marlowe"))
    list_works(fresh, {"Marlowe": "https://doi.org/10.1234/tides"})
    (reference,) = fresh.generation().references()
    assert harvest.addresses_of(reference)[0].startswith("https://doi.org/10.1234/")
    list_works(fresh, {"Marlowe": "doi:10.1234/tides"})
    assert run(fresh, doi_resolver=f"{site.origin}/doi/")["marlowe"].state == "saved"
    assert documents.known_of(fresh.settings.corpus / "c/marlowe-2019.html")["origin"]["final_address"].endswith(
        "/good"
    )


def test_progress_is_told_and_the_log_is_kept(fresh: Workspace, site: Site) -> None:
    """Each entry moves the bar; the log in the index folder says what was tried and survives nonsense in it."""
    list_works(fresh, {"Marlowe": f"{site.origin}/gone", "Osei": ""})
    seen: list[Progress] = []
    log = fresh.settings.index / "c" / harvest.LOG
    log.write_text("[nonsense")
    plan = fresh.plan(None, progress=seen.append)
    harvest.harvest(plan, Fetcher("t/1", loopback=True), pause=0)
    fetching = [(p.done, p.total) for p in seen if p.stage == "fetching"]
    assert fetching[0] == (0, 2)
    assert fetching[-1] == (2, 2)
    assert json.loads(log.read_text())["tides:marlowe-2019"]["failure"] == "status"


def test_an_address_is_added_as_a_source(fresh: Workspace, site: Site) -> None:
    """`add` takes an address: the copy is kept under a plain name, with where it came from, attached if asked."""
    fresh.rebuild()
    loopback = Workspace(fresh.settings.model_copy(update={"fetch_loopback": True}))
    loopback.add_address(None, site.page("/papers/..%2Ftides.html", PAGE), reference="osei-2021")
    copy = fresh.settings.corpus / "c/tides-2.html"  # the article's id is its stem, and stays its own
    assert copy.read_bytes() == PAGE
    (document,) = [d for d in loopback.generation().documents() if d.id == "tides-2"]
    assert document.origin.endswith("tides.html")
    assert [a.reference_id for a in document.attachments if a.how == "given"] == ["osei-2021"]
    again = loopback.add_address(None, document.origin)
    assert (again.documents, again.embedded) == (2, 0)


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("koi8-r", "Приливная станция"),
        ("Shift_JIS", "潮力発電所の記録"),
        ("iso-2022-jp", "潮力発電所の記録"),
        ("iso-8859-2", "Elektrárna přílivová"),
    ],
)
def test_the_encoding_that_a_server_names_is_believed(fresh: Workspace, site: Site, charset: str, text: str) -> None:
    """A short text whose encoding nothing but the server's header tells is read as it was written."""
    fresh.rebuild()
    loopback = Workspace(fresh.settings.model_copy(update={"fetch_loopback": True}))
    for name, said in (("plain", charset), ("wrong", "utf-16"), ("odd", "no-such-encoding"), ("hex", "hex")):
        loopback.add_address(None, site.page(f"/{name}.txt", text.encode(charset), kind=f"text/plain; charset={said}"))
    assert loopback.generation().document("plain").text == text
    assert {d.id for d in loopback.generation().documents()} >= {"plain", "wrong", "odd", "hex"}


def test_utf8_stays_utf8_whatever_the_server_says(fresh: Workspace, site: Site) -> None:
    """Many servers still name an encoding that their pages have left long ago; a page's own declaration yields too."""
    fresh.rebuild()
    loopback = Workspace(fresh.settings.model_copy(update={"fetch_loopback": True}))
    page = '<html><head><meta charset="koi8-r"></head><body><p>Gezeitenkraft für Übermorgen</p></body></html>'
    loopback.add_address(None, site.page("/a.txt", "Übermorgen".encode(), kind="text/plain; charset=iso-8859-1"))
    loopback.add_address(None, site.page("/b.html", page.encode("cp1252"), kind="text/html; charset=windows-1252"))
    assert loopback.generation().document("a").text == "Übermorgen"
    assert loopback.generation().document("b").text == "Gezeitenkraft für Übermorgen"


def test_nothing_inside_a_document_is_fetched(fresh: Workspace, site: Site) -> None:
    """Pictures, styles, frames, scripts, refreshes and bases of a fetched page are left where they are."""
    traps = (
        b'<meta http-equiv="refresh" content="0;url=/trap1"><link rel="stylesheet" href="/trap2"><base href="/trap3/">'
        b'<link rel="canonical" href="/trap4"></head><body><img src="/trap5"><iframe src="/trap6"></iframe>'
        b'<script src="/trap7"></script><object data="/trap8"></object><a href="/trap9" ping="/trap10">more</a>'
    )
    site.page("/good", page("Marlowe").replace(b"</head><body>", traps))
    list_works(fresh, {"Marlowe": f"{site.origin}/good"})
    assert run(fresh)["marlowe"].state == "saved"
    assert set(site.asked) == {"/robots.txt", "/good"}
