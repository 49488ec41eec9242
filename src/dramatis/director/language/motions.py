"""How people write where a camera, a head or eyes go: what moves, by which verb, and where to.

Built from parts, so that "the camera drifts off to the left", "swivel the lens leftwards" and "a leftward sweep of the
camera" need no entries of their own. Regular expressions over case-folded English text.
"""

from __future__ import annotations

from dramatis.story.values import CameraMove, GestureName

LEFT, RIGHT = r"left(?:wards?)?(?:[- ]hand)?", r"right(?:wards?)?(?:[- ]hand)?"
UP = r"(?:up(?:wards?)?|skywards?|heavenwards?|ceilingwards?)"
DOWN = r"(?:down(?:wards?)?|floorwards?)"
_STOP = (
    r"left\w*|right\w*|up|upwards?|down|downwards?|then|and|or|but|before|after|until|while|when|camera|cam|shot|"
    r"frame|lens|head|face|eyes?|gaze|brows?|eyebrows?|nods?|shakes?|no|not|without"
)


def _gap(words: int, but: str = "then") -> str:
    """Some words between the parts, none of which could belong to another motion, nor be one of `but`."""
    return rf"(?:[ -]+(?!(?:{_STOP}|{but})\b)[\w']+){{0,{words}}}?[ -]+"


def _verbs(stems: str) -> str:
    """Any form of the verbs, whose stems stand between blanks."""
    return rf"(?:{'|'.join(stems.split())})(?:s|es|d|ed|ing|ning|ning|ping|ting|ling|ring)?"


_CAM = r"(?:camera|cam|shot|frame|framing|lens|view|footage)"
_THE = r"(?:the |a |an |your |its |our |his |her |their |my )?"
_GO = _verbs(
    "mov move pan sweep swept swivel slid slide glid glide drift swing swung travel track truck turn rotat rotate "
    "float go goe com come creep inch edg edge fly flie dip tip tilt angl angle crane cran scroll pivot roll "
    "shift point aim look panned tilted slip wander ease eas push pull climb sail whip steer lift"
)
_ROUND = _verbs("orbit circl circle revolv revolve arc encircl encircle rotat rotate spiral")
_ABOUT = r"(?:a?round|about)"


def _seen(direction: str, noun: str) -> str:
    """A camera that goes one way: "the camera drifts to the left", "swivel the lens left", "a leftward sweep"."""
    # What goes round somebody is an orbit.
    few, some = (_gap(words, r"a?round|circular|orbit\w*|arc\w*|circl\w*|revolv\w*") for words in (3, 4))
    return "|".join(
        (
            rf"{_CAM}{few}{_GO}{some}{direction}\b",
            rf"it {_GO}{some}{direction}\b",
            rf"{_GO} {_THE}{_CAM}{some}{direction}\b",
            rf"(?:{direction})[ -](?:\w+[ -])?{noun}(?: of {_THE}{_CAM})?\b",
            rf"{noun}(?:s|ning|ing)?(?: it| {_THE}{_CAM})?{some}{direction}\b",
        )
    )


def _orbit(direction: str, turning: str) -> str:
    moving = rf"(?:{_ROUND}|{_GO}{_gap(1)}{_ABOUT})"
    return "|".join(
        (
            rf"{_CAM}{_gap(3)}{moving}{_gap(6)}{direction}\b",
            rf"{_CAM}{_gap(3)}{_GO}{_gap(1)}{direction} {_ABOUT}\b",
            rf"{moving} {_THE}{_CAM}{_gap(6)}{direction}\b",
            rf"(?:{_ROUND}|arc shot)(?: shot)?(?:{_gap(1)}{_ABOUT})?{_gap(5)}{direction}\b(?:{_gap(1)}{_ABOUT})?",
            rf"(?:{direction})[ -](?:\w+[ -])?(?:orbit|arc|circle)\b",
            rf"(?:orbit|arc|circl|revolv|rotat)\w*(?:[ -]\w+){{0,4}} {turning}\b",
        )
    )


CAMERA_MOTIONS: dict[CameraMove, str] = {
    "pan_left": _seen(LEFT, "(?:pan|sweep|swish|swivel|slide|drift)"),
    "pan_right": _seen(RIGHT, "(?:pan|sweep|swish|swivel|slide|drift)"),
    "tilt_up": _seen(UP, "(?:tilt|pan|crane|pedestal|scroll)") + rf"|vertical pan {UP}",
    "tilt_down": _seen(DOWN, "(?:tilt|pan|crane|pedestal|scroll)") + rf"|vertical pan {DOWN}",
    "orbit_left": _orbit(LEFT, "clockwise"),
    "orbit_right": _orbit(RIGHT, "(?:anti|counter)-?clockwise"),
    "push_in": rf"{_CAM}{_gap(3)}{_GO}{_gap(3)}(?:closer|nearer|inwards?|forwards?)(?: and (?:closer|nearer))?\b|"
    rf"{_GO} (?:it|{_THE}{_CAM}){_gap(2)}(?:closer|nearer|inwards?|forwards?)\b|"
    rf"it {_GO}{_gap(2)}(?:closer|nearer|inwards?|in)\b|"
    rf"(?:edg|creep|inch|mov|push|glid|draw|zoom)(?:e|es|s|ing)?{_gap(1)}(?:closer|nearer|in)(?: on| to|"
    rf" towards?) (?:the |her |his |their )?(?:face|eyes|subject|person|speaker)|{_CAM} (?:gets?|"
    rf"comes?) (?:tight(?:er)?|close)\w*|"
    r"(?:slow|quick|gentle|fast|smooth|subtle|gradual|dramatic|sudden|little|light|soft|strong|steady|hard|"
    r"snap)[ -]zoom(?![ -](?:out|back|away))|zoom (?:to|at) (?:the |her |his )?(?:face|eyes|mouth)",
    "pull_out": rf"{_CAM}{_gap(3)}{_GO}{_gap(3)}(?:backwards?|away|outwards?|out)(?: and (?:away|out))?\b|"
    rf"{_CAM}{_gap(4)}(?:farther|further)(?: and (?:farther|further))?(?: away| back| out)?\b|"
    rf"{_GO} (?:it|{_THE}{_CAM}){_gap(2)}(?:backwards?|away|outwards?|out)\b|"
    rf"{_CAM}{_gap(2)}(?:wider|widens|widening)\b|"
    rf"{_CAM}{_gap(2)}(?:retreat|withdraw|reced|recede|back)(?:s|es|ing)?(?: away| off| up)?\b|"
    r"(?:back|draw|pull|edg|inch|mov)(?:e|es|s|ing)?(?: slowly| gently)? (?:away|back) from (?:it|him|her|"
    r"the (?:face|subject|person|speaker)|(?:her|his) face)|(?:zoom|dolly|pull)[ -]?(?:out|back)",
    "handheld": r"(?:jitter|wobbl|bump|trembl|shak|jerk|sway|unstead|jostl)\w*(?: \w+){0,2} (?:camera|cam|shot|"
    r"footage|frame|phone|video)|(?:camera|cam|shot|footage|frame|picture|image)(?: \w+){0,3} (?:jitter|wobbl|bump|"
    r"trembl|shak|jerk|sway|unstead|jostl)\w*|(?:camera|cam)(?: is)?(?: held)? (?:in|on|at) (?:the |an? |"
    r"\w+ )?(?:\w+'s )?(?:hands?|shoulder)|hand[- ]carried(?: \w+)?|shoulder[- ](?:rig|mounted|cam)\w*|"
    r"amateur (?:footage|video|camera)|cin[eé]ma v[eé]rit[eé]|(?:phone|selfie)[- ](?:camera|footage|video)|"
    r"run[- ]and[- ]gun|home[- ]video",
    "static": r"(?:camera|cam|frame|shot|lens) (?:\w+ ){0,2}?(?:still|fixed|static|locked|frozen|motionless|bolted|"
    r"nailed|immobile|stationary|steady|unmoving)(?: down| off| in place)?(?: completely)?|(?:fixed|motionless|"
    r"locked[- ]off|locked|stationary|unmoving|frozen|immobile|still) (?:camera|frame|shot|lens|framing)|lock (?:it|"
    r"the camera) (?:down|off)(?: completely)?|no (?:zoom|pan|tilt|dolly)s?(?: or \w+)*|without (?:any )?zoom(?:ing)?",
}
"""Added to the phrases of the lexicon."""

_HEAD = r"(?:head|chin)"
_FACE = r"(?:head|face|chin|nose|profile)"
_POSS = r"(?:her |his |the |their |your |my |its |a |an )?(?:whole |entire |\w+ )?"
_TILT = _verbs("tilt cock tip lean inclin incline cant slant bend bent loll rest drop roll angl angle sink dip list")
_TURN = _verbs(
    "turn swivel swivell swing swung rotat rotate whip whipp pivot twist spin spun jerk snap snapp fac face mov "
    "move shift wheel"
)
_LOOK = _verbs("look glanc glance peek peer gaz gaze star stare squint peep watch leer")
_EYES = r"(?:eyes?|gaze|glance|stare|look)"
_DART = _verbs(
    "mov move dart shift slid slide wander drift flick flicker go goe cut cutt swivel roll drop fall ris rise "
    "lift climb cast avert throw toss rais raise lower turn sink travel steal sneak shoot dip stray swing tilt "
    "trail"
)
_HIGH = r"(?:ceiling|sky|skies|heavens?|skylight|rafters|gods|stars|roof|clouds|sun|moon)"
_LOW = (
    r"(?:floor|floorboards|ground|feet|shoes|table|desk|lap|hands|paper|papers|notes|carpet|toes|page|pavement|boots|"
    r"knees)"
)


def _headed(verbs: str, noun: str, what: str, direction: str) -> str:
    """A head that goes one way: "her head lolls to the left", "cocks his head left", "a leftward tilt of the head"."""
    return "|".join(
        (
            rf"{what}{_gap(3)}{verbs}{_gap(4)}{direction}\b(?: shoulder)?",
            rf"{verbs} {_POSS}{what}{_gap(4)}{direction}\b(?: shoulder| side)?",
            rf"(?:{direction})[ -](?:head|face)[ -]{noun}|{noun} of {_POSS}{what}{_gap(3)}{direction}\b",
            rf"{what} {noun}(?:s|ed|ped|ned)?{_gap(3)}{direction}\b",
        )
    )


def _looked(direction: str, target: str | None = None) -> str:
    """Eyes that go one way, or to something that lies there."""
    ways = [
        rf"{_LOOK}{_gap(4)}{direction}\b(?: shoulder)?",
        rf"{_EYES}{_gap(3)}{_DART}{_gap(4)}{direction}\b",
        rf"{_DART} {_POSS}{_EYES}{_gap(4)}{direction}\b(?: shoulder)?",
        rf"(?:eyes|gaze) {direction}\b",
        rf"{direction} (?:glance|look|gaze|peek)",
        rf"(?:glance|look|gaze|peek)s? (?:\w+ )?{direction}\b",
    ]
    if target:
        at = rf"(?: \w+ly)? (?:to|on|at|towards?|onto|into) (?:the |her |his |their |your |an? )?(?:\w+ )?{target}\b"
        ways += [rf"{_LOOK}(?: up| down)?{at}", rf"{_EYES}(?:{_gap(2)}{_DART})?{at}", rf"{_DART} {_POSS}{_EYES}{at}"]
    return "|".join(ways)


GESTURE_MOTIONS: dict[GestureName, str] = {
    "tilt_left": _headed(_TILT, "(?:tilt|slant|cock|cant|lean|tip|inclination|incline|list)", _HEAD, LEFT),
    "tilt_right": _headed(_TILT, "(?:tilt|slant|cock|cant|lean|tip|inclination|incline|list)", _HEAD, RIGHT),
    "turn_left": _headed(_TURN, "(?:turn|turning|swivel|twist|rotation)", _FACE, LEFT)
    + rf"|{_verbs('fac face')}(?: to| towards?)?(?: the)? {LEFT}\b|"
    rf"turns? (?:away )?to (?:face )?(?:the |her |his )?{LEFT}\b",
    "turn_right": _headed(_TURN, "(?:turn|turning|swivel|twist|rotation)", _FACE, RIGHT)
    + rf"|{_verbs('fac face')}(?: to| towards?)?(?: the)? {RIGHT}\b|"
    rf"turns? (?:away )?to (?:face )?(?:the |her |his )?{RIGHT}\b",
    "look_left": _looked(LEFT),
    "look_right": _looked(RIGHT),
    "look_up": _looked(UP, _HIGH)
    + rf"|(?:lift|rais)(?:e|es|s|ing)? {_POSS}(?:eyes|gaze)|eyes? (?:turned )?heavenwards?|"
    rf"roll\w* (?:her|his|your|their) eyes",
    "look_down": _looked(DOWN, _LOW) + rf"|dip(?:s|ping)? {_POSS}(?:chin|head) to look at|"
    rf"eyes (?:are |were )?(?:cast |turned )?(?:lowered|downcast|downwards?)|"
    rf"(?:lower|drop|cast)(?:s|ing|ped|ping)? {_POSS}(?:eyes|gaze)(?: down)?|eyes downcast|downcast eyes|"
    rf"(?:eyes|gaze) (?:lowered|dropping|sinking|falling)",
    "nod": rf"bob of {_POSS}head|say(?:s|ing)? yes with {_POSS}head|bob(?:s|bing)? {_POSS}head(?: yes)?|"
    rf"dip(?:s|ping)? {_POSS}(?:chin|head)(?: in (?:assent|agreement|approval))?|head (?:bobs|bobbing)|"
    r"inclin(?:es|ing) (?:her|his) head in (?:assent|agreement|greeting)|affirmative (?:head )?(?:movement|motion)",
    "shake": rf"(?:say|says|saying|signal|signals|signalling|signaling|motion|motions)(?: \w+)? no with {_POSS}head|"
    rf"no[- ]no with {_POSS}head|(?:mov|swing|wag|turn|rock|twist|swivel|roll)(?:e|es|s|ing|"
    rf"ging)? {_POSS}head from side to side|head{_gap(3)}from side to side|side[- ]to[- ]side (?:head )?(?:movement|"
    rf"motion|shake)(?: of {_POSS}head)?|wag(?:s|ging)? {_POSS}head(?: no)?|sh(?:ake|akes|aking|ook) {_POSS}head|"
    rf"shake of {_POSS}head",
    "lean_in": r"(?:body|torso|upper body|shoulders?) (?:\w+ ){0,2}?(?:inclined|tilted|bent|leaning|leans|"
    r"tilts) (?:forwards?|towards?)|(?:sit|perch|come)(?:s|ting|ing)? forwards?|forward lean|lean(?:ing)? forwards?|"
    r"(?:edg|mov|bend|hunch|rock|tip|inch|tilt|press|crane|crouch|lurch|hunker)(?:e|es|s|ing|ed|ping)? (?:her |his |"
    r"the )?(?:body |torso |upper body |herself |himself )?(?:forwards?|over towards)|(?:bring|mov|push|draw|com)(?:e|"
    r"es|s|ing)? (?:her|his|the|your) (?:upper body|body|torso|face|shoulders) (?:\w+ )?(?:closer|nearer|forwards?|"
    r"towards?)|(?:draw|mov|com|edg|inch|get)(?:e|es|s|ting|ing)? (?:closer|nearer|near) to (?:the )?(?:camera|lens|"
    r"viewer|audience|us)|lean(?:s|ing)? (?:\w+ ){0,3}?towards? (?:it|us|the (?:camera|lens|viewer|audience))",
    "lean_back": r"backwards? lean|sit(?:s|ting)? back|pull(?:s|ing)? (?:her|his) (?:head|body|upper body|torso) back|"
    r"a lean back|recoil(?:s|ing)?|rear(?:s|ing)? back(?:wards?)?|draw(?:s|ing)? (?:herself |himself )?back|"
    r"reclin(?:e|es|ing)|rock(?:s|ing)? (?:herself |himself )?back(?:wards?)?|eas(?:es|ing|ed) (?:\w+self )?back|"
    r"settl(?:e|es|ing) back|shrink(?:s|ing)? (?:back|away)|"
    r"(?:sink|fall|flop|slump|tip|rest|push)(?:s|ing|ping)? back(?:wards?)?|flinch(?:es|ing)? (?:back|away)|"
    r"lean(?:s|ing)? (?:(?!forward|in\b|closer|over)\w+ ){0,2}?(?:away|back)",
    "raise_brows": r"(?:rais|lift|hitch|arch|cock|quirk|hik|elevat|jump)(?:e|es|s|ed|"
    r"ing)? (?:(?:her|his|the|an?|one|both|your|their) )?(?:\w+ )?(?:eye)?brows?|"
    r"(?:eye)?brows? (?:\w+ ){0,2}?(?:climb|shoot|go|fly|ris|lift|jump|arch|rais|creep|up)\w*|"
    r"(?:lift|raise|arch|raising|lifting) of (?:an? |the |her |his |one |both )?(?:eye)?brows?",
}
"""Added to the phrases of the lexicon."""
