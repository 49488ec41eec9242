"""What the stages read: pictures, heads, voices and performances, for one person and for several."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dramatis.app.pipeline import AvatarPipeline
from dramatis.backbones.mini import MiniBackbone
from dramatis.backbones.profile_files import load_profile
from dramatis.cascade.preparation import prepare, reference_picture
from dramatis.cascade.tone_curve import brighten
from dramatis.errors import UserError
from dramatis.motion.articulation import OUTER_EYE_DISTANCE
from dramatis.motion.face import TEMPLATE_68, project
from dramatis.motion.performance import Performance
from dramatis.runtime.executor import SerialExecutor
from dramatis.runtime.store import ArtifactStore
from dramatis.senses.hearing.prosody import prosodies
from dramatis.senses.seeing.finder import PersonFinder
from tests import ROOT
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


def test_the_portrait_acts_in_a_window_of_the_frame(model_twice: Path, make_audio: MakeAudio, tmp_path: Path) -> None:
    """Heads, faces and mouths fit the window; the frame around it keeps the camera's moves."""
    profile = load_profile(model_twice).changed({"framing.target_interocular_px": 16.0})
    backbone = MiniBackbone(model_twice, profile)
    image, voice = ROOT / "examples" / "portrait.png", make_audio("voice.wav", 1.0)
    storyline = AvatarPipeline(backbone, "tiny").plan(image, voice, "fast push in", size="256").storyline
    store = ArtifactStore(tmp_path / "store")
    inputs = prepare(storyline, prosodies(storyline), backbone, store, SerialExecutor(), StageRecorder()).inputs
    (role,) = inputs.characters
    assert inputs.whole is not None
    assert inputs.film is not None
    assert (inputs.frame_size, inputs.size, inputs.scale) == ((256, 256), (48, 48), 2)
    assert inputs.film.mouths.shape == (1, 25, 11)
    assert abs(role.head.scale * OUTER_EYE_DISTANCE - 16) < 3
    seen = project(role.head, Performance.still(1), (48, 48), TEMPLATE_68)[0]
    assert np.abs(2 * seen - inputs.film.cast.faces[0].landmarks).max() < 8
    assert not role.performance.camera[:, :4].any()
    assert inputs.whole.film.performances[0].camera[-1, 0] > 0
    first = inputs.digest(np.arange(25))
    shut = replace(inputs.film, mouths=0 * inputs.film.mouths)
    assert replace(inputs, film=shut).digest(np.arange(25)) != first, "a mouth is part of what a clip reads"
