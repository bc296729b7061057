"""A generation on disk: written aside, published by one rename, verified before it is read.

    index/<collection>/
        current                 the name of the live generation, replaced atomically
        <generation>/
            chunks.faiss        one vector a chunk, in row order
            sentences.faiss     one vector a sentence, in row order
            sparse.npy          one learned sparse vector a chunk, where a model gave them
            lexical/            BM25 postings over documents, chunks and sentences
            store.sqlite        documents, references, mentions, problems, chunks, sentences, terms
            manifest.json       written last: models, settings, document hashes, counts, a SHA-256 of every file

No manifest, no generation. Nothing is pickled. The only room that imports faiss; knows no encoder and no file format
of sources.
"""

from rag.store.difference import Difference, difference
from rag.store.folder import (
    CURRENT,
    FORMAT,
    MANIFEST,
    GenerationInfo,
    current,
    folders,
    generations,
    prune,
    publish,
    sweep,
    verify,
    writing,
    written_in,
)
from rag.store.generation import Generation
from rag.store.layout import KnownVectors
from rag.store.rows import Keys, Rowwise
from rag.store.writer import Embedded, Writer

__all__ = [
    "CURRENT",
    "FORMAT",
    "MANIFEST",
    "Difference",
    "Embedded",
    "Generation",
    "GenerationInfo",
    "Keys",
    "KnownVectors",
    "Rowwise",
    "Writer",
    "current",
    "difference",
    "folders",
    "generations",
    "prune",
    "publish",
    "sweep",
    "verify",
    "writing",
    "written_in",
]
