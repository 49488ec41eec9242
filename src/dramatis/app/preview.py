"""How a shot will be framed, before anything is filmed: the portrait, moved as the performance moves it."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from dramatis.cascade.preparation import fit_heads, perform_cast
from dramatis.media.image import to_png
from dramatis.models.pictures import to_pictures, to_tensor
from dramatis.motion.face import project
from dramatis.motion.group import group_positions
from dramatis.sampling.conditioning import warp_picture
from dramatis.senses.hearing.prosody import prosodies
from dramatis.senses.seeing.picture_file import open_picture
from dramatis.story.observations import AudioObservations
from dramatis.story.storyline import Storyline

THUMBNAIL_SIDE = 192
MAX_THUMBNAILS = 60
"""Shots that are drawn; beyond, a page of an hour would weigh tens of megabytes."""


def thumbnails(storyline: Storyline, observations: AudioObservations) -> list[bytes]:
    """A png for each shot, from its middle: emotion, pose and camera, but no speech; none for very many shots."""
    if len(storyline.shots) > MAX_THUMBNAILS:
        return []
    shrink = THUMBNAIL_SIDE / max(storyline.width, storyline.height)
    width, height = (max(16, round(side * shrink)) for side in (storyline.width, storyline.height))
    picture = open_picture(storyline.image).fitted((width, height))
    rows = np.array([0, *((shot.span.start + shot.span.stop) // 2 for shot in storyline.shots)])
    performances = [
        performance.take(rows) for performance in perform_cast(storyline, prosodies(storyline, observations))
    ]
    heads = fit_heads(storyline, (width, height))
    anchors = np.stack(
        [project(head, performance, (height, width)) for head, performance in zip(heads, performances, strict=True)]
    )
    positions = torch.from_numpy(group_positions(anchors, performances, 0, (height, width))[1:])
    frames = to_pictures(warp_picture(to_tensor(picture[None])[:, :, 0], positions))
    return [to_png(Image.fromarray(frame)) for frame in frames]
