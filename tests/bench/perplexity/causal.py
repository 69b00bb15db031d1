"""Makes a causal language model's ONNX folder from a GGUF file, and checks `rs-perplexity` against PyTorch on it.

    causal.py export MODEL.gguf DIR
    causal.py check MODEL.gguf DIR RS_PERPLEXITY SENTENCES.jsonl [N]

Needs torch 2.15, transformers 5.24, gguf, accelerate, onnx, onnxruntime. `check` prints the largest relative difference of a
perplexity, for either engine, to exp(loss) of the same weights with the beginning set before the text.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


class Logits(torch.nn.Module):
    """The model as the exports have it: ids and mask in, logits out."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.model(input_ids=input_ids, attention_mask=attention_mask, use_cache=False).logits


def load(gguf: Path) -> torch.nn.Module:
    folder = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    return AutoModelForCausalLM.from_pretrained(**folder, dtype=torch.float32).eval()


def export(gguf: Path, into: Path) -> None:
    model = load(gguf)
    model.config._attn_implementation = "eager"
    (into / "onnx").mkdir(parents=True, exist_ok=True)
    AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name).save_pretrained(into)
    model.config.save_pretrained(into)
    ids = torch.randint(5, 1000, (2, 16))
    axes = {0: "batch", 1: "tokens"}
    torch.onnx.export(
        Logits(model),
        (ids, torch.ones_like(ids)),
        str(into / "onnx/model.onnx"),
        input_names=["input_ids", "attention_mask"],
        output_names=["logits"],
        dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": axes},
        dynamo=False,
        opset_version=17,
    )


def check(gguf: Path, folder: Path, tool: str, sentences: Path, most: int) -> None:
    import onnxruntime

    lines = [line for line in sentences.read_text().splitlines() if line.startswith('{"schema":"sentence/1"')][:most]
    model, tokenizer = load(gguf), AutoTokenizer.from_pretrained(folder)
    begin = model.config.bos_token_id
    expected = []
    for line in lines:
        ids = tokenizer(json.loads(line)["text"])["input_ids"]
        ids = torch.tensor([ids if ids[:1] == [begin] else [begin, *ids]])
        with torch.no_grad():
            expected.append(math.exp(model(ids, labels=ids).loss.item()))
    library = next(Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so*"))
    for engine in (["ort", "--onnxruntime", str(library)], ["rten"]):
        command = [tool, "-q", "--model", str(folder), "--engine", *engine]
        done = subprocess.run(command, input="\n".join(lines).encode(), stdout=subprocess.PIPE, check=True)
        found = [json.loads(line)["perplexity"] for line in done.stdout.splitlines()]
        worst = max(abs(ours / theirs - 1) for ours, theirs in zip(found, expected, strict=True))
        print(f"{engine[0]}: {len(found)} sentences, largest relative difference {worst:.2e}")


if __name__ == "__main__":
    what, gguf, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if what == "export":
        export(gguf, folder)
    else:
        check(gguf, folder, sys.argv[4], Path(sys.argv[5]), int((sys.argv[6:] or ["30"])[0]))
