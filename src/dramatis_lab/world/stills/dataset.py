"""Writes stills as shards for training the perception network.

Shards are those of `takes.dataset`: a safetensors file of some samples and a JSON manifest beside it. The same rules
hold for seeds, so a killed run resumes and a shard written again has equal bytes. A sample shows one person in P
pictures.

Arrays of sample i (pixels x right and y down)::

    {i}/frames     (P, H, W, 3) uint8
    {i}/landmarks  (P, 68, 2) float32   of the person the picture is of, px
    {i}/visible    (P,) float32         share of the landmarks, but for the jaw's, that nothing hides; 0 where some lie
                                        outside the picture
    {i}/hands      (P, 2, 2) float32    middles of that person's left and right palm, px, also where they are not seen
    {i}/person     (P, H, W) uint8      1 where anybody is, or what they hold
    {i}/face       (P, H, W) uint8      1 where the skin of a face or what lies in it is seen
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from dramatis.errors import UserError
from dramatis.runtime.progress import NullReporter, Reporter, StageProgress
from dramatis.runtime.seeds import derive_seed
from dramatis_lab.world.splits import SPLITS, seed_in_split
from dramatis_lab.world.stills.person import make_still_person
from dramatis_lab.world.stills.picture import StillPicture, render_still
from dramatis_lab.world.takes.dataset import Arrays, Sample, settle_recipe, shard_paths, write_missing, write_samples

PICTURES_PER_BACKDROP = 2
"""Of one person: painting a backdrop takes longer than rendering a picture."""


@dataclass(frozen=True)
class StillRecipe:
    """Everything that a set of stills depends on: equal recipes give equal bytes.

    size: side of the square pictures in pixels.  pictures: of one person, who is a sample.
    """

    seed: int = 0
    split: str = "train"
    size: int = 192
    pictures: int = 16
    samples_per_shard: int = 8
    format: str = "stills-2"

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise UserError(f"The split {self.split!r} is unknown; choose one of {', '.join(SPLITS)}.")


def write_stills(
    out: Path,
    shards: int,
    assets: Path,
    recipe: StillRecipe = StillRecipe(),
    workers: int = 2,
    reporter: Reporter | None = None,
) -> int:
    """Write the shards 0 .. `shards` - 1 of stills into the folder `out` and return how many were missing.

    Shards that exist are kept, so the same call resumes and a larger `shards` extends. Raises UserError where `out`
    holds a data set of another recipe.
    """
    settle_recipe(out, recipe)
    stage = StageProgress(reporter or NullReporter(), "stills", shards)
    return write_missing(out, shards, partial(_write_still_shard, out, assets, recipe), workers, stage)


def _write_still_shard(out: Path, assets: Path, recipe: StillRecipe, shard: int) -> int:
    seeds = [
        derive_seed("still", recipe.seed, recipe.split, shard, number) for number in range(recipe.samples_per_shard)
    ]
    write_samples(shard_paths(out, shard)[0], [make_stills(seed, assets, recipe) for seed in seeds])
    return shard


def make_stills(seed: int, assets: Path, recipe: StillRecipe = StillRecipe()) -> Sample:
    """The pictures of one person: their arrays (as above, without the prefix), and the row of the manifest."""
    rng = np.random.default_rng([seed, 0x7374696C])
    identity = seed_in_split(derive_seed("identity", seed), recipe.split)
    person = make_still_person(identity, assets)
    pictures: list[StillPicture] = []
    for number in range(recipe.pictures):
        backdrop = seed_in_split(derive_seed("backdrop", seed, number // PICTURES_PER_BACKDROP), recipe.split)
        pictures.append(render_still(person, backdrop, rng, assets, recipe.split, recipe.size))
    arrays: Arrays = {
        "frames": np.stack([picture.frame for picture in pictures]),
        "landmarks": np.stack([picture.landmarks for picture in pictures]),
        "visible": np.array([picture.visible for picture in pictures], np.float32),
        "hands": np.stack([picture.hands for picture in pictures]),
        "person": np.stack([picture.person for picture in pictures]),
        "face": np.stack([picture.face for picture in pictures]),
    }
    return arrays, {"seed": seed, "identity": identity, "split": recipe.split, "people": 1, "stills": True}
