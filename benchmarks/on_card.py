"""Measure the public weights' network on a graphics card: the time of an evaluation against diffusers' stock Wan
transformer, and peak memory of every profile against what `dramatis estimate` foretells.

    python benchmarks/on_card.py                      # the 14B networks; one H100, main memory of 80 GB
    python benchmarks/on_card.py --compiled --attention flash
    python benchmarks/on_card.py --bits float8        # time in another format; memory of all formats in any case
    python benchmarks/on_card.py --tiny               # small networks on the processor: whether this script works

Random numbers stand for the weights, so nothing has to be downloaded. Prints rows for RESULTS.md, with the command and
the machine; those that miss their bar are marked as failing, and then the exit code is 1.
"""

from __future__ import annotations

import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from typing import Annotated, Any, get_args

import torch
import typer
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from diffusers.models.transformers.transformer_wan import WanRotaryPosEmbed
from torch.profiler import ProfilerActivity, profile

from dramatis.backbones.geometry import Geometry
from dramatis.backbones.gpu_budget import needs_of, ways
from dramatis.backbones.profile import PROFILES, PublicProfile, read_profile
from dramatis.models.dit import AudioDiT
from dramatis.models.placement.device import Bits, Fit, place
from dramatis.models.placement.footprint import RESERVE, example_inputs, numbers_are
from dramatis.models.published.official import empty_network
from dramatis.models.published.wan_autoencoder import WanAutoencoder
from dramatis_lab.evaluate.report import Entry, Row, Run, judged, markdown

SHARED = (
    "patch_size", "num_attention_heads", "attention_head_dim", "in_channels", "out_channels", "text_dim", "freq_dim",
    "ffn_dim", "num_layers", "eps", "image_dim", "rope_max_seq_len",
)  # fmt: skip
"""What the stock transformer's config says under our names."""
TINY = {"num_attention_heads": 4, "attention_head_dim": 32, "ffn_dim": 512, "num_layers": 3, "text_dim": 64}
TOLERANCE = 0.1


@dataclass(frozen=True)
class Scale:
    """What is measured. config: of `AudioDiT`. clip: (frames, height, width) of the timed evaluation."""

    device: torch.device
    dtype: torch.dtype
    config: dict[str, Any]
    clip: tuple[int, int, int]
    profiles: tuple[PublicProfile, ...]


def full(device: torch.device) -> Scale:
    """The 14B networks, and all profiles."""
    return Scale(device, torch.bfloat16, dict(empty_network({}).config), (81, 480, 832), tuple(_profiles()))


def tiny() -> Scale:
    """The same in a size for the processor; one profile, with pictures and clips of that size."""
    small = {"area": 32 * 32, "geometry": Geometry(clip_steps=24, seam_reach=8, seam_given=4)}
    profiles = (next(_profiles()).model_copy(update=small),)
    return Scale(torch.device("cpu"), torch.bfloat16, dict(empty_network(TINY).config), (9, 32, 48), profiles)


def _profiles() -> Iterator[PublicProfile]:
    for path in sorted(PROFILES.glob("*.yaml")):
        found = read_profile(path)
        assert isinstance(found, PublicProfile)
        yield found


def random_network(kind: type[Any], scale: Scale, config: dict[str, Any], device: torch.device, filled: bool) -> Any:
    """A network with random weights, made where it is to lie. filled: False leaves whatever lay in that memory."""
    with torch.device("meta"), numbers_are(scale.dtype):
        net = kind.from_config(config)
    net.to_empty(device=device)
    net.rope = WanRotaryPosEmbed(net.config.attention_head_dim, net.config.patch_size, net.config.rope_max_seq_len)
    net.rope.to(device)
    for weights in net.parameters() if filled else ():
        weights.data.normal_(0, 0.02)
    return net.eval().requires_grad_(False)


def random_inputs(scale: Scale, clip: tuple[int, int, int]) -> dict[str, Any]:
    """Arguments of `AudioDiT.forward`."""
    with torch.device(scale.device):
        given = example_inputs(empty_network(scale.config), *clip, scale.dtype)
    drawn = {name: value.normal_() for name, value in given.items() if value is not None and name != "timestep"}
    return given | drawn


@torch.no_grad()
def seconds(call: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Median wall time of a call, after one that is not timed."""
    times = []
    for _ in range(1 + repeats):
        started = time.perf_counter()
        call()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def time_ours(scale: Scale, repeats: int, compiled: bool, attention: str | None, bits: Bits) -> float:
    """Seconds of an evaluation, sound included."""
    net = random_network(AudioDiT, scale, scale.config, scale.device, filled=True)
    place(net, Fit(bits), scale.device, scale.dtype, compiled=compiled, attention=attention)
    given = random_inputs(scale, scale.clip)
    return seconds(lambda: net(**given), scale.device, repeats)


def time_stock(scale: Scale, repeats: int, compiled: bool, attention: str | None) -> float:
    """Seconds of an evaluation of diffusers' Wan transformer, which hears nothing."""
    width = scale.config["num_attention_heads"] * scale.config["attention_head_dim"]
    config = {name: scale.config[name] for name in SHARED} | {"added_kv_proj_dim": width}
    net = random_network(WanTransformer3DModel, scale, config, scale.device, filled=True)
    if attention is not None:
        net.set_attention_backend(attention)
    if compiled:
        net.compile_repeated_blocks()
    given = random_inputs(scale, scale.clip)
    seen = torch.cat([given["latents"], given["condition"]], 1)
    read = (given["timestep"], given["text"], given["image"])
    return seconds(lambda: net(seen, *read, return_dict=False), scale.device, repeats)


def timing(scale: Scale, repeats: int, compiled: bool, attention: str | None, bits: Bits) -> Row:
    """One evaluation of ours and one of the stock transformer; their networks are never there together."""
    ours = time_ours(scale, repeats, compiled, attention, bits)
    stock = time_stock(scale, repeats, compiled, attention)
    frames, height, width = scale.clip
    how = ", ".join([bits, *(["blocks compiled"] if compiled else []), *([attention] if attention else [])])
    name = f"seconds an evaluation, {width}x{height}, {frames} frames: ours with sound ({how}) / diffusers' stock Wan"
    value, figures = f"{ours:.3g} / {stock:.3g} s", {"ours": ours, "stock": stock}
    return judged(name, value, "", "as fast", True, ours <= stock, **figures)


def peak(call: Callable[[], object], resident: int, device: torch.device) -> float:
    """Greatest number of bytes in use during a call, with what holes and the card's own context take. resident: bytes
    of weights, which on a processor are not seen."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        call()
        free, total = torch.cuda.mem_get_info(device)
        return torch.cuda.max_memory_reserved(device) + total - free - torch.cuda.memory_reserved(device)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        call()
    now = most = 0
    for event in profiler.profiler.kineto_results.events():
        if event.name() == "[memory]":
            now += event.nbytes()
            most = max(most, now)
    return resident + most


@torch.no_grad()
def memory(scale: Scale, fit: Fit) -> list[Row]:
    """Peak of every profile with a network that lies like this: one evaluation, a clip encoded and decoded."""
    device, rows = scale.device, []
    # From main memory block by block, as published files are.
    dit = random_network(AudioDiT, scale, scale.config, torch.device("cpu"), filled=False)
    place(dit, fit, device, scale.dtype)
    autoencoder = WanAutoencoder(AutoencoderKLWan().eval().requires_grad_(False).to(device))
    resident = sum(weights.nbytes for net in (dit, autoencoder) for weights in net.parameters())
    for wanted in scale.profiles:
        needs = needs_of(wanted.model_copy(update={"bits": fit.bits}), scale.config)
        foretold = needs.card[fit] - (RESERVE if device.type == "cpu" else 0)
        frames = wanted.geometry.clip_steps + 1 + wanted.tail_repeats
        side = round(wanted.area**0.5 / wanted.multiple) * wanted.multiple * wanted.scale

        def film(clip: tuple[int, int, int] = (frames, side, side)) -> None:
            dit(**random_inputs(scale, clip))
            video = torch.zeros(1, 3, *clip, device=device)
            autoencoder.decode(autoencoder.encode(video))

        found = peak(film, resident, device)
        close = abs(found / foretold - 1) <= TOLERANCE
        value = f"{found / 1e9:.2f} GB, foretold {foretold / 1e9:.2f}"
        figures = {"measured": found, "foretold": foretold}
        rows.append(
            judged(f"peak memory, {wanted.name}, weights {fit}", value, "within 10 %", "", close, False, **figures)
        )
    return rows


def main(
    tiny_scale: Annotated[bool, typer.Option("--tiny", help="small networks on the processor")] = False,
    compiled: Annotated[bool, typer.Option(help="blocks compiled, of both networks")] = False,
    attention: Annotated[str | None, typer.Option(help="diffusers' attention backend, for both networks")] = None,
    bits: Annotated[str, typer.Option(help="bf16, int8 or float8: format of our weights when timed")] = "bf16",
    repeats: Annotated[int, typer.Option(min=1)] = 3,
) -> None:
    """Print rows for RESULTS.md."""
    if not tiny_scale and not torch.cuda.is_available():
        print("this computer has no graphics card that torch finds; --tiny tries the script without.", file=sys.stderr)
        raise typer.Exit(2)
    if bits not in get_args(Bits):
        raise typer.BadParameter(f"{bits!r} is none of {', '.join(get_args(Bits))}")
    scale = tiny() if tiny_scale else full(torch.device("cuda"))
    rows = [timing(scale, repeats, compiled, attention, bits)]  # type: ignore[arg-type]
    for fit in ways(None):
        if (fit.bits == "bf16" or find_spec("torchao")) and not (fit.streamed and tiny_scale):
            rows += memory(scale, fit)
    machine = torch.cuda.get_device_name() if scale.device.type == "cuda" else platform.processor() or "a processor"
    command = " ".join(["python", "benchmarks/on_card.py", *sys.argv[1:]])
    run = Run(command, str(date.today()), f"{machine}, torch {torch.__version__}", "random")
    print(markdown([Entry("public weights on a card", row, run) for row in rows], [run]))
    print(f"\n1. `{run.command}`, {run.date}, {run.machine}, weights {run.weights}")
    if any(row.passed is False for row in rows):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
