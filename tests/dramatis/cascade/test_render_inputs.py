from __future__ import annotations

from dataclasses import replace

import numpy as np

from dramatis.cascade.render_inputs import CharacterInputs, RenderInputs
from dramatis.motion.face import fit_head
from dramatis.motion.performance import Performance
from tests.tiny import canonical_sight


def some_inputs(frames: int = 60, people: int = 1) -> RenderInputs:
    rng = np.random.default_rng(0)
    performance = Performance.still(frames)
    performance.camera[:, 0] = np.linspace(0, 0.3, frames)
    return RenderInputs(
        portrait=rng.integers(0, 256, (128, 96, 3)).astype(np.uint8),
        reference=rng.integers(0, 256, (64, 48, 3)).astype(np.uint8),
        characters=tuple(
            CharacterInputs(
                features=rng.normal(size=(frames, 12)).astype(np.float16),
                openings=rng.random(frames).astype(np.float32),
                performance=performance,
                head=replace(fit_head(canonical_sight().landmarks), centre=np.array([x, 30.0])),
            )
            for x in (20.0, 40.0)[:people]
        ),
    )


def test_a_clip_reads_its_own_frames() -> None:
    inputs, rows = some_inputs(), np.array([0, 4, 8, 8])
    assert inputs.size == (64, 48)
    assert inputs.scale == 2
    assert inputs.audio(rows).shape == (1, 4, 12)
    assert inputs.audio(rows).dtype == np.float32
    assert [len(performance) for performance in inputs.performances(rows)] == [4]
    anchors = inputs.anchors(rows)
    assert anchors.shape == (1, 4, 9, 2)
    assert np.array_equal(anchors[:, 2], anchors[:, 3])
    assert not np.array_equal(anchors[:, 0], anchors[:, 2])


def test_features_are_heard_with_their_neighbours() -> None:
    alone, rows = some_inputs(), np.array([0, 4, 59])
    heard = replace(alone, context=2).audio(rows)[0]
    assert heard.shape == (3, 5, 12)
    assert np.array_equal(heard[1], alone.audio(np.arange(2, 7))[0])
    assert np.array_equal(heard[0], alone.audio(np.array([0, 0, 0, 1, 2]))[0]), (
        "the first frame stands for those before"
    )
    assert np.array_equal(heard[2], alone.audio(np.array([57, 58, 59, 59, 59]))[0])
    character = alone.characters[0]
    other = replace(character, features=character.features + (np.arange(60) == 6)[:, None].astype(np.float16))
    changed = replace(alone, context=2, characters=(other,))
    assert changed.digest(rows) != replace(alone, context=2).digest(rows), "a neighbour is part of what is read"
    assert replace(changed, context=0).digest(rows) == alone.digest(rows)


def test_the_digest_names_what_a_clip_reads_and_nothing_else() -> None:
    one, rows = some_inputs(), np.arange(10, 30)
    digest = one.digest(rows)
    assert digest == some_inputs().digest(rows)
    assert digest != one.digest(rows + 1)

    def changed(frame: int) -> RenderInputs:
        character = one.characters[0]
        features, performance = character.features.copy(), character.performance.take(np.arange(60))
        features[frame] += 1
        performance.head[frame] += 0.1
        return replace(one, characters=(replace(character, features=features, performance=performance),))

    assert changed(40).digest(rows) == digest
    assert changed(29).digest(rows) != digest
    for picture in ("portrait", "reference"):
        assert replace(one, **{picture: getattr(one, picture) + np.uint8(1)}).digest(rows) != digest
    character = one.characters[0]
    larger = replace(character, head=replace(character.head, scale=character.head.scale * 1.01))
    assert replace(one, characters=(larger,)).digest(rows) != digest


def test_each_of_several_people_reads_their_own() -> None:
    pair, rows = some_inputs(people=2), np.array([0, 4])
    assert pair.audio(rows).shape == (2, 2, 12)
    for index, character in enumerate(pair.characters):
        alone = replace(pair, characters=(character,))
        for name in ("audio", "anchors"):
            assert np.array_equal(getattr(pair, name)(rows)[index], getattr(alone, name)(rows)[0])
        assert np.array_equal(pair.faces[index], alone.faces[0])
        assert alone.digest(rows) != pair.digest(rows)
    assert not np.array_equal(pair.faces[0], pair.faces[1])
    assert np.array_equal(pair.openings, np.maximum(*(character.openings for character in pair.characters))), (
        "the widest mouth"
    )
    assert replace(pair, characters=pair.characters[::-1]).digest(rows) != pair.digest(rows), "who is who matters"
