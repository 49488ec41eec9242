"""A storyline as one HTML page to look at: the sound with its shots, every prompt, the dialogue, each conflict.

The page stands alone: no script, nothing is fetched, pictures are inside. Whatever was written, said or answered by a
model is shown as text.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from typing import Literal

from dramatis.story.dialogue import Claim, Conflict, Turn
from dramatis.story.observations import VOICE_KINDS, AudioObservations
from dramatis.story.storyline import Shot, Storyline
from dramatis.story.values import FPS, FrameSpan

WIDTH, HEIGHT, LANE = 1000, 150, 16
"""Of the drawing of the sound, and of a character's lane below it, in its own units."""
MOST_POINTS = 1000
_KINDS = {"speech": "#4f7cac", "singing": "#a05fb0", "noise": "#b0a060", "pause": "#d8d8d4"}
_EXPERTS = {"audio": "#4f7cac", "visual": "#5b8f5b", "text": "#a8683c", "negative": "#9c4a52", "director": "#666666"}
_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1080px; padding: 0 1rem; color: #222; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p.lead { margin: .3rem 0 1rem; color: #555; } svg { width: 100%; height: auto; display: block; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .4rem .6rem;
  border-top: 1px solid #e4e4e0; } th { font-weight: 600; color: #555; border-top: 0; }
td img { width: 96px; border-radius: 4px; display: block; } .small { color: #666; font-size: .85rem; }
.pos { color: #23512f; } .neg { color: #7a2b33; } .turn { border-left: 4px solid; padding: .1rem 0 .1rem .8rem;
  margin: .8rem 0; } .turn b { text-transform: capitalize; } ul { margin: .3rem 0; padding-left: 1.2rem; }
.sure { display: inline-block; height: .5em; background: #999; vertical-align: middle; margin: 0 .3em; }
.inferred { font-style: italic; } .conflict { background: #faf6ec; padding: .5rem .8rem; margin: .5rem 0; }
"""


def storyline_page(storyline: Storyline, heard: AudioObservations, thumbnails: Sequence[bytes] = ()) -> str:
    """The page as HTML text. thumbnails: a png for each shot, or none."""
    parts = [
        f"<h1>{_text(storyline.prompt) or 'No direction was given'}</h1>",
        f'<p class="lead">{storyline.seconds:.2f} s, {len(storyline.shots)} shots, '
        f"{storyline.width}x{storyline.height}, seed {storyline.seed}</p>",
        sound_drawing(storyline, heard),
        "<h2>Shots</h2>",
        shot_table(storyline.shots, thumbnails),
        "<h2>The whole video</h2>",
        whole_table(storyline),
        "<h2>Conflicts</h2>",
        "".join(conflict_box(conflict) for conflict in storyline.conflicts) or "<p>None: everybody agreed.</p>",
        "<h2>The dialogue</h2>",
        "".join(turn_box(turn) for turn in storyline.dialogue) or "<p>Nobody spoke.</p>",
    ]
    title = _text(storyline.prompt[:60]) or "storyline"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">"
        f'<meta name="viewport" content="width=device-width"><title>{title}</title><style>{_STYLE}</style></head>\n'
        f"<body>{''.join(parts)}</body></html>\n"
    )


def sound_drawing(storyline: Storyline, heard: AudioObservations) -> str:
    """Loudness over time, what kind of sound it is and whose, where shots begin, how agitated the voice is, words.

    Where several people are seen, each has a lane below that shows when that one is heard.
    """
    shapes = [
        _band(
            event.span, heard.frames, 118, 10, _KINDS[event.kind], f"{event.kind} {', '.join(event.speakers)}".strip()
        )
        for event in heard.events
    ]
    names = [character.name for character in storyline.cast] if len(storyline.cast) > 1 else []
    for lane, name in enumerate(names):
        shapes += _lane(heard, name, HEIGHT + LANE * lane)
    # Where speakers are known, each stretch says whose it is when the one before was somebody else's.
    before = None
    for event in heard.events:
        if event.speaker and event.speaker != before:
            x, before = _x(event.span.start, heard.frames), event.speaker
            name = _text(event.speaker[:12])
            shapes.append(f'<text x="{x + 3:.1f}" y="126" font-size="9" fill="#fff">{name}</text>')
    for shot in storyline.shots:
        x = _x(shot.span.start, heard.frames)
        if shot.index % 2:
            shapes.append(_band(shot.span, heard.frames, 0, 116, "#f3f1ea", f"shot {shot.index}"))
        shapes.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="130" stroke="#b9b3a2"/>')
        label = f"{shot.index} {shot.emotion.name}"
        shapes.append(f'<text x="{x + 3:.1f}" y="11" font-size="10" fill="#777">{label}</text>')
    shapes.append(_area(heard.energy, 116, 80))
    for mood in heard.moods:
        left, right = _x(mood.span.start, heard.frames), _x(mood.span.stop, heard.frames)
        y = 116 - 90 * mood.arousal
        shapes.append(
            f'<line x1="{left:.1f}" x2="{right:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="#c8553d" stroke-width="2">'
            f"<title>agitation {mood.arousal:.2f}: {mood.emotion}, {mood.intent}</title></line>"
        )
    shapes += [_word(word.text, word.span.start, heard.frames) for word in heard.words[:: 1 + len(heard.words) // 24]]
    ticks = range(0, int(heard.seconds) + 1, max(1, round(heard.seconds / 12)))
    shapes += [
        f'<text x="{_x(second * FPS, heard.frames):.1f}" y="148" font-size="9" fill="#999">{second} s</text>'
        for second in ticks
    ]
    height = HEIGHT + LANE * len(names)
    legend = ", ".join(f'<span style="color:{colour}">{kind}</span>' for kind, colour in _KINDS.items())
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="the sound and its shots">{"".join(shapes)}</svg>'
        f'<p class="small">Loudness; {legend}; red: how agitated the voice sounds.</p>'
    )


def _lane(heard: AudioObservations, name: str, y: float) -> list[str]:
    """When one of several people is heard."""
    voices = [event for event in heard.events if event.kind in VOICE_KINDS and name in event.speakers]
    line = f'<line x1="0" x2="{WIDTH}" y1="{y + 7}" y2="{y + 7}" stroke="#d8d8d4"/>'
    bands = [
        _band(event.span, heard.frames, y + 2, 10, _KINDS[event.kind], f"{name}: {event.kind}") for event in voices
    ]
    return [line, *bands, f'<text x="3" y="{y + 11}" font-size="9" fill="#222">{_text(name[:24])}</text>']


def whole_table(storyline: Storyline) -> str:
    """The words for the whole video, and for its chapters where it has some."""
    parts: list[tuple[str, str, str]] = [("all", storyline.positive, storyline.negative)]
    parts += [(_when(chapter.span), chapter.positive, chapter.negative) for chapter in storyline.chapters]
    rows = (
        f'<tr><td class="small">{when}</td><td class="pos">{_text(shown)}</td>'
        f'<td class="neg">{_text(avoided)}</td></tr>'
        for when, shown, avoided in parts
    )
    return f"<table><tr><th></th><th>show</th><th>avoid</th></tr>{''.join(rows)}</table>"


def shot_table(shots: Sequence[Shot], thumbnails: Sequence[bytes] = ()) -> str:
    """A row for each shot, what to show and what to avoid side by side."""
    head = "<tr><th>shot</th>" + ("<th></th>" if thumbnails else "") + "<th>show</th><th>avoid</th></tr>"
    rows = []
    for index, shot in enumerate(shots):
        picture = ""
        if thumbnails:
            data = base64.b64encode(thumbnails[index]).decode("ascii")
            picture = f'<td><img alt="shot {shot.index}" src="data:image/png;base64,{data}"></td>'
        who = _text(", ".join(shot.speakers))
        rows.append(
            f'<tr><td>{shot.index}<br><span class="small">{_when(shot.span)}<br>{who}</span></td>{picture}'
            f'<td class="pos">{_text(shot.positive)}{_moments(shot, "positive")}<br>'
            f'<span class="small">{_text(_acts(shot))}</span></td>'
            f'<td class="neg">{_text(shot.negative)}{_moments(shot, "negative")}</td></tr>'
        )
    return f"<table>{head}{''.join(rows)}</table>"


def _moments(shot: Shot, side: Literal["positive", "negative"]) -> str:
    """What is shown or avoided in only a part of the shot."""
    moments = [(moment.span, getattr(moment, side)) for moment in shot.moments]
    return "".join(f"<br>{_when(span)}: {_text(words)}" for span, words in moments if words)


def _acts(shot: Shot) -> str:
    gestures = [f"{gesture.name} at {_clock(gesture.span.start)}" for gesture in shot.gestures]
    emotion = f"{shot.emotion.name} {shot.emotion.intensity:g}"
    others = [
        f"{acting.character}: {', '.join([acting.emotion.name, *(gesture.name for gesture in acting.gestures)])}"
        for acting in shot.acting
    ]
    return "; ".join([emotion, f"{shot.camera.move} {shot.camera.amount:g}", *gestures, *others])


def turn_box(turn: Turn) -> str:
    """What somebody said in one turn."""
    colour = _EXPERTS[turn.expert]
    items = [_claim(claim) for claim in turn.claims]
    items += [f"<li>asks {_text(question.to)}: {_text(question.text)}</li>" for question in turn.questions]
    items += [
        f"<li>objects to {_text(objection.to)} on {_text(objection.about)}: {_text(objection.text)}</li>"
        for objection in turn.objections
    ]
    return (
        f'<div class="turn" style="border-color:{colour}"><b style="color:{colour}">{turn.expert}</b> '
        f'<span class="small">round {turn.round}</span><br>{_text(turn.thought)}<ul>{"".join(items)}</ul></div>'
    )


def conflict_box(conflict: Conflict) -> str:
    """Who disagreed about what, and how it ended."""
    sides = " against ".join(
        f"<b>{side.expert}</b> “{_text(side.says)}” ({side.confidence:.1f})" for side in conflict.sides
    )
    when = f" {_when(conflict.span)}" if conflict.span else ""
    return (
        f'<div class="conflict">{_text(conflict.about)}{when}: {sides}<br>Settled: <b>{_text(conflict.settled)}</b>, '
        f"because {_text(conflict.why)}.</div>"
    )


def _claim(claim: Claim) -> str:
    where = [_when(claim.span)] if claim.span else []
    for evidence in claim.evidence:
        if evidence.words:
            where.append(f"“{_text(evidence.words[:120])}”")
        if evidence.region:
            where.append("in the picture at " + ", ".join(f"{100 * side:.0f} %" for side in evidence.region))
    bar = f'<span class="sure" style="width:{3 * claim.confidence:.1f}em"></span>{claim.confidence:.1f}'
    kind = ' class="inferred"' if claim.inferred else ""
    note = " (filled in)" if claim.inferred else ""
    return (
        f"<li{kind}>{_text(claim.about)}: {_text(claim.value)}{note} {bar} "
        f'<span class="small">{"; ".join(dict.fromkeys(where))}</span></li>'
    )


def _area(values: Sequence[float], base: float, height: float) -> str:
    step = max(1, -(-len(values) // MOST_POINTS))
    tops = [max(values[start : start + step]) for start in range(0, len(values), step)]
    points = [
        f"{WIDTH * index / max(1, len(tops) - 1):.1f},{base - height * top:.1f}" for index, top in enumerate(tops)
    ]
    return f'<polygon points="0,{base} {" ".join(points)} {WIDTH},{base}" fill="#7d8ca0" fill-opacity=".7"/>'


def _band(span: FrameSpan, frames: int, y: float, height: float, colour: str, title: str) -> str:
    left, right = _x(span.start, frames), _x(span.stop, frames)
    return (
        f'<rect x="{left:.1f}" y="{y}" width="{max(0.5, right - left):.1f}" height="{height}" fill="{colour}">'
        f"<title>{_text(title)} {_when(span)}</title></rect>"
    )


def _word(text: str, frame: int, frames: int) -> str:
    return f'<text x="{_x(frame, frames):.1f}" y="138" font-size="9" fill="#555">{_text(text[:14])}</text>'


def _x(frame: float, frames: int) -> float:
    return WIDTH * frame / frames


def _when(span: FrameSpan) -> str:
    return f"{_clock(span.start)} to {_clock(span.stop)}"


def _clock(frame: int) -> str:
    minutes, seconds = divmod(frame / FPS, 60)
    return f"{int(minutes)}:{seconds:05.2f}"


def _text(value: str | Iterable[str]) -> str:
    """As text: no mark-up, no characters that only steer."""
    words = value if isinstance(value, str) else ", ".join(value)
    return html.escape("".join(c for c in words if c.isprintable() or c == " "), quote=True)
