"""Who is who: from a picture of several people, and what a user says of each, to the characters of a storyline.

Nobody is ever bound by a guess. Where it is not clear who is meant, the refusal names a copy of the picture in which
everybody has a number; `dramatis characters` draws the same before anything is planned.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dramatis.errors import UserError
from dramatis.media.image import Pictures, fitted_box, load_image, to_png
from dramatis.media.sheet import COLOURS
from dramatis.runtime.files import write_whole
from dramatis.senses.seeing.likeness import SAME, likeness
from dramatis.senses.seeing.people import Eye, Found, find_people
from dramatis.story.dialogue import Box
from dramatis.story.storyline import Character

LOOKED_AT = 512
"""Shorter side at which a picture is looked at, px: the network sees less of it anyway."""
MOST_LETTERS = 40
KEYS = ("name", "image", "audio", "box", "point", "at")
_FORM = "write it like name=ann,at=left,audio=ann.wav"
_FITS, _CLEARLY = 0.4, 1.5
"""Of a box that holds several faces: least overlap with a person, and how far that one is ahead of the next."""
_DRAWN = 960
"""Least width of a numbered picture, px, so that its numbers can be read."""


@dataclass(frozen=True)
class Wanted:
    """A character as the user asks for it: what to call it, where it is heard, and any clues who is meant.

    box: left, top, right, bottom; point: x, y; both in pixels of the picture, or as shares of it where no number is
    greater than 1. at: "left", "middle", "right", or a number counted from the left. image: a crop of the picture.
    """

    name: str
    image: Path | None = None
    audio: Path | None = None
    box: tuple[float, ...] | None = None
    point: tuple[float, ...] | None = None
    at: str | None = None

    @property
    def says_who(self) -> bool:
        """Whether there is any clue."""
        return any(clue is not None for clue in (self.image, self.box, self.point, self.at))


@dataclass(frozen=True, eq=False)
class Group:
    """A picture and everybody in it, from left to right. picture: as it was looked at; size: (width, height) of the
    file, px."""

    path: Path
    size: tuple[int, int]
    picture: Pictures
    people: tuple[Found, ...]


class _Unclear(Exception):
    """It is not clear who is meant: the fault, and what to do about it."""

    def __init__(self, fault: str, remedy: str) -> None:
        super().__init__(fault)
        self.fault, self.remedy = fault, remedy


def read_characters(options: Iterable[str]) -> tuple[Wanted, ...]:
    """What `--character` options say. Raises UserError for one that cannot be read, and for a name that is taken."""
    wanted = tuple(_read(option) for option in options)
    names = [one.name.casefold() for one in wanted]
    for place, one in enumerate(wanted):
        if names[place] in names[:place]:
            raise UserError(f"Two characters are called {one.name!r}; give one of them another name.")
    return wanted


def _read(option: str) -> Wanted:
    # A comma separates only where a key follows, since file names may hold commas.
    parts = [part.partition("=") for part in re.split(r",(?=\s*[a-z_]+=)", option)]
    values = {key.strip(): value.strip() for key, _, value in parts}
    unknown = [key for key in values if key not in KEYS]
    if unknown or len(values) < len(parts):
        fault = f"has no {unknown[0]!r} to set" if unknown else "says one thing twice"
        raise UserError(f"The option --character {option!r} {fault}; it takes {', '.join(KEYS)}: {_FORM}.")
    empty = [key for key, value in values.items() if not value]
    if empty or "name" not in values:
        raise UserError(f"The option --character {option!r} lacks its {empty[0] if empty else 'name'}; {_FORM}.")
    name = values["name"]
    if len(name) > MOST_LETTERS or ":" in name or not name.isprintable():
        raise UserError(f"The name {name[:60]!r} has a colon or over {MOST_LETTERS} letters; choose a short plain one.")
    return Wanted(
        name=name,
        image=Path(values["image"]) if "image" in values else None,
        audio=Path(values["audio"]) if "audio" in values else None,
        box=_numbers(option, values, "box", "x0:y0:x1:y1"),
        point=_numbers(option, values, "point", "x:y"),
        at=values.get("at"),
    )


def _numbers(option: str, values: Mapping[str, str], key: str, form: str) -> tuple[float, ...] | None:
    if key not in values:
        return None
    try:
        numbers = tuple(float(number) for number in values[key].split(":"))
    except ValueError:
        numbers = ()
    if len(numbers) != form.count(":") + 1 or not all(math.isfinite(number) for number in numbers):
        raise UserError(f"The {key} in --character {option!r} cannot be read; write {key}={form} in pixels or shares.")
    return numbers


def look_at_group(path: Path, eye: Eye) -> Group:
    """Find everybody in a picture file. Raises UserError for one that cannot be used, or that shows no face."""
    image = load_image(path)
    picture = _looked_at(image)
    people = tuple(find_people(eye, picture))
    if not people:
        raise UserError(f"{path}: no face was found in this picture; give one that shows faces from the front.")
    return Group(path, image.size, picture, people)


def _looked_at(image: Image.Image) -> Pictures:
    scale = min(1.0, LOOKED_AT / min(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS))


def bind(wanted: Sequence[Wanted], group: Group, eye: Eye, numbered: Path) -> tuple[int, ...]:
    """Which of the group's people each character is.

    Those without a clue are the people who are left over, from left to right, if there are just as many. Raises
    UserError where it is not clear who is meant, after drawing the people with their numbers into the file `numbered`.
    """
    try:
        return _bound(wanted, group, eye)
    except _Unclear as unclear:
        write_whole(numbered, to_png(draw_people(group)))
        raise UserError(f"{unclear.fault} ({numbered} shows who is who); {unclear.remedy}.") from unclear


def _bound(wanted: Sequence[Wanted], group: Group, eye: Eye) -> tuple[int, ...]:
    count = len(group.people)
    if len(wanted) > count:
        raise _Unclear(
            f"{len(wanted)} characters are named but {_people(count)} can be seen in {group.path}",
            "leave out who cannot be seen, or give a picture in which every face shows",
        )
    chosen = {place: _meant(one, group, eye) for place, one in enumerate(wanted) if one.says_who}
    for place, person in chosen.items():
        other = next(earlier for earlier in chosen if chosen[earlier] == person)
        if other != place:
            raise _Unclear(
                f"{wanted[other].name!r} and {wanted[place].name!r} both mean person {person + 1} of {group.path}",
                "let each mean a person of their own",
            )
    silent = [place for place in range(len(wanted)) if place not in chosen]
    left = [person for person in range(count) if person not in chosen.values()]
    if silent and len(silent) != len(left):
        raise _Unclear(
            f"{wanted[silent[0]].name!r} may be any of {_people(len(left))} in {group.path}",
            "say who is meant with at=1, box=, point= or image=",
        )
    chosen |= dict(zip(silent, left, strict=False))
    return tuple(chosen[place] for place in range(len(wanted)))


def _meant(one: Wanted, group: Group, eye: Eye) -> int:
    """The person whom all clues of a character mean."""
    clues: dict[str, Callable[[], int]] = {}
    if one.at is not None:
        clues["at"] = lambda: _at_place(one, group)
    if one.box is not None:
        clues["box"] = lambda: _in_box(one, group)
    if one.point is not None:
        clues["point"] = lambda: _at_point(one, group)
    if one.image is not None:
        clues["image"] = lambda: _in_crop(one, group, eye)
    found = {key: person() for key, person in clues.items()}
    first, *others = found
    for key in others:
        if found[key] != found[first]:
            raise _Unclear(
                f"{first}= and {key}= of {one.name!r} mean person {found[first] + 1} and person {found[key] + 1} "
                f"of {group.path}",
                "leave one of them out",
            )
    return found[first]


def _at_place(one: Wanted, group: Group) -> int:
    count, at = len(group.people), str(one.at)
    places = {"left": 0, "right": count - 1} | ({"middle": count // 2} if count % 2 else {})
    if at in places:
        return places[at]
    if at.isdecimal() and 1 <= int(at) <= count:
        return int(at) - 1
    raise _Unclear(
        f"at={at} of {one.name!r} means nobody among {_people(count)} in {group.path}",
        f"write {', '.join(places)} or a number from 1 to {count}, counted from the left",
    )


def _in_box(one: Wanted, group: Group) -> int:
    assert one.box is not None
    left, top, right, bottom = box = _shares(one, "box", one.box, group)
    if right <= left or bottom <= top:
        raise _Unclear(f"the box of {one.name!r} has no size", "write box=left:top:right:bottom, the larger ones last")
    inside = [
        person
        for person, found in enumerate(group.people)
        if left < (found.face[0] + found.face[2]) / 2 < right and top < (found.face[1] + found.face[3]) / 2 < bottom
    ]
    if len(inside) > 1:
        fits = {p: max(overlap(box, group.people[p].face), overlap(box, group.people[p].person)) for p in inside}
        best, second = sorted(inside, key=lambda person: -fits[person])[:2]
        inside = [best] if fits[best] > max(_FITS, _CLEARLY * fits[second]) else inside
    return _only(one, "box", inside, group)


def _at_point(one: Wanted, group: Group) -> int:
    assert one.point is not None
    x, y = _shares(one, "point", one.point, group)

    def held(box: Box) -> bool:
        return box[0] <= x <= box[2] and box[1] <= y <= box[3]

    faces = [person for person, found in enumerate(group.people) if held(found.face)]
    return _only(one, "point", faces or [p for p, found in enumerate(group.people) if held(found.person)], group)


def _only(one: Wanted, key: str, people: Sequence[int], group: Group) -> int:
    if len(people) == 1:
        return people[0]
    who = f"{len(people)} people" if people else "nobody"
    raise _Unclear(f"the {key} of {one.name!r} holds {who} of {group.path}", "put it on the face of one person")


def _shares(one: Wanted, key: str, numbers: tuple[float, ...], group: Group) -> tuple[float, ...]:
    sides = group.size * (len(numbers) // 2)
    shares = numbers if max(numbers) <= 1 else tuple(n / side for n, side in zip(numbers, sides, strict=True))
    if min(shares) < 0 or max(shares) > 1:
        raise _Unclear(
            f"the {key} of {one.name!r} reaches outside {group.path}, which is {group.size[0]}x{group.size[1]} pixels",
            f"write a {key} within the picture",
        )
    return shares


def _in_crop(one: Wanted, group: Group, eye: Eye) -> int:
    assert one.image is not None
    crop = _looked_at(load_image(one.image))
    faces = eye.find(crop)
    if len(faces) != 1:
        seen = "no face" if not faces else f"{len(faces)} faces"
        raise _Unclear(
            f"{one.image}, which is to show {one.name!r}, shows {seen}",
            "cut head and shoulders of one person out of the picture, or write at= instead",
        )
    alike = [likeness(crop, faces[0].landmarks, group.picture, found.landmarks) for found in group.people]
    same = [person for person, value in enumerate(alike) if value >= SAME]
    if len(same) != 1:
        who = " or ".join(f"person {person + 1}" for person in same) or "nobody"
        raise _Unclear(
            f"{one.image}, which is to show {one.name!r}, matches {who} in {group.path}",
            "cut one person out of this very picture, or write at= instead",
        )
    return same[0]


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """Intersection over union of two boxes (left, top, right, bottom), 0..1."""
    width, height = (max(0.0, min(a[side + 2], b[side + 2]) - max(a[side], b[side])) for side in (0, 1))
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return width * height / max(areas - width * height, 1e-9)


def characters_of(wanted: Sequence[Wanted], people: Sequence[int], group: Group) -> tuple[Character, ...]:
    """The characters of a storyline, without voices: those who are wanted, in their order, then everybody else in the
    picture, who only listens. Where one person is seen nobody needs a face."""
    names = {person: one.name for person, one in zip(people, wanted, strict=True)}
    for person in range(len(group.people)):
        names.setdefault(person, _free(f"person {person + 1}", names.values()))
    images = {person: one.image for person, one in zip(people, wanted, strict=True)}
    alone = len(group.people) == 1
    return tuple(
        Character(
            name=name,
            image=str(images[person]) if images.get(person) else None,
            face=None if alone else group.people[person].face,
        )
        for person, name in names.items()
    )


def _free(name: str, taken: Iterable[str]) -> str:
    return _free(f"{name}*", taken) if name in taken else name


def check_filmed(characters: Sequence[Character], group: Group, size: tuple[int, int]) -> None:
    """Raises UserError for somebody whose face a video of `size` (width, height) px, of another shape, cuts off."""
    for character in characters:
        if character.face is None:
            continue
        left, top, right, bottom = fitted_box(character.face, group.size, size)
        if not (0 < (left + right) / 2 < 1 and 0 < (top + bottom) / 2 < 1):
            raise UserError(
                f"{group.path}: the video is cut to {size[0]}x{size[1]} pixels and loses the face of "
                f"{character.name!r}; crop the picture so that everybody is nearer to the middle."
            )


def draw_people(group: Group, names: Mapping[int, str] | None = None) -> Image.Image:
    """The picture with everybody's box, face and number, and names where they are known, by number from 0."""
    picture = Image.fromarray(group.picture)
    scale = max(1.0, _DRAWN / picture.width)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=max(14, picture.height // 20))
    line = max(2, picture.height // 200)
    for person, found in enumerate(group.people):
        colour = tuple(int(value) for value in COLOURS[person % len(COLOURS)])
        body, face = (_pixels(box, picture.size) for box in (found.person, found.face))
        draw.rectangle(body, outline=colour, width=line)
        draw.rectangle(face, outline=colour, width=max(1, line // 2))
        label = f" {person + 1} {(names or {}).get(person, '')}".rstrip() + " "
        corner = (body[0], body[1])
        draw.rectangle(draw.textbbox(corner, label, font=font), fill=colour)
        draw.text(corner, label, fill=(255, 255, 255), font=font)
    return picture


def describe(group: Group) -> list[str]:
    """A line for each person: number, place, and the face's box in pixels of the file, as `box=` takes it."""
    count = len(group.people)
    words = {0: "left", count - 1: "right"} | ({count // 2: "middle"} if count % 2 and count > 1 else {})
    lines = []
    for person, found in enumerate(group.people):
        box = ":".join(str(round(value)) for value in _pixels(found.face, group.size))
        lines.append(f"{person + 1}  {words.get(person, '') if count > 1 else '':6}  box={box}")
    return lines


def _pixels(box: Box, size: tuple[int, int]) -> tuple[float, float, float, float]:
    left, top, right, bottom = (share * side for share, side in zip(box, size * 2, strict=True))
    return left, top, right, bottom


def _people(count: int) -> str:
    return "one person" if count == 1 else f"{count} people"
