"""The lexicon: how people write the emotions, cameras, gestures and turns of time that the director understands.

Regular expressions over case-folded text, English first, then Mandarin and a few emoji. Longer readings win
over shorter ones ("camera tilts up" over "looks up"), so an entry may be generous.
"""

from __future__ import annotations

import re

from dramatis.story import CameraMove, EmotionName, GestureName

WEAK, STRONG = 0.3, 0.9
"""Amounts that adverbs of degree stand for."""

_HEAD = r"(?:(?:her|his|the|their|its) )?(?:head|face)"
_TO = r"(?: (?:to|towards?))?(?: (?:the|her|his|their))?"
_CAM = r"(?:the |a )?camera"

EMOTION_PATTERNS: dict[EmotionName, str] = {
    "neutral": r"neutral(?:ly)?(?! (?:background|light|colou?r|tone))|calm(?:ly)?|composed|"
    r"expressionless|relaxed|"
    r"matter-of-fact|serious(?:ly)?|deadpan|straight face|平静|冷静|中性|严肃",
    "happy": r"happy|happily|happiness|(?:bright |big |broad |wide |happy )?smil(?:e|es|ing|"
    r"ingly)|cheerful(?:ly)?|"
    r"joy(?:ful|fully|ous)?|delight(?:ed|edly)?|laugh(?:s|ing|ter)?|amused|enthusias(?:m|tic|"
    r"tically)|excited(?:ly)?|"
    r"glad(?:ly)?|grin(?:s|ning)?|beam(?:s|ing)|ecstatic|elated|tears of joy|"
    r"高兴|开心|快乐|微笑|大笑|笑|兴奋|"
    r"[😀😃😄😁😊🙂😂🤣]",
    "sad": r"sad(?:ly|ness)?(?: smile)?|sorrow(?:ful|fully)?|unhappy|unhappily|melanchol(?:y|ic)|"
    r"gloomy|gloomily|grie(?:f|ving)|"
    r"tear(?:s|ful|fully)?|dejected|cr(?:y|ies|ying)(?! out)|weep(?:s|ing)?|sob(?:s|bing)?|"
    r"mourn(?:s|ing|ful)?|heartbroken|depressed|"
    r"downcast|downturned (?:lips|mouth)|难过|悲伤|伤心|哭泣?|忧郁|[😢😭😞🙁☹]",
    "angry": r"ang(?:er|ry|rily)|furious(?:ly)?|annoyed|irritated|scowl(?:s|ing)?|outraged|"
    r"mad(?:ly)?|hostile|"
    r"enraged|rage|frown(?:s|ing)?|crossly|lowered brows|生气|愤怒|恼火|[😠😡🤬]",
    "surprised": r"surprised?(?:ly)?|astonish(?:ed|ment)|amaze(?:d|ment)|startled|shock(?:ed)?|"
    r"stunned|(?:raised brows and )?wide eyes|惊讶|吃惊|震惊|[😮😲😯]",
    "afraid": r"afraid|scared|fear(?:ful|fully)?|fright(?:ened)?(?: wide eyes)?|anxious(?:ly)?|worr(?:y|ied|"
    r"iedly)|nervous(?:ly)?|"
    r"terrified|panic(?:ked|king)?|害怕|恐惧|紧张|担心|[😨😱😰]",
    "disgusted": r"disgust(?:ed|edly)?|repulsed|revolted|contempt(?:uous|uously)?|sneer(?:s|ing)?|"
    r"grimac(?:e|es|ing)|"
    r"wrinkl(?:ed|es|ing) (?:(?:her|his|the) )?nose|厌恶|恶心|鄙视|[🤢🤮]",
    "tender": r"(?:warm(?:ly)?|gent(?:le|ly)|tender(?:ly)?|soft(?:ly)?|kind(?:ly)?|friendly|"
    r"loving(?:ly)?),? smil(?:e|es|ing)|"
    r"tender(?:ly|ness)?|warm(?:ly|th)?(?! (?:light|lighting|colou?rs?|tones?|background|sun))|"
    r"gentle(?! (?:push|zoom|pan|dolly|light|pull|orbit|tilt|nod|shake|camera|move))|"
    r"affectionate(?:ly)?|loving(?:ly)?|kind(?:ly|ness)?(?! of)|friendly|compassionate(?:ly)?|"
    r"soft(?:ly)?(?= (?:voice|look|expression|speak|sing|spoken)|$)|"
    r"温柔|温暖|亲切|深情|[🥰😍❤💕]",
}

_MOVE = r"(?:mov(?:es?|ing)|go(?:es|ing)?|comes?|travels?|slides?|drifts?|glid(?:es?|ing))"
CAMERA_PATTERNS: dict[CameraMove, str] = {
    "static": rf"(?:static|fixed|locked(?:-| )off|still|stationary|motionless|steady)(?: camera|"
    rf" shot| frame)|static|tripod|"
    rf"{_CAM} (?:(?:does not|doesn't|should not|must not) move|(?:stays?|remains?|is|holds?|"
    rf"keeps?)(?: perfectly| completely)? (?:still|fixed|static|steady|put))|"
    rf"(?:no|without(?: any)?) camera (?:movements?|motion|moves?)|(?:don't|"
    rf"do not) move the camera|without moving the camera|"
    r"固定镜头|固定机位|镜头(?:不动|静止|固定)|静止镜头",
    "push_in": rf"(?:push(?:es|ing)?|zoom(?:s|ing)?|doll(?:y|ies|ying)|track(?:s|ing)?|truck(?:s|"
    rf"ing)?)(?: slowly| gently| gradually)?[ -]?in\b|push towards|"
    rf"{_CAM}(?: \w+)? {_MOVE}(?: \w+)? (?:closer|in|nearer|forwards?)|推进|推近|拉近|镜头靠近",
    "pull_out": rf"(?:pull(?:s|ing)?|zoom(?:s|ing)?|doll(?:y|ies|ying))(?: slowly| gently|"
    rf" gradually)?[ -]?(?:out|back|away)\b|"
    rf"{_CAM}(?: \w+)? {_MOVE}(?: \w+)? (?:back|backwards?|away|out|further)|拉远|镜头后退",
    "pan_left": rf"pan(?:s|ning)?(?: slowly| gently)?{_TO} left|left pan|"
    rf"{_CAM}(?: \w+)? (?:{_MOVE}|swings?){_TO} left|(?:镜头)?(?:向左摇|左摇|左移)",
    "pan_right": rf"pan(?:s|ning)?(?: slowly| gently)?{_TO} right|right pan|"
    rf"{_CAM}(?: \w+)? (?:{_MOVE}|swings?){_TO} right|(?:镜头)?(?:向右摇|右摇|右移)",
    "tilt_up": rf"{_CAM}(?: \w+)? (?:tilt(?:s|ing)?|looks?|{_MOVE}) up(?:wards?)?|tilt[ -]up|"
    rf"tilting up|镜头上摇|镜头(?:向上|上移)",
    "tilt_down": rf"{_CAM}(?: \w+)? (?:tilt(?:s|ing)?|looks?|{_MOVE}) down(?:wards?)?|tilt[ -]down|"
    rf"tilting down|镜头下摇|镜头(?:向下|下移)",
    "orbit_left": rf"(?:orbit|circl|arc|rotat)(?:s|es?|ing|"
    rf"ting)?(?: shot)?(?: around(?: \w+)?)?{_TO} left|left orbit|向左环绕|左环绕",
    "orbit_right": rf"(?:orbit|circl|arc|rotat)(?:s|es?|ing|"
    rf"ting)?(?: shot)?(?: around(?: \w+)?)?(?:{_TO} right)?(?! ?\w*{_TO} left)|right orbit|环绕",
    "handheld": r"hand-?held|shaky(?: \w+)? (?:camera|shot)|shaky cam|documentary (?:camera|"
    r"style)|手持(?:镜头)?",
}

GESTURE_PATTERNS: dict[GestureName, str] = {
    "nod": r"nod(?:s|ded|ding)?(?: (?:her|his|the|their) head)?|点头",
    "shake": rf"sh(?:ake|akes|aking|ook)(?: of)? {_HEAD}|head[ -]?shak(?:e|es|ing)|摇头",
    "tilt_left": rf"(?:tilt(?:s|ed|ing)?|cock(?:s|ed|ing)?|lean(?:s|ing)?) {_HEAD}(?:{_TO} left|"
    rf" to (?:the|one) side)?|"
    rf"head tilt(?:ed|s)?(?:{_TO} left)?|tilt(?:s|ing)?{_TO} left|(?:向左)?歪头",
    "tilt_right": rf"(?:tilt(?:s|ed|ing)?|cock(?:s|ed|ing)?|lean(?:s|ing)?) {_HEAD}{_TO} right|"
    rf"head tilt(?:ed|s)?{_TO} right|tilt(?:s|ing)?{_TO} right|向右歪头",
    "turn_left": rf"turn(?:s|ed|ing)?(?: {_HEAD})?{_TO} left|turn(?:s|ed|ing)?(?: {_HEAD})? away|"
    rf"向左转头?|左转",
    "turn_right": rf"turn(?:s|ed|ing)?(?: {_HEAD})?{_TO} right|turn(?:s|ed|"
    rf"ing)? {_HEAD}(?! (?:away|left|to|towards?)\b)|向右转头?|右转",
    "lean_in": r"lean(?:s|ed|ing)?(?: \w+ly)? ?-?(?:in|forwards?|closer|towards? (?:us|me|"
    r"the (?:camera|viewer)))|"
    r"(?:comes?|moves?) closer to the camera|前倾|(?:身体)?靠近|凑近",
    "lean_back": r"lean(?:s|ed|ing)?(?: \w+ly)? (?:back(?:wards?)?|away)|后仰|后靠|向后靠",
    "look_up": r"(?:look|glanc|gaz|star)(?:s|es?|ing|e)?(?: \w+ly)? up(?:wards?)?|eyes raised|"
    r"rais(?:es?|ing) (?:her|his|the|their) eyes|抬头|向上看",
    "look_down": r"(?:look|glanc|gaz|star)(?:s|es?|ing|e)?(?: \w+ly)? down(?:wards?)?|"
    r"eyes lowered|lower(?:s|ing)? (?:her|his|the|their) eyes|低头|向下看",
    "look_left": rf"(?:look|glanc|gaz|star)(?:s|es?|ing|e)?(?: \w+ly)?{_TO} left|向左看|看向左",
    "look_right": rf"(?:look|glanc|gaz|star)(?:s|es?|ing|e)?(?: \w+ly)?{_TO} right|向右看|看向右",
    "raise_brows": r"(?:rais(?:es?|ed|ing)|lift(?:s|ed|ing)?)(?: (?:her|his|the|their|an?|"
    r"one))? (?:eye)?brows?|挑眉|扬眉",
}

SOUND_PATTERNS = {
    "singing": r"sing(?:s|ing)?|sang|唱歌?",
    "pause": r"silent(?:ly)?|says? nothing|keeps? quiet|mute|沉默|不说话",
}

STRONG_IN_ITSELF = re.compile(
    r"furious|enraged|rage|terrified|panic|ecstatic|elated|laugh|sob|weep|outraged|heartbroken|"
    r"stunned|shock|大笑|愤怒|震惊|恐惧"
)
NEGATED = re.compile(
    r"(?:\b(?:not(?! only)|never|no|without|avoid(?:s|ing)?|neither|nor|hardly|stop(?:s|ped)?|"
    r"cannot|free of)\b|n't\b)"
    r"(?:[ -]+(?!but\b)[\w']+){0,3}[ -]*$|(?:不要?|没有?|别|无)[^,。]{0,2}$"
)
_BEFORE, _AFTER = r"(?:\W*\b(?:{})\b(?:\W+[\w']+){{0,2}}\W*$)", r"^\W+(?:[\w']+\W+)?(?:{})\b"
_DEGREES = (
    (
        WEAK,
        r"slight(?:ly)?|a (?:little|bit|touch|hint)(?: of)?|faint(?:ly)?|subt(?:le|ly)|"
        r"mild(?:ly)?|somewhat|barely|hint of|"
        r"slow(?:ly)?|gent(?:le|ly)|gradual(?:ly)?|small|calmly|light(?:ly)?|soft(?:ly)?",
        r"稍微?|"
        r"有点|略微?|缓慢|慢慢|轻轻?",
    ),
    (
        STRONG,
        r"very|extreme(?:ly)?|intense(?:ly)?|deep(?:ly)?|really|strong(?:ly)?|utterly|"
        r"totally|big|broad(?:ly)?|wide(?:ly)?|"
        r"fast|quick(?:ly)?|rapid(?:ly)?|dramatic(?:ally)?|marked(?:ly)?|vigorous(?:ly)?|"
        r"energetic(?:ally)?",
        r"非常|"
        r"十分|很|极其?|快速|用力|强烈",
    ),
)
DEGREE_PATTERNS = tuple(
    (
        level,
        re.compile(_BEFORE.format(words) + rf"|(?:{marks})的?地?[^,。]{{0,2}}$"),
        re.compile(_AFTER.format(words)),
    )
    for level, words, marks in _DEGREES
)
REPEATED = re.compile(
    r"\b(?:throughout|repeated(?:ly)?|often|keeps?|constantly|again and again|all the time|"
    r"occasional(?:ly)?|from time to time)\b|一直|不停|不断"
)
STILL = re.compile(
    r"\b(?:motionless|stays? still|keeps? still|(?:doesn't|does not|without) mov(?:e|"
    r"ing)(?! (?:the )?camera)|head still)\b|一动不动"
)

SPLIT = re.compile(
    r"(?P<stop>[.!?;。！？；\n]+)|,|、|，|\bbut\b|\bwhile\b|\binstead\b|"
    r"(?=\b(?:and )?then\b)|(?=然后|接着|随后|最后)|"
    r"(?<=\w) before (?=\w+ing\b|(?:she|he|they|it|the)\b)"
)
FIRST = re.compile(
    r"^\W*(?:first(?:ly)?|at first|in the beginning|at the (?:start|beginning)|to begin with|"
    r"initially|starts?\b|begins?\b|首先|先|一开始|开始)"
)
THEN = re.compile(
    r"^\W*(?:(?:and )?then|after that|afterwards?|next|later(?: on)?|finally|eventually|"
    r"in the end|at last|second(?:ly)?|然后|接着|随后|之后|最后)"
)
BECOMES = re.compile(
    r"\b(?:becom\w+|turns?|turning|grows?|growing|ends?|ending|chang\w+|shift\w+|fad\w+|into|to|"
    r"then|until|gives? way)\b|->|→|变|转"
)
AT_END = re.compile(r"\b(?:at|in|towards?|near) the (?:very )?end\b|\bfinally\b|\bat last\b|最后|结尾")
AT_MIDDLE = re.compile(r"\bhalf-?way\b|\bin the middle\b|\bin the second half\b|中间|后半")
AT_SECOND = re.compile(
    r"\b(?:after|at|from)(?: (?:second|about|around))? (\d+(?:\.\d+)?) ?(?:s\b|secs?\b|"
    r"seconds?\b)|\bat second (\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)秒(?:后|之后|时)"
)

WOMAN = re.compile(r"\b(?:woman|girl|lady|she|her|actress|mother)\b|女")
MAN = re.compile(r"\b(?:man|boy|guy|he|his|him|actor|father|gentleman)\b|男")
