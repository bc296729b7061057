"""TeX in the fields of a bibliography ↔ text: escapes, accents, addresses, the names of journals that are commands."""

from __future__ import annotations

import re

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "$": r"\$",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    '"': r"\textquotedbl{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
}
_UNESCAPES = {v: k for k, v in _ESCAPES.items()}
_COMMANDS = re.compile("|".join(re.escape(v) for v in sorted(_UNESCAPES, key=len, reverse=True)))
_BRACED = re.compile(r"\{\\(text[a-z]+)\}")
"""How Mendeley writes a command: `{\\textless}` where others, and we, write `\\textless{}`."""
_TAGS = re.compile(
    r"(?:<|\{\\textless\})/?(?:i|b|em|strong|sub|sup|sc|span|scp|inf)(?:\s[^<>{}]{0,100})?(?:>|\{\\textgreater\})",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"(?<!\\)%")
_URL = re.compile(r"\\(?:url|nolinkurl)\s*\{([^{}]*+)\}")
_SIGN_IN_ADDRESS = re.compile(r"\{?\\?([_&%#~])\}?|\$\\sim\$|\\textasciitilde(?:\{\}|\s)?|\\([_&%#$])")
# The macros of the journals of astronomy, as the AAS's style files (aastex, natbib) define them.
_JOURNALS = {
    "aj": "Astronomical Journal",
    "apj": "Astrophysical Journal",
    "apjl": "Astrophysical Journal Letters",
    "apjs": "Astrophysical Journal Supplement",
    "aap": "Astronomy and Astrophysics",
    "aapr": "Astronomy and Astrophysics Reviews",
    "aaps": "Astronomy and Astrophysics Supplement",
    "mnras": "Monthly Notices of the Royal Astronomical Society",
    "nat": "Nature",
    "araa": "Annual Review of Astronomy and Astrophysics",
    "pasp": "Publications of the Astronomical Society of the Pacific",
    "pasj": "Publications of the Astronomical Society of Japan",
    "prd": "Physical Review D",
    "prl": "Physical Review Letters",
    "pra": "Physical Review A",
    "prb": "Physical Review B",
    "prc": "Physical Review C",
    "pre": "Physical Review E",
    "physrep": "Physics Reports",
    "icarus": "Icarus",
    "solphys": "Solar Physics",
    "ssr": "Space Science Reviews",
    "jcap": "Journal of Cosmology and Astroparticle Physics",
    "grl": "Geophysical Research Letters",
    "jgr": "Journal of Geophysical Research",
    "planss": "Planetary and Space Science",
    "memras": "Memoirs of the Royal Astronomical Society",
    "gca": "Geochimica et Cosmochimica Acta",
    "actaa": "Acta Astronomica",
    "apss": "Astrophysics and Space Science",
    "baas": "Bulletin of the AAS",
}
_JOURNAL = re.compile(r"\s*\\([a-z]+)\s*")


def plain(value: str) -> str:
    """TeX → text: our own escapes exactly, then whatever accents other writers wrote as commands; markup goes."""
    if named := _JOURNAL.fullmatch(value):
        return _JOURNALS.get(named[1], named[1])
    value = _BRACED.sub(r"\\\1{}", _TAGS.sub("", value))
    pieces: list[str] = []
    position = 0
    for match in _COMMANDS.finditer(value):
        pieces += [_accents(value[position : match.start()]), _UNESCAPES[match[0]]]
        position = match.end()
    pieces.append(_accents(value[position:]))
    return " ".join("".join(pieces).split())


def _accents(value: str) -> str:
    if "\\" not in value:
        return value.replace("{", "").replace("}", "").replace("~", " ")
    from pylatexenc.latex2text import LatexNodes2Text

    try:
        reader = LatexNodes2Text(math_mode="verbatim", keep_braced_groups=False)
        return str(reader.latex_to_text(_PERCENT.sub(r"\\%", value)))
    except Exception:  # noqa: BLE001 - TeX that its reader cannot read stays as written
        return value


def address(value: str) -> str:
    r"""An address or identifier as it is followed: `{\_}`, `\&`, `{~}` and `$\sim$` are the signs they stand for."""
    inner = _URL.search(value)
    said = inner[1] if inner else value.strip()
    return _SIGN_IN_ADDRESS.sub(lambda m: m[1] or m[2] or "~", said).strip("{}")


def address_in(value: str) -> str:
    r"""The address in a field that holds `\url{…}`, "" where it holds none."""
    return address(value) if _URL.search(value) else ""


def escaped(value: str) -> str:
    """Text → TeX, on one line."""
    return "".join(_ESCAPES.get(c, c) for c in " ".join(value.split()))


def escaped_address(value: str) -> str:
    """Addresses stay verbatim; braces, which would unbalance the file, are percent-encoded as RFC 3986 has it."""
    return re.sub(r"\s", "", value).replace("{", "%7B").replace("}", "%7D")
