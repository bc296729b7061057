r"""Units as siunitx has them written, by name → as they are read: the manual's tables of units and prefixes."""

from __future__ import annotations

import re

_PREFIXES = {
    "quecto": "q",
    "pico": "p",
    "nano": "n",
    "micro": "µ",
    "milli": "m",
    "centi": "c",
    "deci": "d",
    "deca": "da",
    "femto": "f",
    "hecto": "h",
    "kilo": "k",
    "mega": "M",
    "giga": "G",
    "tera": "T",
    "peta": "P",
    "exa": "E",
    "kibi": "Ki",
    "mebi": "Mi",
    "gibi": "Gi",
    "tebi": "Ti",
}
_UNITS = {
    "metre": "m",
    "meter": "m",
    "gram": "g",
    "second": "s",
    "ampere": "A",
    "kelvin": "K",
    "mole": "mol",
    "mol": "mol",
    "candela": "cd",
    "hertz": "Hz",
    "newton": "N",
    "pascal": "Pa",
    "joule": "J",
    "watt": "W",
    "coulomb": "C",
    "volt": "V",
    "farad": "F",
    "ohm": "Ω",
    "siemens": "S",
    "tesla": "T",
    "weber": "Wb",
    "henry": "H",
    "lumen": "lm",
    "lux": "lx",
    "becquerel": "Bq",
    "gray": "Gy",
    "sievert": "Sv",
    "litre": "L",
    "liter": "L",
    "minute": "min",
    "hour": "h",
    "day": "d",
    "tonne": "t",
    "hectare": "ha",
    "bar": "bar",
    "electronvolt": "eV",
    "dalton": "Da",
    "decibel": "dB",
    "bit": "bit",
    "byte": "B",
    "degree": "°",
    "celsius": "°C",
    "degreeCelsius": "°C",
    "percent": r"\%",
    "arcminute": "′",
    "arcsecond": "″",
    "radian": "rad",
    "steradian": "sr",
    "kilogram": "kg",
    "angstrom": "Å",
    "molar": "M",
    "katal": "kat",
    "bel": "B",
    "neper": "Np",
    "astronomicalunit": "au",
    "kg": "kg",
    "km": "km",
    "cm": "cm",
    "mm": "mm",
    "um": "µm",
    "nm": "nm",
    "ms": "ms",
    "us": "µs",
    "ns": "ns",
    "Hz": "Hz",
    "kHz": "kHz",
    "MHz": "MHz",
    "GHz": "GHz",
    "eV": "eV",
    "keV": "keV",
    "MeV": "MeV",
    "GeV": "GeV",
    "squared": "²",
    "cubed": "³",
    "per": "/",
    "of": " ",
}
_PARTS_OF_UNIT = re.compile(r"\\([A-Za-z]++)\s*+|([^\\]++)|\\")


def said(unit: str) -> str:
    r"""A unit's argument as text: `\metre\per\second` is m/s, and percent an escaped sign."""
    out: list[str] = []
    before = ""
    for part in _PARTS_OF_UNIT.finditer(unit):
        name, plain = part[1], part[2]
        if name in {"square", "cubic"}:
            before = "²" if name == "square" else "³"
            continue
        if plain is not None:
            out.append(re.sub(r"\^\{?(-?\d+)\}?", r"^\1", plain.replace("~", " ").replace(".", "·")))
        elif name in _PREFIXES:
            out.append(_PREFIXES[name])
            continue
        elif name is not None:
            out.append(_UNITS.get(name, name))
        out.append(before)
        before = ""
    return "".join(out).strip()
