"""What changed from one generation to another."""

from __future__ import annotations

from dataclasses import dataclass

from rag.store.generation import Generation


@dataclass(frozen=True, slots=True)
class Difference:
    """Documents and references by id, and what else the manifests say differently."""

    old: str
    new: str
    documents_added: tuple[str, ...]
    documents_removed: tuple[str, ...]
    documents_changed: tuple[str, ...]
    references_added: tuple[str, ...]
    references_removed: tuple[str, ...]
    chunks: tuple[int, ...]
    """How many there were and are."""
    settings_changed: tuple[str, ...]
    """Of the settings, the encoder and the code that shape an index."""


def difference(old: Generation, new: Generation) -> Difference:
    """What changed from `old` to `new`, which are of one collection."""
    before, after = ({d.id: (d.sha256, d.title, d.date, d.language) for d in g.documents()} for g in (old, new))
    entries_before, entries_after = ({r.id for r in g.references()} for g in (old, new))
    shaping = []
    for name in ("settings", "encoder"):
        was, now = old.manifest.get(name, {}), new.manifest.get(name, {})
        shaping += [f"{name}.{key}" for key in sorted({*was, *now}) if was.get(key) != now.get(key)]
    if old.manifest.get("code") != new.manifest.get("code"):
        shaping.append("code")
    return Difference(
        old=old.state.generation,
        new=new.state.generation,
        documents_added=tuple(sorted(after.keys() - before.keys())),
        documents_removed=tuple(sorted(before.keys() - after.keys())),
        documents_changed=tuple(sorted(i for i in before.keys() & after.keys() if before[i] != after[i])),
        references_added=tuple(sorted(entries_after - entries_before)),
        references_removed=tuple(sorted(entries_before - entries_after)),
        chunks=(old.size, new.size),
        settings_changed=tuple(shaping),
    )
