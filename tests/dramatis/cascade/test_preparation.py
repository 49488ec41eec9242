"""What the stages read: pictures, heads, voices and performances, for one person and for several."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dramatis.app.pipeline import AvatarPipeline
from dramatis.cascade.preparation import fit_heads, prepare, reference_picture, scale_heads
from dramatis.cascade.tone_curve import brighten
from dramatis.errors import UserError
from dramatis.motion.face import TEMPLATE_68, project
from dramatis.motion.performance import Performance
from dramatis.runtime.executor import SerialExecutor
from dramatis.runtime.store import ArtifactStore
from dramatis.senses.hearing.prosody import prosodies
from dramatis.senses.seeing.finder import PersonFinder
from tests.inputs import MakeAudio, MakeImage
from tests.people import StageRecorder, a_pair, see_a_face_in_every_picture, two_faces

__all__ = ["two_faces"]  # a fixture


def test_a_size_that_the_model_cannot_film_is_refused(
    model_twice: Path, make_audio: MakeAudio, make_image: MakeImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    see_a_face_in_every_picture(monkeypatch)
    pipe = AvatarPipeline.from_pretrained(model_twice)
    storyline = pipe.plan(make_image("face.png", (200, 200)), make_audio("voice.wav", 1.0)).storyline
    assert (storyline.width, storyline.height) == (128, 128)
    with pytest.raises(UserError, match=r"144x128 does not fit [Tt]he model 'tiny'; .* multiples of 32"):
        pipe.render(storyline.model_copy(update={"width": 144}), tmp_path / "o.mp4")
    assert not (tmp_path / "o.mp4").exists()


def test_dark_faces_of_several_are_filmed_in_lighter_tones(
    model: Path, two_faces: None, make_audio: MakeAudio, make_image: MakeImage, tmp_path: Path
) -> None:
    backbone = AvatarPipeline.from_pretrained(model).backbone
    pair = a_pair(make_audio, make_image, "low", "high")
    parts = ArtifactStore(tmp_path / "store"), SerialExecutor(), StageRecorder()
    one = pair.model_copy(update={"characters": pair.characters[:1]})
    own = reference_picture(Path(pair.image), pair.width, pair.height)
    for storyline, tone, lift in ((pair, None, 1.0), (one, 0.5, 1.0), (pair, 0.5, np.log(0.5) / np.log(280 / 765))):
        backbone.profile = backbone.profile.changed({"framing.face_tone": tone})
        material = prepare(storyline, prosodies(storyline), backbone, *parts).inputs
        assert material.gamma == pytest.approx(lift, abs=0.01)
        assert np.array_equal(material.portrait, brighten(own, material.gamma))


def test_who_has_no_voice_hears_silence(
    model: Path, two_faces: None, make_audio: MakeAudio, make_image: MakeImage, tmp_path: Path
) -> None:
    pipe = AvatarPipeline.from_pretrained(model)
    storyline = a_pair(make_audio, make_image, "low", None)
    store = ArtifactStore(tmp_path / "store")
    job = prepare(storyline, prosodies(storyline), pipe.backbone, store, SerialExecutor(), StageRecorder())
    speaking, listening = job.inputs.characters
    quiet, _ = pipe.backbone.encode_speech(Path(storyline.audio), 20, ())
    assert np.array_equal(listening.features, quiet)
    assert not np.array_equal(speaking.features, quiet)
    assert np.array_equal(speaking.performance.camera, listening.performance.camera), "both are seen by one camera"
    assert not np.allclose(speaking.performance.head, listening.performance.head), "they do not sway as one"


def test_a_face_that_is_not_where_its_box_says_is_refused(
    model: Path, make_audio: MakeAudio, make_image: MakeImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PersonFinder, "in_boxes", lambda finder, picture, size, boxes, store: [None for _ in boxes])
    storyline = a_pair(make_audio, make_image, "low", "high")
    with pytest.raises(UserError, match=r"pair.png: no face was found in the box of 'ann'; .* `dramatis characters"):
        AvatarPipeline.from_pretrained(model).render(storyline, tmp_path / "o.mp4")
    assert not (tmp_path / "o.mp4").exists()


def test_heads_keep_their_place_at_another_size(two_faces: None, make_audio: MakeAudio, make_image: MakeImage) -> None:
    storyline = a_pair(make_audio, make_image, "low", "high")
    small, large = (64, 32), (128, 64)
    for head, doubled in zip(
        fit_heads(storyline, small), scale_heads(fit_heads(storyline, small), small, large), strict=True
    ):
        points, larger = (
            project(each, Performance.still(1), size[::-1], TEMPLATE_68)
            for each, size in ((head, small), (doubled, large))
        )
        assert np.allclose(larger, 2 * points)
