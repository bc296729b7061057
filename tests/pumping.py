"""Every compiled pattern of the code, and strings pumped from the pattern itself to make it run away.

    python tests/pumping.py [ROOM …]        prints the patterns that grow faster than their input, worst first

A pattern is compiled at module level or written out where it is used; both are found. What is compiled from values of the moment
(`re.compile(rf"{words}")` inside a function) is found by its line and must be listed in `MADE` with a sample.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import re._constants as sre
import re._parser as sre_parser
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_METHODS = ("search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer")
_WHOLE = ("match", "fullmatch")
"""Methods that begin at one place; all others try every place of the text."""


@dataclass(frozen=True, slots=True)
class Found:
    """A compiled pattern, where it stands and how the code uses it."""

    place: str
    pattern: re.Pattern[str]
    methods: frozenset[str]

    @property
    def anchored(self) -> bool:
        """Whether the code only ever begins at one place of a text."""
        return bool(self.methods) and self.methods <= set(_WHOLE)


def patterns(*rooms: str) -> list[Found]:
    """All text patterns of `rag` and `service`, or of the modules whose dotted names begin with one of `rooms`."""
    found: dict[tuple[str, int, str], Found] = {}
    for file in sorted([*(ROOT / "rag").rglob("*.py"), *(ROOT / "service").rglob("*.py")]):
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if rooms and not name.startswith(rooms):
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        module = importlib.import_module(name)
        used = _uses(tree)
        for holder, pattern in _held(module):
            how = used.get(holder.split("[")[0].split(".")[0], frozenset())
            key = (pattern.pattern, pattern.flags, name)
            before = found.get(key)
            found[key] = Found(f"{name}.{holder}", pattern, how | (before.methods if before else frozenset()))
        for line, method, pattern in _inline(tree, vars(module)):
            found.setdefault(
                (pattern.pattern, pattern.flags, f"{name}:{line}"),
                Found(f"{name}:{line}", pattern, frozenset({method})),
            )
    return list(found.values())


def modules() -> Iterator[str]:
    """The dotted names of all modules."""
    import rag
    import service

    for package in (rag, service):
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            yield info.name


def _held(module: Any) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Patterns in a module's values, also within tuples, dictionaries and dataclasses of them."""

    def within(name: str, value: object, depth: int) -> Iterator[tuple[str, re.Pattern[str]]]:
        if isinstance(value, re.Pattern):
            if isinstance(value.pattern, str):
                yield name, value
        elif depth and isinstance(value, list | tuple | set | frozenset):
            for n, item in enumerate(value):
                yield from within(f"{name}[{n}]", item, depth - 1)
        elif depth and isinstance(value, dict):
            for key, item in value.items():
                yield from within(f"{name}[{key!r}]", item, depth - 1)
                yield from within(f"{name}[]", key, depth - 1)
        elif depth and hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
            for field in value.__dataclass_fields__:
                yield from within(f"{name}.{field}", getattr(value, field, None), depth - 1)

    for name, value in list(vars(module).items()):
        if not name.startswith("__"):
            yield from within(name, value, 4)


def _uses(tree: ast.AST) -> dict[str, frozenset[str]]:
    """By a module's name the methods called on it; a name that is used in another way has them all."""
    used: dict[str, set[str]] = {}
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            parent = parents.get(node)
            if isinstance(parent, ast.Attribute) and parent.attr in _METHODS:
                used.setdefault(node.id, set()).add(parent.attr)
            elif isinstance(parent, ast.Attribute) and parent.attr in ("pattern", "flags"):
                continue
            else:
                used.setdefault(node.id, set()).update(_METHODS)
    return {name: frozenset(methods) for name, methods in used.items()}


def _inline(tree: ast.AST, values: dict[str, Any]) -> Iterator[tuple[int, str, re.Pattern[str]]]:
    """Patterns written where they are used: `re.sub(r"…", …)`."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        owner = node.func.value
        if not (isinstance(owner, ast.Name) and owner.id == "re" and node.func.attr in (*_METHODS, "compile")):
            continue
        try:
            given = [node.args[0], *(k.value for k in node.keywords if k.arg == "flags")]
            if node.func.attr in ("search", "match", "fullmatch", "findall", "finditer") and len(node.args) > 2:
                given.append(node.args[2])
            if node.func.attr == "compile" and len(node.args) > 1:
                given.append(node.args[1])
            made = [eval(compile(ast.Expression(g), "<pattern>", "eval"), dict(values)) for g in given]  # noqa: S307
            pattern = re.compile(*made)
        except Exception:  # made of values of the moment  # noqa: BLE001, S112
            continue
        if isinstance(pattern.pattern, str):
            method = node.func.attr
            yield node.lineno, "search" if method == "compile" else method, pattern


# ── strings that hurt ────────────────────────────────────────────────────────────────────────────────────────

GENERIC = (
    " ", "\n", "\t", "(", ")", "[", "]", "{", "}", "<", ">", ",", ", ", ";", ".", ". ", "..", ":", "-", "–", "_", "*", "#", "/", "\\",
    '"', "'", "“", "”", "%", "&", "|", "=", "~", "@", "$", "^", "a", "A", "a ", "A ", "A. ", "1", "1 ", "1,", "2020", "2020 ",
    "2020, ", "(2020", "(2020) ", "et al.", "et al. ", " and ", "and ", "A b (Smith, 2020). ", "(Smith, 2020; ", "Smith, 2020; ",
    "Smith, J., ", "Smith and ", "& ", "the ", "of the ", "de la ", "doi:10.1/", "http://a.b/", "10.1000/a", "a@b.", "<a ", "<a>", "[1]",
    "[1, ", "1-", "\\a{", "{a}", "$$", "| a ", "|-", "a\n", "a\n\n", " \n", "\n ", "\r\n", "中", "é", "É ", "ſ", "İ", "x, y", "x, and ",
    "I. ", "a.b.", "A-b", "O'", "vol. 1", "pp. 1–2, ", "In: ", "- a\n", "1. a\n", "# a\n", "a = {", "@a{b, ", "%a\n", "% ", "who ", "what did ",
    "of ", "?", "? ", "!", "!?", "and what about ",
)  # fmt: skip
ENDS = ("", "\x00", "\n\x00", "!", " x")


def pumped(pattern: re.Pattern[str]) -> Iterator[tuple[str, str, str]]:
    """Beginnings, pieces and ends: what every pattern is fed, and what this one repeats itself."""
    for piece in GENERIC:
        yield "", piece, "\x00"
    try:
        parsed = sre_parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    except (re.error, RecursionError):
        return
    seen = set()
    for before, body in _repeats(parsed, ""):
        if body and (before, body) not in seen:
            seen.add((before, body))
            for end in ENDS[1:3]:
                yield before, body, end
            if before:
                yield "", before + body, ENDS[1]
                yield "", before, ENDS[1]


def _repeats(parsed: Any, before: str, depth: int = 6) -> Iterator[tuple[str, str]]:
    """Of every repetition in a pattern a text that leads to it and one that it repeats."""
    for op, given in parsed:
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            least, most, inner = given
            if most > 3:
                for body in _samples(inner):
                    yield before, body
            if depth:
                yield from _repeats(inner, before, depth - 1)
        elif op is sre.SUBPATTERN and depth:
            yield from _repeats(given[3], before, depth - 1)
        elif op is sre.ATOMIC_GROUP and depth:
            yield from _repeats(given, before, depth - 1)
        elif op is sre.BRANCH and depth:
            for branch in given[1]:
                yield from _repeats(branch, before, depth - 1)
        elif op in (sre.ASSERT, sre.ASSERT_NOT) and depth:
            yield from _repeats(given[1], before, depth - 1)
        before += _one([(op, given)])


def _samples(parsed: Any) -> Iterator[str]:
    """Some texts that a piece matches."""
    items = list(parsed)
    if len(items) == 1 and items[0][0] is sre.BRANCH:
        for branch in items[0][1][1][:6]:
            yield _one(branch)
    elif len(items) == 1 and items[0][0] is sre.SUBPATTERN:
        yield from _samples(items[0][1][3])
    elif len(items) == 1 and items[0][0] is sre.IN:
        yield from {_of_class([part]) for part in items[0][1][:8] if part[0] is not sre.NEGATE} | {_of_class(items[0][1])}
    else:
        yield _one(parsed)


def _one(parsed: Any) -> str:
    """A text that a piece matches, as short as it may be; look-arounds and back references are left out."""
    out = ""
    for op, given in parsed:
        if op is sre.LITERAL:
            out += chr(given)
        elif op is sre.NOT_LITERAL:
            out += "a" if given != ord("a") else "b"
        elif op is sre.ANY:
            out += "a"
        elif op is sre.IN:
            out += _of_class(given)
        elif op is sre.BRANCH:
            out += _one(given[1][0])
        elif op is sre.SUBPATTERN:
            out += _one(given[3])
        elif op is sre.ATOMIC_GROUP:
            out += _one(given)
        elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            out += _one(given[2]) * max(given[0], 1 if given[0] or given[1] > 1 else 0)
    return out


_CLASSES = {
    sre.CATEGORY_SPACE: " ", sre.CATEGORY_DIGIT: "1", sre.CATEGORY_WORD: "a", sre.CATEGORY_NOT_SPACE: "a",
    sre.CATEGORY_NOT_DIGIT: "a", sre.CATEGORY_NOT_WORD: "-",
}  # fmt: skip


def _of_class(parts: Any) -> str:
    negated = any(op is sre.NEGATE for op, _ in parts)
    if negated:
        inside = re.compile("[" + "".join(_class_source(p) for p in parts if p[0] is not sre.NEGATE) + "]")
        return next((c for c in "a 1,.A-(\n中" if not inside.match(c)), "a")
    for op, given in parts:
        if op is sre.LITERAL:
            return chr(given)
        if op is sre.RANGE:
            return chr(given[0])
        if op is sre.CATEGORY:
            return _CLASSES.get(given, "a")
    return "a"


def _class_source(part: Any) -> str:
    op, given = part
    if op is sre.LITERAL:
        return re.escape(chr(given))
    if op is sre.RANGE:
        return f"{re.escape(chr(given[0]))}-{re.escape(chr(given[1]))}"
    names = {
        sre.CATEGORY_SPACE: r"\s", sre.CATEGORY_DIGIT: r"\d", sre.CATEGORY_WORD: r"\w", sre.CATEGORY_NOT_SPACE: r"\S",
        sre.CATEGORY_NOT_DIGIT: r"\D", sre.CATEGORY_NOT_WORD: r"\W",
    }  # fmt: skip
    return names.get(given, "")


# ── growth ───────────────────────────────────────────────────────────────────────────────────────────────────


class TooSlowError(Exception):
    """A run was stopped by the alarm."""


def _alarm(*_: object) -> None:
    raise TooSlowError


def took(work: Callable[[str], object], text: str, limit: float) -> float:
    """Seconds of processor time, or infinity where the limit was reached. The engine looks at signals now and then."""
    before = signal.signal(signal.SIGVTALRM, _alarm)
    signal.setitimer(signal.ITIMER_VIRTUAL, limit)
    start = time.thread_time()
    try:
        work(text)
    except TooSlowError:
        return float("inf")
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return time.thread_time() - start


def runs_away(
    work: Callable[[str], object],
    made: Callable[[int], str],
    *,
    shortest: int = 10_000,
    longest: int = 160_000,
    idle: float = 0.05,
    limit: float = 3.0,
) -> str | None:
    """Why `work` grows faster than its input, or None.

    Texts of doubling length: time that twice more than triples with the length, beyond `idle` seconds, is no
    longer linear. A run that is quick at the full length is not looked at more closely.
    """
    quick = took(work, made(shortest), limit)
    if quick == float("inf"):
        return f"{shortest:,} characters take over {limit:g} s"
    # Cubic growth from here to the longest is a factor of 4,096, quadratic of 256: what cannot reach `idle` is left.
    times = [(shortest, quick)]
    length = shortest
    while length < longest:
        length *= 2
        times.append((length, took(work, made(length), limit)))
        if times[-1][1] == float("inf"):
            if times[-2][1] > limit / 3:  # merely slow
                return f"{length:,} characters take over {limit:g} s"
            return f"{length:,} characters take over {limit:g} s, {length // 2:,} took {times[-2][1]:.2f} s"
        if times[-1][1] > idle and times[-1][1] > 2.9 * times[-2][1]:
            again = min(took(work, made(length), limit) for _ in range(2))
            base = max(took(work, made(length // 2), limit) for _ in range(2))
            if again > idle and again > 2.9 * base:
                return f"{length // 2:,} characters take {base:.3f} s, {length:,} take {again:.3f} s"
    return None


def text_of(before: str, piece: str, end: str) -> Callable[[int], str]:
    """Texts of about a length."""
    return lambda length: before + piece * max(1, length // len(piece)) + end


def use(found: Found) -> Callable[[str], object]:
    """What the code does with a pattern, on a text."""
    if found.anchored:
        pattern = found.pattern
        if found.methods == {"fullmatch"}:
            return pattern.fullmatch
        return pattern.match
    return lambda text: sum(1 for _ in found.pattern.finditer(text))


def judge(found: Found, longest: int = 160_000) -> str | None:
    """Why a pattern runs away and with what, or None."""
    work = use(found)
    for before, piece, end in pumped(found.pattern):
        made = text_of(before, piece, end)
        if longest > 20_000 and (quick := took(work, made(longest // 8), 1.0)) < 0.01:
            # At an eighth of the length not even a hundredth of a second: quadratic growth stays under a second.
            continue
        why = runs_away(work, made, shortest=min(10_000, longest // 16), longest=longest)
        if why:
            return f"{(before, piece, end)!r}: {why}"
    return None


if __name__ == "__main__":
    total = bad = 0
    start = time.time()
    for one in patterns(*sys.argv[1:]):
        total += 1
        why = judge(one)
        if why:
            bad += 1
            print(f"{one.place}  [{', '.join(sorted(one.methods)) if len(one.methods) < 8 else 'any'}]\n    {one.pattern.pattern[:200]!r}\n    {why}", flush=True)
    print(f"{bad} of {total} patterns, {time.time() - start:.0f} s")
