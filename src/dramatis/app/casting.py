"""Who is who: from a picture of several people, and what a user says of each, to the characters of a storyline.

Nobody is ever bound by a guess. Where it is not clear who is meant, the refusal names a copy of the picture in which
everybody has a number; `dramatis characters` draws the same before anything is planned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from dramatis.app.requests import CharacterRequest
from dramatis.errors import UserError
from dramatis.media.image import fitted_box, to_png
from dramatis.media.sheet import PERSON_COLOURS
from dramatis.runtime.files import write_whole
from dramatis.senses.seeing.eye import Face
from dramatis.senses.seeing.finder import person_finder
from dramatis.senses.seeing.likeness import SAME_FACE_LIKENESS, likeness
from dramatis.senses.seeing.people import DetectedPerson, head_size
from dramatis.senses.seeing.picture_file import PictureFile, open_picture
from dramatis.story.storyline import Character
from dramatis.story.values import Box

_MIN_OVERLAP, _CLEARLY = 0.4, 1.5
"""Where a box holds several faces: least overlap with a person, and how far ahead of the next that person must be."""
_EQUALLY_LARGE, _BESIDE = 0.67, 0.4
"""Height of a head, over the largest one's, above which it is not clear who speaks, and from which somebody listens."""
_MIN_DRAWN_WIDTH = 960
"""Least width of a numbered picture, px, so that its numbers can be read."""


@dataclass(frozen=True, eq=False)
class GroupPicture:
    """A picture file and everybody in it, from left to right, in pixels of its overview."""

    picture: PictureFile
    people: tuple[DetectedPerson, ...]

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self.picture.path

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the file's picture, px."""
        return self.picture.size


class _Unclear(Exception):
    """It is not clear who is meant: the fault, and what to do about it."""

    def __init__(self, fault: str, remedy: str) -> None:
        super().__init__(fault)
        self.fault, self.remedy = fault, remedy


@dataclass(frozen=True)
class Roles:
    """Who speaks in a picture in which nobody is named; people are numbered from the left, from 0.

    people: how many faces are seen. speaker: whoever is by far the largest. listeners: who stands beside them. Others
    are far behind and belong to the background. unclear: whether several are equally large.
    """

    people: int
    speaker: int
    listeners: tuple[int, ...] = ()
    unclear: bool = False

    @property
    def cast(self) -> tuple[int, ...]:
        """Who is filmed as a character, from left to right."""
        return tuple(sorted((self.speaker, *self.listeners)))

    @property
    def number(self) -> int:
        """The speaker's place in the cast."""
        return self.cast.index(self.speaker)

    def notes(self, picture: Path) -> tuple[str, ...]:
        """What was decided, in words."""
        if self.people < 2:
            return ()
        behind = self.people - len(self.cast)
        parts = [f"person {self.speaker + 1} from the left is by far the largest and speaks"]
        if self.listeners:
            parts.append(f"{_people(len(self.listeners))} beside listen" + "s" * (len(self.listeners) == 1))
        if behind:
            parts.append(f"{_people(behind)} in the background stay" + "s" * (behind == 1) + " as in the picture")
        return (f"{picture}: " + ", ".join(parts) + "; use --character to decide otherwise.",)


def roles_by_size(faces: Sequence[Face]) -> Roles:
    """Who speaks, listens or stands in the background, by how large the heads are."""
    if not faces:
        return Roles(0, 0)
    sizes = [head_size(face) for face in faces]
    speaker = max(range(len(sizes)), key=sizes.__getitem__)
    others = [person for person in range(len(sizes)) if person != speaker]
    unclear = any(sizes[person] > _EQUALLY_LARGE * sizes[speaker] for person in others)
    listeners = tuple(person for person in others if sizes[person] >= _BESIDE * sizes[speaker])
    return Roles(len(faces), speaker, listeners, unclear)


def find_group(picture: PictureFile, chosen: Sequence[int] | None = None) -> GroupPicture:
    """Find everybody in a picture, or those chosen, by number from 0. Raises UserError for one that shows no face."""
    people = person_finder().everybody(picture)
    if chosen is not None:
        people = tuple(people[person] for person in chosen)
    if not people:
        raise UserError(f"{picture.path}: no face was found in this picture; give one that shows faces from the front.")
    return GroupPicture(picture, people)


def assign_people(requests: Sequence[CharacterRequest], group: GroupPicture, numbered: Path) -> tuple[int, ...]:
    """Which of the group's people each character is.

    Characters without a clue are the people who are left over, from left to right, if there are just as many. Raises
    UserError where it is not clear who is meant, after drawing the people with their numbers into the file `numbered`.
    """
    try:
        return _assigned(requests, group)
    except _Unclear as unclear:
        write_whole(numbered, to_png(draw_numbered_people(group)))
        raise UserError(f"{unclear.fault} ({numbered} shows who is who); {unclear.remedy}.") from unclear


def _assigned(requests: Sequence[CharacterRequest], group: GroupPicture) -> tuple[int, ...]:
    count = len(group.people)
    if len(requests) > count:
        raise _Unclear(
            f"{len(requests)} characters are named but {_people(count)} can be seen in {group.path}",
            "leave out who cannot be seen, or give a picture in which every face shows",
        )
    chosen = {index: _meant(request, group) for index, request in enumerate(requests) if request.says_who}
    for index, person in chosen.items():
        first = next(earlier for earlier in chosen if chosen[earlier] == person)
        if first != index:
            raise _Unclear(
                f"{requests[first].name!r} and {requests[index].name!r} both mean person {person + 1} of {group.path}",
                "let each mean a person of their own",
            )
    unassigned = [index for index in range(len(requests)) if index not in chosen]
    free = [person for person in range(count) if person not in chosen.values()]
    if unassigned and len(unassigned) != len(free):
        raise _Unclear(
            f"{requests[unassigned[0]].name!r} may be any of {_people(len(free))} in {group.path}",
            "say who is meant with at=1, box=, point= or image=",
        )
    chosen |= dict(zip(unassigned, free, strict=False))
    return tuple(chosen[index] for index in range(len(requests)))


def _meant(request: CharacterRequest, group: GroupPicture) -> int:
    """The person whom all clues of a character mean."""
    clues: dict[str, Callable[[], int]] = {}
    if request.at is not None:
        clues["at"] = lambda: _at_position(request, group)
    if request.box is not None:
        clues["box"] = lambda: _in_box(request, group)
    if request.point is not None:
        clues["point"] = lambda: _at_point(request, group)
    if request.image is not None:
        clues["image"] = lambda: _in_crop(request, group)
    persons = {key: person() for key, person in clues.items()}
    first, *others = persons
    for key in others:
        if persons[key] != persons[first]:
            raise _Unclear(
                f"The clues {first}= and {key}= of {request.name!r} mean person {persons[first] + 1} and person "
                f"{persons[key] + 1} of {group.path}",
                "leave one of them out",
            )
    return persons[first]


def _at_position(request: CharacterRequest, group: GroupPicture) -> int:
    count, at = len(group.people), str(request.at)
    positions = {"left": 0, "right": count - 1} | ({"middle": count // 2} if count % 2 else {})
    if at in positions:
        return positions[at]
    if at.isdecimal() and 1 <= int(at) <= count:
        return int(at) - 1
    raise _Unclear(
        f"The clue at={at} of {request.name!r} means nobody among {_people(count)} in {group.path}",
        f"write {', '.join(positions)} or a number from 1 to {count}, counted from the left",
    )


def _in_box(request: CharacterRequest, group: GroupPicture) -> int:
    assert request.box is not None
    left, top, right, bottom = box = Box(*_shares(request, "box", request.box, group))
    if right <= left or bottom <= top:
        raise _Unclear(
            f"The box of {request.name!r} has no size", "write box=left:top:right:bottom, the larger numbers last"
        )
    faces = [person.face for person in group.people]
    inside = [
        index for index, face in enumerate(faces) if left < face.centre[0] < right and top < face.centre[1] < bottom
    ]
    if len(inside) > 1:
        overlaps = {index: max(box.iou(faces[index]), box.iou(group.people[index].person)) for index in inside}
        best, second = sorted(inside, key=lambda index: -overlaps[index])[:2]
        inside = [best] if overlaps[best] > max(_MIN_OVERLAP, _CLEARLY * overlaps[second]) else inside
    return _only(request, "box", inside, group)


def _at_point(request: CharacterRequest, group: GroupPicture) -> int:
    assert request.point is not None
    x, y = _shares(request, "point", request.point, group)

    def holding(boxes: Iterable[Box]) -> list[int]:
        return [index for index, box in enumerate(boxes) if box.left <= x <= box.right and box.top <= y <= box.bottom]

    people = holding(person.face for person in group.people) or holding(person.person for person in group.people)
    return _only(request, "point", people, group)


def _only(request: CharacterRequest, key: str, people: Sequence[int], group: GroupPicture) -> int:
    if len(people) == 1:
        return people[0]
    who = f"{len(people)} people" if people else "nobody"
    raise _Unclear(f"The {key} of {request.name!r} holds {who} of {group.path}", "put it on the face of one person")


def _shares(request: CharacterRequest, key: str, numbers: tuple[float, ...], group: GroupPicture) -> tuple[float, ...]:
    """Numbers in pixels or in shares of the picture as shares."""
    sides = group.size * (len(numbers) // 2)
    shares = numbers if max(numbers) <= 1 else tuple(n / side for n, side in zip(numbers, sides, strict=True))
    if min(shares) < 0 or max(shares) > 1:
        raise _Unclear(
            f"The {key} of {request.name!r} reaches outside {group.path}, which is {group.size[0]}x{group.size[1]} "
            "pixels",
            f"write a {key} within the picture",
        )
    return shares


def _in_crop(request: CharacterRequest, group: GroupPicture) -> int:
    assert request.image is not None
    crop = open_picture(request.image)
    people = person_finder().everybody(crop)
    if len(people) != 1:
        shown = "no face" if not people else f"{len(people)} faces"
        raise _Unclear(
            f"{request.image}, which is to show {request.name!r}, shows {shown}",
            "cut head and shoulders of one person out of the picture, or write at= instead",
        )
    wanted, overview = people[0].landmarks, group.picture.overview
    values = [likeness(crop.overview, wanted, overview, person.landmarks) for person in group.people]
    same = [index for index, value in enumerate(values) if value >= SAME_FACE_LIKENESS]
    if len(same) != 1:
        who = " or ".join(f"person {index + 1}" for index in same) or "nobody"
        raise _Unclear(
            f"{request.image}, which is to show {request.name!r}, matches {who} in {group.path}",
            "cut one person out of this very picture, or write at= instead",
        )
    return same[0]


def characters_of(
    requests: Sequence[CharacterRequest], people: Sequence[int], group: GroupPicture
) -> tuple[Character, ...]:
    """The characters of a storyline, without voices, in the order of the requests.

    Everybody else in the picture follows and only listens. Where only one person is seen no face has to be told
    apart.
    """
    names = {person: request.name for person, request in zip(people, requests, strict=True)}
    for person in range(len(group.people)):
        names.setdefault(person, _free(f"person {person + 1}", names.values()))
    images = {person: request.image for person, request in zip(people, requests, strict=True)}
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


def check_filmed(characters: Sequence[Character], group: GroupPicture, size: tuple[int, int]) -> None:
    """Raises UserError for somebody whose face is cut off in a video of `size` (width, height) px."""
    for character in characters:
        if character.face is None:
            continue
        x, y = Box(*fitted_box(character.face, group.size, size)).centre
        if not (0 < x < 1 and 0 < y < 1):
            raise UserError(
                f"{group.path}: the video is cut to {size[0]}x{size[1]} pixels and loses the face of "
                f"{character.name!r}; crop the picture so that everybody is nearer to the middle."
            )


def draw_numbered_people(group: GroupPicture, names: Mapping[int, str] | None = None) -> Image.Image:
    """The picture with everybody's box, face and number, and names where they are known, by number from 0."""
    picture = Image.fromarray(group.picture.overview)
    scale = max(1.0, _MIN_DRAWN_WIDTH / picture.width)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=max(14, picture.height // 20))
    line = max(2, picture.height // 200)
    for index, person in enumerate(group.people):
        colour = tuple(int(value) for value in PERSON_COLOURS[index % len(PERSON_COLOURS)])
        body, face = (box.pixels(picture.size) for box in (person.person, person.face))
        draw.rectangle(body, outline=colour, width=line)
        draw.rectangle(face, outline=colour, width=max(1, line // 2))
        label = f" {index + 1} {(names or {}).get(index, '')}".rstrip() + " "
        corner = (body[0], body[1])
        draw.rectangle(draw.textbbox(corner, label, font=font), fill=colour)
        draw.text(corner, label, fill=(255, 255, 255), font=font)
    return picture


def people_lines(group: GroupPicture) -> list[str]:
    """A line for each person: number, position, and the face's box in pixels of the file, as `box=` takes it."""
    count = len(group.people)
    positions = {0: "left", count - 1: "right"} | ({count // 2: "middle"} if count % 2 and count > 1 else {})
    lines = []
    for index, person in enumerate(group.people):
        box = ":".join(str(round(value)) for value in person.face.pixels(group.size))
        lines.append(f"{index + 1}  {positions.get(index, '') if count > 1 else '':6}  box={box}")
    return lines


def _people(count: int) -> str:
    return "one person" if count == 1 else f"{count} people"
