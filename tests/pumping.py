"""Every compiled pattern of the code, and strings pumped from the pattern itself to make it run away.

    python tests/pumping.py [ROOM …]        prints the patterns that grow faster than their input

A pattern is a value of a module (also within tuples, dictionaries and dataclasses), or written out where it is used; both
are found. What is compiled from values of the moment (`re.sub(rf"{word}", …)` inside a function) is found by its line: see
`made`.
"""

from __future__ import annotations

import ast
import gc
import importlib
import re
import re._constants as sre
import re._parser as sre_parser
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[1]
_METHODS = ("search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer")
_WHOLE = ("match", "fullmatch")
"""Methods that begin at one place; all others try every place of the text."""
_FLAGS_AT = {
    "compile": 1,
    "search": 2,
    "match": 2,
    "fullmatch": 2,
    "findall": 2,
    "finditer": 2,
    "split": 3,
    "sub": 4,
    "subn": 4,
}
"""Where the flags stand among a function's arguments."""


@dataclass(frozen=True, slots=True)
class Found:
    """A compiled pattern, where it stands and how the code uses it."""

    place: str
    pattern: re.Pattern[Any]
    methods: frozenset[str]

    @property
    def anchored(self) -> bool:
        """Whether the code only ever begins at one place of a text."""
        return bool(self.methods) and self.methods <= set(_WHOLE)


def patterns(*rooms: str) -> list[Found]:
    """All patterns of `rag` and `service`, or of the modules whose dotted names begin with one of `rooms`.

    One that several modules share is named by its first place, in alphabetical order, and used in all their ways.
    """
    found: dict[tuple[str | bytes, int], Found] = {}
    for name, tree in _modules():
        if rooms and not name.startswith(rooms):
            continue
        module = importlib.import_module(name)
        used = _uses(tree)
        here = [
            (f"{name}.{holder}", pattern, used.get(re.split(r"[.\[]", holder)[0], frozenset()))
            for holder, pattern in _held(module)
        ]
        here += [(f"{name}:{call.lineno}", p, how) for call, p, how in _inline(tree, module) if p is not None]
        for place, pattern, how in here:
            key = (pattern.pattern, pattern.flags)
            known = found.get(key)
            found[key] = Found(known.place if known else place, pattern, how | (known.methods if known else how))
    return list(found.values())


def made(*rooms: str) -> dict[str, str]:
    """Functions that compile patterns of values of the moment, as "module.function" → "module:line" of the first."""
    found: dict[str, str] = {}
    for name, tree in _modules():
        if not rooms or name.startswith(rooms):
            for call, pattern, _ in _inline(tree, importlib.import_module(name)):
                if pattern is None:
                    found.setdefault(f"{name}.{_function(tree, call)}", f"{name}:{call.lineno}")
    return found


@cache
def _modules() -> tuple[tuple[str, ast.Module], ...]:
    """The dotted names of all modules, with their code."""
    files = sorted([*(ROOT / "rag").rglob("*.py"), *(ROOT / "service").rglob("*.py")])
    return tuple(
        (
            ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"),
            ast.parse(file.read_text(encoding="utf-8")),
        )
        for file in files
        if file.name != "__main__.py"
    )


def _held(module: ModuleType) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Patterns in a module's values, also within tuples, dictionaries, dataclasses and classes of its own."""
    for name, value in list(vars(module).items()):
        if isinstance(value, type) and value.__module__ == module.__name__:
            for key, item in vars(value).items():
                yield from within(f"{name}.{key}", item, 1)
        elif not name.startswith("__"):
            yield from within(name, value)


def within(name: str, value: object, depth: int = 4) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """The patterns that a value holds, each with its place in it."""
    if isinstance(value, re.Pattern):
        yield name, value
    elif not depth or isinstance(value, type):
        return
    elif isinstance(value, list | tuple | set | frozenset):
        for n, item in enumerate(value):
            yield from within(f"{name}[{n}]", item, depth - 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from within(f"{name}[{key!r}]", item, depth - 1)
            yield from within(f"{name}[]", key, depth - 1)
    elif hasattr(value, "__dataclass_fields__"):
        for field in value.__dataclass_fields__:
            yield from within(f"{name}.{field}", getattr(value, field, None), depth - 1)


def _looped(tree: ast.AST) -> dict[ast.Name, set[str]]:
    """Names gone through by a `for` whose variable is only ever matched, with the methods called on that."""
    found: dict[ast.Name, set[str]] = {}
    for loop in [n for n in ast.walk(tree) if isinstance(n, ast.For) and isinstance(n.target, ast.Name)]:
        inside = [n for part in loop.body for n in ast.walk(part)]
        called = {n.attr for n in inside if isinstance(n, ast.Attribute) and _named(n.value, loop.target)}
        bare = sum(isinstance(n, ast.Name) and n.id == loop.target.id for n in inside)
        if (
            called
            and called <= set(_WHOLE)
            and bare == sum(isinstance(n, ast.Attribute) and _named(n.value, loop.target) for n in inside)
        ):
            found |= {n: called for n in ast.walk(loop.iter) if isinstance(n, ast.Name)}
    return found


def _named(node: ast.AST, target: ast.expr) -> bool:
    return isinstance(node, ast.Name) and isinstance(target, ast.Name) and node.id == target.id


def _uses(tree: ast.AST) -> dict[str, frozenset[str]]:
    """By a module's name the methods called on it; a name that is used in another way has them all."""
    used: dict[str, set[str]] = {}
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    looped = _looped(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            parent = parents.get(node)
            if node in looped:
                used.setdefault(node.id, set()).update(looped[node])
                continue
            if isinstance(parent, ast.Attribute) and parent.attr in _METHODS:
                used.setdefault(node.id, set()).add(parent.attr)
            elif isinstance(parent, ast.Attribute) and parent.attr in ("pattern", "flags"):
                continue
            else:
                used.setdefault(node.id, set()).update(_METHODS)
    return {name: frozenset(methods) for name, methods in used.items()}


def _inline(tree: ast.AST, module: ModuleType) -> Iterator[tuple[ast.Call, re.Pattern[Any] | None, frozenset[str]]]:
    """Patterns written where they are used, as in `re.sub(r"…", …)`; None for one made of values of the moment.

    What is compiled outside a function is a value of the module.
    """
    for call, inside in _calls(tree, inside=False):
        assert isinstance(call.func, ast.Attribute)
        method = call.func.attr
        if method == "compile" and not inside:
            continue
        at = _FLAGS_AT[method]
        given = [call.args[0], *call.args[at : at + 1], *(k.value for k in call.keywords if k.arg == "flags")]
        try:
            values = [eval(compile(ast.Expression(g), "<pattern>", "eval"), dict(vars(module))) for g in given]  # noqa: S307
            pattern = re.compile(*values)
        except Exception:  # noqa: BLE001  (its values are not the module's)
            yield call, None, frozenset()
            continue
        yield call, pattern, frozenset(_METHODS if method == "compile" else (method,))


def _calls(node: ast.AST, *, inside: bool) -> Iterator[tuple[ast.Call, bool]]:
    """The calls of `re`'s functions, and whether they stand in a function."""
    for child in ast.iter_child_nodes(node):
        if (
            isinstance(child, ast.Call)
            and isinstance(child.func, ast.Attribute)
            and isinstance(child.func.value, ast.Name)
            and child.func.value.id == "re"
            and child.func.attr in _FLAGS_AT
            and child.args
        ):
            yield child, inside
        deeper = inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _calls(child, inside=deeper)


def _function(tree: ast.AST, call: ast.Call) -> str:
    """The innermost named function that a call stands in."""
    holding = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.lineno <= call.lineno <= (node.end_lineno or node.lineno)
    ]
    return max(holding, key=lambda node: node.lineno).name if holding else ""


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


def pumped(pattern: re.Pattern[Any]) -> Iterator[tuple[str, str, str]]:
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
            if before:  # a text that begins to match at many places
                yield "", before + body, ENDS[1]
                yield "", before + " ", ENDS[1]


def _repeats(parsed: Any, before: str, depth: int = 6) -> Iterator[tuple[str, str]]:
    """Of every repetition in a pattern a text that leads to it and one that it repeats."""
    for op, given in parsed:
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            _, most, inner = given
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
        yield from {_of_class([part]) for part in items[0][1][:8] if part[0] is not sre.NEGATE} | {
            _of_class(items[0][1])
        }
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

SHORT, LONG = 3_000, 160_000
"""Characters: what every pattern is fed, and what one is fed that is not plainly linear on that."""
QUICK = 0.0004
"""Seconds for the short text that need no second look: growing with the square, the long one takes a second then."""


class TooSlowError(Exception):
    """A run was stopped by the alarm."""


def _alarm(*_: object) -> None:
    raise TooSlowError


def took(work: Callable[[Any], object], text: object, limit: float = 3.0, tries: int = 1) -> float:
    """Seconds of processor time, the least of some tries; infinity where the limit was reached.

    The pattern engine looks at signals now and then.
    """
    before = signal.signal(signal.SIGVTALRM, _alarm)
    best = float("inf")
    gc.disable()  # the objects of all tests before are looked through with each collection
    try:
        for _ in range(tries):
            signal.setitimer(signal.ITIMER_VIRTUAL, limit)
            start = time.thread_time()
            work(text)
            best = min(best, time.thread_time() - start)
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except TooSlowError:
        return best
    finally:
        gc.enable()
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return best


CLEAR, LONG_RUN = 0.02, 0.1
"""Seconds below which growth is not told from noise, and above which one run is as good as the better of two."""


def runs_away(
    work: Callable[[Any], object],
    text: Callable[[int], object],
    *,
    short: int = SHORT,
    long: int = LONG,
    quick: float = QUICK,
    limit: float = 3.0,
) -> str | None:
    """Why `work` grows faster than its input, or None; seen three times, since other work on the machine grows as well.

    A text four times as long takes four times as long where growth is linear, sixteen times where it is quadratic. What
    is quick on the short text, or linear up to it and soon done with the long one, is not followed any further; nor is
    what has grown with its text as far as `limit` lets it, on however slow a machine.
    """
    why = None
    for _ in range(3):
        why = _grows(work, text, short, long, quick, limit)
        if why is None:
            break
    return why


def _grows(
    work: Callable[[Any], object], text: Callable[[int], object], short: int, long: int, quick: float, limit: float
) -> str | None:
    first = took(work, text(short), limit)
    if first < quick:
        return None
    if first == float("inf"):
        return f"{short:,} characters take over {limit:g} s"
    straight = first < 6 * max(took(work, text(short // 4), limit), quick / 16)
    if straight and (first * long / short < limit or _straight(work, text, first, short, long, limit)):
        return None
    times = [(length, took(work, text(length), limit, tries=2)) for length in (short // 2, short)]
    while times[-1][0] < long:
        length = min(long, 2 * times[-1][0])
        before = times[-1][1]
        times.append((length, took(work, text(length), limit, tries=2 if before < LONG_RUN else 1)))
        told = ", ".join(f"{n:,} characters {'over ' * (t > limit)}{min(t, limit):.3f} s" for n, t in times)
        # Twice in a row clearly more than twice the time, so that a step of the machine's caches is no growth; of times too
        # short to be told from the machine's own, longer texts tell.
        last = [min(t, limit) for _, t in times[-3:]]
        if last[-1] > CLEAR and all(later > 2.8 * earlier for earlier, later in pairwise(last)):
            return told
        if times[-1][1] > limit:
            return told if 8 * before < limit else None
    return None


def _straight(
    work: Callable[[Any], object], text: Callable[[int], object], spent: float, length: int, long: int, limit: float
) -> bool:
    """Whether time grows with the text at a quick look, four times as long each time, as far as `limit` lets it."""
    while length < long:
        longer = min(long, 4 * length)
        most = 1.5 * spent * longer / length
        length, spent = longer, took(work, text(longer), limit)
        if spent > limit:
            return most > limit
        if spent > max(most, CLEAR):
            return False
    return True


def text_of(before: str, piece: str, end: str, *, folded: bool = False) -> Callable[[int], str]:
    """Texts of about a length; `folded` as the door of `rag.asked` leaves them."""

    def made(length: int) -> str:
        text = before + piece * max(1, length // len(piece)) + end
        return " ".join(text.split()) if folded else text

    return made


def use(found: Found) -> Callable[[Any], object]:
    """What the code does with a pattern, on a text."""
    if found.anchored:
        return found.pattern.fullmatch if found.methods == {"fullmatch"} else found.pattern.match
    return lambda text: sum(1 for _ in found.pattern.finditer(text))


def judge(found: Found, *, folded: bool = False, short: int = SHORT, long: int = LONG) -> str | None:
    """Why a pattern runs away and with what, or None. `folded`: it only ever sees what `rag.asked` has let through."""
    work = use(found)
    for before, piece, end in pumped(found.pattern):
        text = text_of(before, piece, end, folded=folded)
        given = (lambda n, text=text: text(n).encode()) if isinstance(found.pattern.pattern, bytes) else text
        why = runs_away(work, given, short=short, long=long)
        if why:
            return f"{(before, piece, end)!r}: {why}"
    return None


if __name__ == "__main__":
    total = bad = 0
    start = time.time()
    for one in patterns(*sys.argv[1:]):
        total += 1
        began = time.time()
        why = judge(one)
        if why:
            bad += 1
            how = ", ".join(sorted(one.methods)) if len(one.methods) < len(_METHODS) else "any"
            print(f"{one.place}  [{how}]\n    {one.pattern.pattern[:200]!r}\n    {why}", flush=True)
        elif time.time() - began > 2:
            print(f"{one.place}: no fault, {time.time() - began:.1f} s", flush=True)
    for name, place in made(*sys.argv[1:]).items():
        print(f"of values of the moment: {name}, {place}")
    print(f"{bad} of {total} patterns, {time.time() - start:.0f} s")
