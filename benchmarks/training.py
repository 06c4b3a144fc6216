"""A step of CLIP beside Transformers' own model: ViT-S/16 at 64 px (12 layers of 384), 4 layers of text, batch 128.

Both sides have the same widths and depths, take the same pictures and texts (of unequal length, padded to the longest of the
batch), lose by symmetric InfoNCE over the batch and step by AdamW; assay's text tower reads rows of alike length together.
``float32`` and ``bfloat16`` (autocast) are lines of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from assay.losses.contrastive import info_nce
from assay.models.encoders.vit import PatchTokens
from assay.models.layers import TransformerBlock, parameter_count
from assay.training.chunks import by_length
from assay.training.optim import OptimSettings, optimisers
from benchmarks.pairing import Pairing, pair

BATCH, WIDTH, HEADS, VOCABULARY, LONGEST, SPACE = 128, 384, 6, 16_384, 32, 256
PX, PATCH, IMAGE_LAYERS, TEXT_LAYERS = 64, 16, 12, 4


def given() -> tuple[Tensor, Tensor, Tensor]:
    """Pictures ``[128, 3, 64, 64]``, tokens ``[128, 32]`` of 4 to 32 and where they are."""
    draw = torch.Generator().manual_seed(0)
    lengths = torch.randint(4, LONGEST + 1, (BATCH,), generator=draw)
    lengths[0] = LONGEST
    there = torch.arange(LONGEST)[None, :] < lengths[:, None]
    tokens = torch.randint(3, VOCABULARY - 1, (BATCH, LONGEST), generator=draw) * there
    tokens[torch.arange(BATCH), lengths - 1] = VOCABULARY - 1  # the end, by which CLIP finds a text's vector
    return torch.rand(BATCH, 3, PX, PX, generator=draw), tokens, there


class Ours(nn.Module):
    """Two towers of assay's blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.image = PatchTokens(WIDTH, size_px=PX, patch_px=PATCH, layers=IMAGE_LAYERS, heads=HEADS, expansion=4)
        self.table = nn.Embedding(VOCABULARY, WIDTH)
        self.positions = nn.Parameter(torch.randn(LONGEST, WIDTH) * 0.02)
        self.text = nn.ModuleList(TransformerBlock(WIDTH, HEADS) for _ in range(TEXT_LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        self.image_out, self.text_out = nn.Linear(WIDTH, SPACE, bias=False), nn.Linear(WIDTH, SPACE, bias=False)

    def read(self, tokens: Tensor) -> Tensor:
        """The state of each text's end."""
        there = tokens > 0
        x = self.table(tokens) + self.positions[: tokens.shape[1]]
        for block in self.text:
            x = block(x, there)
        return self.norm(x[torch.arange(len(x)), there.sum(1) - 1])

    def forward(self, pictures: Tensor, tokens: Tensor) -> Tensor:
        told = self.text_out(by_length(self.read, tokens))
        seen = self.image_out(self.image(pictures)[:, 0])
        return info_nce(*(nn.functional.normalize(v.float(), dim=1) for v in (seen, told)), 14.3)


def theirs() -> nn.Module:
    """Transformers' CLIPModel of the same widths and depths."""
    from transformers import CLIPConfig, CLIPModel

    shared = {"hidden_size": WIDTH, "intermediate_size": 4 * WIDTH, "num_attention_heads": HEADS}
    return CLIPModel(
        CLIPConfig(
            text_config={
                **shared,
                "num_hidden_layers": TEXT_LAYERS,
                "vocab_size": VOCABULARY,
                "max_position_embeddings": LONGEST,
                "eos_token_id": VOCABULARY - 1,
            },
            vision_config={**shared, "num_hidden_layers": IMAGE_LAYERS, "image_size": PX, "patch_size": PATCH},
            projection_dim=SPACE,
        )
    )


def step(
    net: nn.Module, loss: Callable[[], Tensor], optimiser: torch.optim.Optimizer, *, bf16: bool
) -> Callable[[], None]:
    """One step of training."""

    def work() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            value = loss()
        optimiser.zero_grad()
        value.backward()
        optimiser.step()

    return work


def pairings() -> Iterator[Pairing]:
    """The step in float32 and in bfloat16."""
    torch.manual_seed(0)
    pictures, tokens, there = given()
    ours, peer = Ours().train(), theirs().train()

    def own() -> Tensor:
        return ours(pictures, tokens)

    def other() -> Tensor:
        out: Tensor = peer(input_ids=tokens, pixel_values=pictures, attention_mask=there.long(), return_loss=True).loss
        return out

    settings = OptimSettings(lr=1e-4, steps=1, matrix_lr=0.0)
    sizes = f"{parameter_count(ours) / 1e6:.1f} against {parameter_count(peer) / 1e6:.1f} M parameters"
    for kind in ("float32", "bfloat16"):
        bf16 = kind == "bfloat16"
        yield pair(
            f"CLIP step, batch {BATCH}, {kind}, {sizes}",
            step(ours, own, optimisers(ours, settings)[0], bf16=bf16),
            "transformers' CLIPModel",
            step(peer, other, torch.optim.AdamW(peer.parameters(), lr=1e-4), bf16=bf16),
        )
