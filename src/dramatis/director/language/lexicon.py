"""The lexicon: how people write the emotions, cameras, gestures and turns of time that the director understands.

Regular expressions over case-folded text, English first, then Mandarin and a few emoji. Longer readings win
over shorter ones ("camera tilts up" over "looks up"), so an entry may be generous.
"""

from __future__ import annotations

import re

from dramatis.director.language.motions import CAMERA_MOTIONS, GESTURE_MOTIONS
from dramatis.story.values import CameraMove, EmotionName, GestureName

WEAK, STRONG = 0.3, 0.9
"""Amounts that adverbs of degree stand for."""

_HEAD = r"(?:(?:her|his|the|their|its) )?(?:head|face)"
_TO = r"(?: (?:to|towards?))?(?: (?:the|her|his|their))?"
_CAM = r"(?:the |a )?(?:camera|cam|shot|frame|view|lens)"

_EMOTION_WORDS: dict[EmotionName, str] = {
    "neutral": r"neutral(?:ly)?(?! (?:background|light|colou?r|tone))|calm(?:ly)?|composed|expressionless|relaxed|"
    r"indifferent(?:ly)?|blank(?:ly)?|unmoved|stoic(?:ally)?|impassive(?:ly)?|poker[- ]faced?|emotionless|"
    r"unemotional(?:ly)?|without (?:any )?emotions?|no emotions?|even-tempered|unimpressed|collected|businesslike|"
    r"matter-of-fact|serious(?:ly)?|deadpan|straight face|平静|冷静|中性|严肃",
    "happy": r"happy|happily|happiness|(?:bright |big |broad |wide |happy )?smil(?:e|es|ing|ingly)|cheerful(?:ly)?|"
    r"joy(?:ful|fully|ous)?|delight(?:ed|edly)?|laugh(?:s|ing|ter)?|amused|enthusias(?:m|tic|tically)|excited(?:ly)?|"
    r"glad(?:ly)?|grin(?:s|ning)?|beam(?:s|ing)|ecstatic|elated|tears of joy|over[- ]?joyed|pleased|thrilled|"
    r"merr(?:y|ily)|jolly|giggl(?:e|es|ing)|chuckl(?:e|es|ing)|bliss(?:ful|fully)?|"
    r"(?:in )?(?:an? )?(?:great|good|high|excellent|fantastic) (?:mood|spirits)|upbeat|radiant(?:ly)?|playful(?:ly)?|"
    r"euphoric|exuberant(?:ly)?|exhilarated|jubilant|relie(?:f|ved)|proud(?:ly)?|hopeful(?:ly)?|optimistic|"
    r"content(?:ed|edly)?(?= |$|[,.;])|having fun|excitement|good-humou?red|in stitches|cracks? up|喜悦|欢快|愉快|"
    r"欣喜|得意|乐呵呵|欢喜|高兴|开心|快乐|微笑|大笑|笑|兴奋|[😀😃😄😁😊🙂😂🤣]",
    "sad": r"sad(?:ly|ness)?(?: smile)?|sorrow(?:ful|fully)?|unhappy|unhappily|melanchol(?:y|ic)|gloomy|gloomily|"
    r"grie(?:f|ving)|tear(?:s|ful|fully)?|dejected|cr(?:y|ies|ying)(?! out)|weep(?:s|ing)?|sob(?:s|bing)?|"
    r"mourn(?:s|ing|ful)?|heartbroken|depressed|downcast|downturned (?:lips|mouth)|upset|hurt(?= |$|[,.;])|"
    r"miserabl[ey]|despair(?:s|ing|ingly)?|despondent|hopeless(?:ly)?|lonely|disappoint(?:ed|ment|edly)|"
    r"regret(?:s|ful|fully)?|wistful(?:ly)?|broken-hearted|(?:in|feeling) low spirits|(?:feeling|feels) (?:down|blue)|"
    r"heavy-hearted|sombre|somber|forlorn|crestfallen|悲哀|沮丧|失落|痛苦|伤感|难过|悲伤|伤心|哭泣?|忧郁|[😢😭😞🙁☹]",
    "angry": r"ang(?:er|ry|rily)|furious(?:ly)?|annoyed|irritated|scowl(?:s|ing)?|outraged|mad(?:ly)?|hostile|"
    r"annoy(?:ance|s|ing)?|irritat(?:ion|es)|fury|fuming|fumes|livid|cross(?=$|[,.;]| with)|indignant(?:ly)?|"
    r"resent(?:ful|fully|ment)|aggressive(?:ly)?|glar(?:e|es|ing)|snarl(?:s|ing)?|grumpy|grumpily|irate|"
    r"seeth(?:es|ing)|exasperat(?:ed|ion)|frustrat(?:ed|ion)|pissed off|wrath|loses (?:her|his|their) temper|"
    r"bad-tempered|enraged|rage|frown(?:s|ing)?|crossly|lowered brows|生气|愤怒|恼火|[😠😡🤬]",
    "surprised": r"surprised?(?:ly)?|astonish(?:ed|ment)|amaze(?:d|ment)|startled|shock(?:ed)?|stunned|"
    r"(?:raised brows and )?wide eyes|sur?pri[sz](?:e|ed|es|ing|ingly)|in disbelief|disbelieving(?:ly)?|astounded|"
    r"flabbergasted|taken aback|jaw[- ]drop(?:s|ped|ping)?|gasp(?:s|ing)?|incredulous(?:ly)?|dumbfounded|bewildered|"
    r"in awe|awestruck|speechless with wonder|thunderstruck|意外|惊诧|诧异|惊奇|惊|惊讶|吃惊|震惊|[😮😲😯]",
    "afraid": r"afraid|scared|fear(?:ful|fully)?|fright(?:ened)?(?: wide eyes)?|anxious(?:ly)?|worr(?:y|ied|iedly)|"
    r"nervous(?:ly)?|terrified|panic(?:ked|king|ky|s)?|terror|horr(?:or|ified)|dread(?:s|ing|ful)?|petrified|uneasy|"
    r"uneasily|alarmed|timid(?:ly)?|apprehensive(?:ly)?|spooked|in fear|frightful|trembling with fear|on edge|"
    r"tense(?:ly)?|anxiety|恐慌|惊恐|不安|焦虑|害怕|恐惧|紧张|担心|[😨😱😰]",
    "disgusted": r"disgust(?:ed|edly|ing|s)?|yuck|eww*|nauseated|repelled|scorn(?:ful|fully)?|disdain(?:ful|"
    "fully)?|loath(?:ing|es)|"
    r"grossed out|repugnan(?:ce|t)|revulsion|turn(?:s|ed|ing)? up (?:her|his|their) nose|嫌弃|反感|鄙夷|讨厌|repulsed|"
    r"revolted|contempt(?:uous|uously)?|sneer(?:s|ing)?|grimac(?:e|es|ing)|"
    r"wrinkl(?:ed|es|ing) (?:(?:her|his|the) )?nose|厌恶|恶心|鄙视|[🤢🤮]",
    "tender": r"(?:warm(?:ly)?|gent(?:le|ly)|tender(?:ly)?|soft(?:ly)?|kind(?:ly)?|friendly|loving(?:ly)?),? smil(?:e|"
    r"es|ing)|tender(?:ly|ness)?|warm(?:ly|th)?(?!(?: \w+)? (?:light|lighting|lamps?|glow|sunlight|room|jacket|coat|"
    r"sweater|blanket|fire|palette|colou?rs?|tones?|background|sun))|gentle(?! (?:push|zoom|pan|dolly|light|pull|"
    r"orbit|tilt|nod|shake|camera|move))|sweet(?:ly)?|caring(?:ly)?|sympathetic(?:ally)?|motherly|fatherly|"
    r"soothing(?:ly)?|heartfelt|affection|compassion|empath(?:y|etic|etically)|fond(?:ly|ness)?|慈爱|柔和|关怀|"
    r"affectionate(?:ly)?|loving(?:ly)?|kind(?:ly|ness)?(?! of)|friendly|compassionate(?:ly)?|"
    r"soft(?:ly)?(?= (?:voice|look|expression|speak|sing|spoken)|$)|温柔|温暖|亲切|深情|[🥰😍❤💕]",
}

_EMOTION_IDIOMS: dict[EmotionName, str] = {
    "neutral": r"flat affect|unexpressive|inexpressive|robotic(?:ally)?|blank(?:ly|ness)?|monotone|toneless(?:ly)?|"
    r"equanimity|placid(?:ly)?|serene(?:ly)?|tranquil|nonchalant(?:ly)?|wooden|clinical(?:ly)?|sober(?:ly)?|"
    r"factual(?:ly)?|objective(?:ly)?|at ease|unaffected|steady-eyed|imperturbable|self-possessed|cool and collected|"
    r"无动于衷|漠然|木然|不动声色|ston[ey]-?faced|"
    r"(?:face|features) (?:carved|made|cut) (?:from|of|out of|in) (?:stone|marble)|blank-?faced|"
    r"(?:without|devoid of) (?:any )?expression|no (?:facial )?expression|unreadable|detached|dispassionate(?:ly)?|"
    r"unflappable|straight-faced|unbothered|unruffled|level-headed|cool-headed|matter-of-factly|unfazed|no feelings?|"
    r"面无表情|冷淡|淡定|镇定|平淡|无表情",
    "happy": r"exultant(?:ly)?|exult(?:s|ing)|chuffed|jovial(?:ly)?|giddy|elation|exhilaration|jubilation|"
    r"delirious(?:ly)? happy|overjoy|contentment|merriment|hilarity|festive|carefree|blithe(?:ly)?|"
    r"sunny(?! (?:day|room|window|weather))|tickled|thrill|enchanted|sparkling|zestful|vivacious(?:ly)?|spirited|"
    r"gladdened|heartened|smug(?:ly)?|laughingly|grinningly|ebullience|joviality|high as a kite|happy-go-lucky|"
    r"whoop(?:s|ing)?|crow(?:s|ing)|dimpl(?:es|ing)|so glad|good humou?r|eager(?:ly)?|eagerness|passion(?:ate|ately)|"
    r"energised|energized|inspired|喜滋滋|欣慰|满意|陶醉|自豪|骄傲|激动|"
    r"(?:on|in) (?:cloud nine|seventh heaven|top of the world|high spirits)|over the moon|walking on air|tickled pink|"
    r"burst(?:s|ing)? (?:of|with) (?:joy|happiness|laughter|pride)|stoked|pumped(?: up)?|hyped|bubbly|chipper|"
    r"glee(?:ful|fully)?|raptur(?:e|ous)|triumphant(?:ly)?|cheery|cheerily|perky|light-?hearted(?:ly)?|mirth(?:ful)?|"
    r"amusement|psyched|in her element|in his element|full of beans|bouncy|buoyant|sunny (?:smile|mood|disposition)|"
    r"like a kid (?:at|on) christmas|all smiles|ear to ear|rejoic(?:es|ing)|celebrat(?:es|ing|ory)|charmed|ebullient|"
    r"gratified|satisfied|cheers?(?: up)?|欢乐|喜|乐|欢笑|雀跃|兴高采烈|眉开眼笑",
    "sad": r"disconsolate(?:ly)?|woebegone|mopey|mop(?:es|ing)|misery|dismay(?:ed)?|heartache|heartbreak|inconsolable|"
    r"lament(?:s|ing|ation)?|sniffl(?:es|ing)|sniff(?:s|ing)? back|whimper(?:s|ing)?|sigh(?:s|ing)?(?! of relief)|"
    r"bitterly hurt|crushed|devastat(?:ed|ion)|mournfully|pensive(?:ly)?|gloom\b(?! of)|depress(?:ion|ing)|"
    r"sullen(?:ly)?|funereal|lugubrious|plaintive(?:ly)?|rueful(?:ly)?|remorse(?:ful)?|guilt(?:y|ily)|ashamed|shame|"
    r"loss|lonesome|loneliness|downbeat|blubber(?:s|ing)?|bawl(?:s|ing)?|eyes brimming|brimming eyes|wretched|"
    r"tormented|pained|aching|sore at heart|doom(?:ed)? mood|hurt look|pout(?:s|ing)?|苦涩|哀愁|心碎|惆怅|郁闷|绝望|"
    r"委屈|孤独|well(?:s|ing)? up|floods? of tears|tear(?:y|-stained)|(?:a )?lump in (?:her|his|the) throat|"
    r"heavy heart|(?:down )?in the dumps|bummed(?: out)?|heart-?sick|choked up|glum(?:ly)?|woe(?:ful|fully)?|"
    r"downhearted|dispirited|desolate|bereaved|misty-eyed|long face|grief-stricken|morose(?:ly)?|verge of tears|"
    r"breaks? down|blue mood|dismal(?:ly)?|anguish(?:ed)?|lost everything|bereft|dolefu(?:l|lly)|tragic(?:ally)?|"
    r"broken(?: man| woman)|homesick|in mourning|low mood|dishearten(?:ed|ing)|discouraged|fighting back tears|"
    r"泪流满面|流泪|哀伤|愁|落泪|哽咽|泪",
    "angry": r"rag(?:es|ing)|ire\b|irked|displeas(?:ed|ure)|disgruntled|exasperates?|outrage|choleric|"
    r"venom(?:ous|ously)?|spite(?:ful|fully)?|bitter(?:ly)?(?= |$)(?! (?:hurt|cold|taste|sad))|belligerent(?:ly)?|"
    r"combative|confrontational|sharp-tongued|snapp(?:y|ish)|snaps? at|yell(?:s|ing)? at|tempestuous|stormy|"
    r"thunderous|provoked|aggravat(?:ed|ion)|aggrieved|growl(?:s|ing)?|bark(?:s|ing)? (?:orders|at)|fierce(?:ly)?|"
    r"ferocious(?:ly)?|scold(?:s|ing)?|accusing(?:ly)?|accus(?:es|ation)|menac(?:ing|ingly|e)|threaten(?:s|ing)?|"
    r"through (?:gritted|clenched) teeth|clench(?:es|ed|ing) (?:her|his) (?:jaw|teeth|fists)|testy|testily|"
    r"cantankerous|impatient(?:ly)?|cross(?= in| at| the)|huff(?:s|ing)|grouch(?:y|ily)|愤慨|愤|恨|不满|不耐烦|烦躁|"
    r"(?:at )?the end of (?:her|his|their) (?:tether|rope)|blow(?:s|ing)? (?:her|his|their) (?:top|stack)|"
    r"blood (?:is )?boil(?:s|ing)?|boil(?:s|ing) with rage|see(?:s|ing)? red|apoplectic|ticked off|"
    r"hit(?:s|ting)? the roof|steaming mad|up in arms|hot under the collar|fed up|incensed|infuriated|"
    r"bristl(?:es|ing)|hopping mad|foam(?:s|ing) at the mouth|vexed|peeved|hateful|hatred|wrathful|explod(?:es|ing)|"
    r"in a (?:huff|temper)|ranting|miffed|riled(?: up)?|spit(?:s|ting)? fire|flies? off the handle|worked up|"
    r"cross (?:face|look)|steamed|heated|火冒三丈|气愤|暴怒|恼怒|发火|怒|气冲冲",
    "surprised": r"marvel(?:s|ling|ing)?|baffled|bafflement|perplexed|wonderment|wonder(?:s|ing)? in her eyes|amazing|"
    r"astound(?:s|ing|ment)|dazed|staggered|open-mouthed|gap(?:es|ing)|agape|thrown (?:off|for a loop)|dumbstruck|"
    r"nonplussed|disbelief|unbelieving|boggl(?:es|ed|ing)|stuns|jolted|incredulity|goggl(?:es|ing)|"
    r"eyes (?:wide|widen(?:ing)?|go wide|huge|like saucers)|widen(?:s|ed|ing)? (?:her|his) eyes|"
    r"rais(?:es|ing) (?:her|his) brows in wonder|doesn't believe|out of the blue|惊叹|不敢相信|难以置信|愣|出乎意料|"
    r"gobsmacked|(?:blown|blew) away|wide-eyed|jaw (?:hits|drops?|falls?)(?: (?:the|to the) floor| open)?|"
    r"mouth (?:falls?|drops?|hangs?) open|mind(?:-| is )blown|(?:does|did|doing) a double take|double take|"
    r"can(?:'t|not) believe (?:it|her|his|what)|stupefied|agog|eyes (?:pop(?:ping)?|bulg(?:e|ing))(?: out)?|"
    r"caught off guard|bowled over|knocked sideways|wow(?:ed)?|like a bolt from the blue|unexpected(?:ly)?|"
    r"wonder-?struck|floored|shook (?:by|at)|blindsided|目瞪口呆|惊呆|惊愕|大吃一惊|惊喜",
    "afraid": r"trepidation|timorous(?:ly)?|unease|perturbed|alarm\b|in alarm|dread(?:s|ing|ful|fully)?|"
    r"frantic(?:ally)?|agitat(?:ed|ion)|restless(?:ly)?|skittish|faint-hearted|cowardly|spineless|hesitant(?:ly)?|"
    r"hesitat(?:es|ing)|insecure|unsure|shy(?:ly)?|shak(?:y|ing) voice|shaken|quiver(?:s|ing)?|aghast|ghastly pale|"
    r"paralysed with|paralyzed with|frozen with fear|gulp(?:s|ing)?|flustered|stressed|stress|distress(?:ed)?|"
    r"concerned|troubled|disquiet(?:ed)?|daunted|intimidated|jittery(?! (?:cam|foot|shot|phone|video|frame))|nervy|"
    r"angst|hysteri(?:a|cal)|fearing|in peril|under threat|petrif(?:ies|ying)|trembling|惶恐|胆战心惊|忐忑|慌张|惊吓|"
    r"畏惧|怕|white as a sheet|(?:shak|trembl|quak|quiver)(?:es|ing) (?:like a leaf|in (?:her|his) boots|"
    r"with (?:fear|terror))|heart (?:is )?in (?:her|his) mouth|mortal terror|freak(?:ed|s|ing) out|cold sweat|"
    r"blood (?:runs|ran) cold|cower(?:s|ing)?|jumpy|trembl(?:es|ing)(?! (?:camera|like amateur|footage))|panicky|"
    r"(?:scared|frightened) stiff|paranoid|pins and needles|creeped out|shiver(?:s|ing)?|scaredy|jitters|the creeps|"
    r"bites? (?:her|his) nails|in a panic|dread|hunted look|wary|phobi[ac]|惊慌|胆怯|吓|惧|慌",
    "disgusted": r"repugn\w*|repuls(?:ed|ion)|loath(?:e|es|some)|icky|odious|abomin\w*|offended by|can't stomach|"
    r"wince(?:s)?(?! in pain)|shudder(?:s|ing)?|recoil(?:s|ing)? in|turned off|averse|detest(?:s|ing)?|disdains?|"
    r"scoff(?:s|ing)?|look(?:s|ing)? down (?:her|his) nose|nose (?:wrinkled|wrinkling|crinkl\w+|scrunch\w+)|"
    r"(?:crinkl|scrunch)(?:es|ed|ing) (?:up )?(?:her|his|the) nose|sour(?: face|ly| expression| look)|bile|rancid|"
    r"gross(?:ness)?|yuk|bleh|puk(?:e|es|ing)|barf|stench|vulgar|pulls? a face|makes? a face|鄙夷|呕|不屑|轻蔑|想吐|"
    r"turn(?:s|ed|ing)? (?:her|his|their|the|my) stomach|retch(?:es|ing)?|sicken(?:ed|ing|s)?|grossed?-out|queasy|"
    r"gag(?:s|ging)?|stomach (?:churns?|turns?|heaves?)|abhor(?:s|rent|rence)?|distaste(?:ful|fully)?|"
    r"repulsi(?:ve|on)|revolting|aversion|makes? (?:her|him|them) (?:sick|ill|want to (?:vomit|throw up))|"
    r"curl(?:s|ing|ed)? (?:her|his) (?:upper )?lip|curled lip|vile|about to (?:vomit|throw up|be sick)|"
    r"throw(?:ing)? up|ick(?:y)?|foul (?:smell|taste)|nause(?:a|ous)|screw(?:s|ed|ing)? up (?:her|his) (?:nose|face)|"
    r"blech|ugh|bad (?:smell|taste)|嫌恶|作呕|反胃|嫌",
    "tender": r"tender-?heartedly|fatherly|maternal(?:ly)?|paternal(?:ly)?|solicitous(?:ly)?|devoted(?:ly)?|devotion|"
    r"endear(?:ed|ing|ingly|ment)|cuddl(?:es|ing)|big-hearted|merciful|humane|benevolent(?:ly)?|benign|"
    r"gracious(?:ly)?|forgiving|understanding|reassur(?:es|ing|ingly)|encouraging(?:ly)?|intimate(?:ly)?|"
    r"romantic(?:ally)?|love-struck|lovesick|smitten|besotted|dear(?:ly)|sweetness|tenderer|kindhearted|considerate|"
    r"thoughtful(?:ly)?|lull(?:s|ing)|hush(?:es|ing)|softening|softens|mild-mannered|emotionally close|"
    r"caress(?:es|ing)?|cherished|protective(?:ly)?|hug(?:s|ging)|蜜|疼惜|和蔼|甜蜜|爱怜|doting(?:ly)?|adoring(?:ly)?|"
    r"cherish(?:es|ing)?|cuddly|nurturing|comforting(?:ly)?|consol(?:es|ing)|heart(?:-warming| melts)|"
    r"melt(?:s|ing) (?:her|his) heart|(?:warm|kind|soft|tender)-?hearted(?:ly)?|lovingly|in love|loving|adoration|"
    r"full of love|with love|like a mother|like a father|asmr|bedside manner|cares? deeply|sooth(?:es|ed)|慈祥|温情|"
    r"怜爱|疼爱|体贴|轻柔|爱意|柔情",
}
EMOTION_PATTERNS = {name: f"{words}|{_EMOTION_IDIOMS[name]}" for name, words in _EMOTION_WORDS.items()}

_MOVE = (
    r"(?:mov(?:es?|ing)|go(?:es|ing)?|com(?:es?|ing)|gets?|travel(?:s|ling)?|slid(?:es?|ing)|drift(?:s|ing)?|"
    r"glid(?:es?|ing)|float(?:s|ing)?|creep(?:s|ing)?|inch(?:es|ing)?)"
)
_WHILE = r"(?: (?:slowly|gently|gradually|quickly|smoothly|fast|softly|very|a (?:bit|little)|\w+ly))*"
_CAMERA_PHRASES: dict[CameraMove, str] = {
    "static": rf"(?:static|fixed|locked(?:-| )off|still|stationary|motionless|steady)(?: camera| shot| frame)|static|"
    rf"tripod|{_CAM} (?:(?:does not|doesn't|should not|must not) move|"
    rf"(?:stays?|remains?|is|holds?|keeps?)(?: perfectly| completely)? (?:still|fixed|static|steady|put))|(?:no|"
    rf"without(?: any)?) camera (?:movements?|motion|moves?)|(?:don't|do not) move the camera|"
    rf"without moving the camera|{_CAM} (?:does|do) nothing|{_CAM} rests|unmoving camera|"
    r"固定镜头|固定机位|镜头(?:不动|静止|固定)|静止镜头",
    "push_in": rf"(?:push(?:es|ing)?|zoom(?:s|ing)?|doll(?:y|ies|ying)|track(?:s|ing)?|truck(?:s|ing)?)(?: slowly|"
    rf" gently| gradually)?[ -]?in\b|push towards|{_CAM}{_WHILE} {_MOVE}{_WHILE} (?:closer|"
    rf"in(?! (?:order|turn|sequence|a row))|nearer|forwards?|towards?)|{_CAM}{_WHILE} (?:approach(?:es|ing)?|"
    rf"clos(?:es|ing) in|advanc(?:es|ing)|tighten(?:s|ing)?)|clos(?:es|ing) in on|(?:zoom|doll|push|track)(?:y|s|ies|"
    rf"es|ing|ying)?{_WHILE} (?:on(?:to)?|in ?to|towards?|forwards?|closer)\b|crash zoom|tighten(?:s|"
    rf"ing)? the (?:shot|frame)|(?:zoom|dolly|push|track)(?:s|es|ing)?{_WHILE} in\b|推进|镜头(?:向前|前移|推)|"
    rf"拉近镜头|推近|拉近|镜头靠近",
    "pull_out": rf"(?:pull(?:s|ing)?|zoom(?:s|ing)?|doll(?:y|ies|ying))(?: slowly| gently| gradually)?[ -]?(?:out|"
    rf"back|away)\b|{_CAM}{_WHILE} {_MOVE}{_WHILE} (?:back|backwards?|away|out|further)|"
    rf"{_CAM}{_WHILE} (?:retreat(?:s|ing)?|back(?:s|ing)? (?:away|off|up)|withdraw(?:s|ing)?|reced(?:es|ing)|"
    rf"(?:draw|step|pull)(?:s|ing)? (?:back|away|out)|widen(?:s|ing)?)|widen(?:s|ing)? the (?:shot|frame|view)|"
    rf"(?:zoom|dolly|pull|track)(?:s|es|ing)?{_WHILE} (?:out|back|away|backwards?)\b|镜头(?:向后|后移|拉远|拉开)|拉远|"
    rf"镜头后退",
    "pan_left": rf"pan(?:s|ning)?{_WHILE}(?: over| across| around)?{_TO} left|left(?:ward)? pan|"
    rf"{_CAM}{_WHILE} (?:{_MOVE}|swings?|sweeps?|turns?|pans?|tracks?|trucks?){_WHILE}{_TO} left|"
    rf"(?:pan(?:s|ning)?|{_CAM} \w+){_WHILE} from (?:the )?right to (?:the )?left|"
    rf"(?:镜头)?(?:[向往朝]左(?:边|侧)?(?:慢慢|缓缓)?(?:摇|移|平移|横移)|左摇|左移)",
    "pan_right": rf"pan(?:s|ning)?{_WHILE}(?: over| across| around)?{_TO} right|right(?:ward)? pan|"
    rf"{_CAM}{_WHILE} (?:{_MOVE}|swings?|sweeps?|turns?|pans?|tracks?|trucks?){_WHILE}{_TO} right|"
    rf"(?:pan(?:s|ning)?|{_CAM} \w+){_WHILE} from (?:the )?left to (?:the )?right|"
    rf"(?:镜头)?(?:[向往朝]右(?:边|侧)?(?:慢慢|缓缓)?(?:摇|移|平移|横移)|右摇|右移)",
    "tilt_up": rf"{_CAM}{_WHILE} (?:tilt(?:s|ing)?|looks?|{_MOVE}){_WHILE} up(?:wards?)?|tilt[ -]up|"
    rf"tilt(?:s|ing)?{_WHILE} up(?:wards?)?|{_CAM}{_WHILE} (?:ris(?:es|ing)|crane(?:s|ing)? up|ascend(?:s|ing)?|"
    rf"lift(?:s|ing)?)|镜头上摇|镜头(?:向上|上移)",
    "tilt_down": rf"{_CAM}{_WHILE} (?:tilt(?:s|ing)?|looks?|{_MOVE}){_WHILE} down(?:wards?)?|tilt[ -]down|"
    rf"tilt(?:s|ing)?{_WHILE} down(?:wards?)?|{_CAM}{_WHILE} (?:sink(?:s|ing)?|crane(?:s|ing)? down|descend(?:s|ing)?|"
    rf"lower(?:s|ing)?|drop(?:s|ping)?)|镜头下摇|镜头(?:向下|下移)",
    "orbit_left": rf"(?:orbit|circl|arc|rotat)(?:s|es?|ing|ting)?(?: shot)?(?: around(?: \w+)?)?{_TO} left|left orbit|"
    rf"向左环绕|左环绕",
    "orbit_right": rf"(?:orbit|circl|arc|rotat)(?:s|es?|ing|ting)?(?: shot)?(?: around(?: \w+)?)?(?:{_TO} right)?(?! "
    rf"?\w*{_TO} left)|right orbit|环绕",
    "handheld": r"hand-?held|shaky(?: \w+)? (?:camera|shot)|shaky cam|documentary (?:camera|style)|"
    r"(?:camera|cam|shot) (?:is )?held by hand|by hand(?:held)? camera|wobbl(?:y|es|ing)|camera[ -]shak(?:e|es|ing)|"
    r"shak(?:y|ing) (?:camera|cam|footage|frame)|(?:camera|cam) (?:is )?(?:shaky|shakes|shaking|unsteady|trembles)|"
    r"unsteady camera|vlog(?:ging)?(?:[- ]style)?|found[- ]footage|手持(?:镜头)?|镜头(?:晃动|摇晃|抖动)|晃动",
}

_GESTURE_PHRASES: dict[GestureName, str] = {
    "nod": r"nod(?:s|ded|ding)?(?: (?:her|his|the|their) head)?|bob(?:s|bing)? (?:her|his|the|their) head|"
    r"点(?:了)?(?:几下|两下|一下|点)?头",
    "shake": rf"sh(?:ake|akes|aking|ook)(?: of)? {_HEAD}|head[ -]?shak(?:e|es|ing)|wag(?:s|ging)? {_HEAD}|"
    rf"摇(?:了摇|摇)?头",
    "tilt_left": rf"(?:tilt(?:s|ed|ing)?|cock(?:s|ed|ing)?|lean(?:s|ing)?) {_HEAD}(?:{_TO} left|"
    rf" to (?:the|one) side)?|head tilt(?:ed|s)?(?:{_TO} left)?|tilt(?:s|ing)?{_TO} left|(?:向左)?歪头|"
    rf"头[往向朝]左(?:边|侧)?(?:歪|偏|倾)|头(?:歪|偏)[向到往]左",
    "tilt_right": rf"(?:tilt(?:s|ed|ing)?|cock(?:s|ed|ing)?|lean(?:s|ing)?) {_HEAD}{_TO} right|"
    rf"head tilt(?:ed|s)?{_TO} right|tilt(?:s|ing)?{_TO} right|向右歪头|头[往向朝]右(?:边|侧)?(?:歪|偏|倾)|"
    rf"头(?:歪|偏)[向到往]右",
    "turn_left": rf"turn(?:s|ed|ing)?(?: {_HEAD})?{_TO} left|turn(?:s|ed|ing)?(?: {_HEAD})? away|"
    rf"(?:then )?back to (?:the |her |his )?left|head turn(?:s|ed|ing)?{_TO} left|fac(?:es|ing){_TO} left|"
    rf"turn of (?:the|her|his) head{_TO} left|rotat(?:es|ing) {_HEAD}{_TO} left|(?:向|往|朝)左(?:边)?转头?|左转",
    "turn_right": rf"turn(?:s|ed|ing)?(?: {_HEAD})?{_TO} right|"
    rf"turn(?:s|ed|ing)? {_HEAD}(?! (?:away|left|to|towards?)\b)|(?:then )?back to (?:the |her |his )?right|"
    rf"head turn(?:s|ed|ing)?{_TO} right|fac(?:es|ing){_TO} right|turn of (?:the|her|his) head{_TO} right|"
    rf"rotat(?:es|ing) {_HEAD}{_TO} right|(?:向|往|朝)右(?:边)?转头?|右转",
    "lean_in": r"lean(?:s|ed|ing)?(?: \w+ly)? ?-?(?:in|forwards?|closer|towards? (?:us|me|the (?:camera|viewer)))|"
    r"(?:comes?|moves?) closer to the camera|bend(?:s|ing)? (?:forwards?|closer)|"
    r"lean(?:s|ed|ing)?(?: \w+ly)? (?:over|into the (?:camera|frame))|前倾|向前(?:倾|靠|探)|身体前|(?:身体)?靠近|凑近",
    "lean_back": r"lean(?:s|ed|ing)?(?: \w+ly)? (?:back(?:wards?)?|away)|(?:sit|settle|slump)(?:s|ting|"
    "ing)? back|后仰|后靠|向后靠",
    "look_up": r"(?:look|glanc|gaz|star)(?:s|es?|ing|e)?(?: \w+ly)? up(?:wards?)?|eyes raised|"
    r"(?:eyes|gaze) (?:up|upwards?|rises?|lifts?)|(?:look|gaz|star)(?:s|es|ing|e)? at the (?:ceiling|sky)|"
    r"rolls? (?:her|his|their) eyes|抬起?眼|rais(?:es?|ing) (?:her|his|the|their) eyes|抬头|向上看",
    "look_down": r"(?:look|glanc|gaz|star)(?:s|es?|ing|e)?(?: \w+ly)? down(?:wards?)?|eyes lowered|"
    r"(?:eyes|gaze)(?: \w+)? (?:down|downwards?|drops?|falls?|sinks?)|lowered (?:eyes|gaze)|"
    r"(?:look|gaz|star|glanc)(?:s|es|ing|e)? at (?:the|her|his) (?:floor|ground|feet|hands)|"
    r"(?:lower|drop)(?:s|ing|ping)? (?:her|his|the|their) gaze|垂下?眼|lower(?:s|ing)? (?:her|his|the|their) eyes|"
    r"低头|向下看",
    "look_left": rf"(?:look|glanc|gaz|star)(?:s|es?|ing|e)?(?: \w+ly)?{_TO} left|向左看|"
    rf"[看瞥望瞟盯][向了]?(?:一眼)?[向到往]?左|[向往朝]左(?:边|侧)?(?:看|瞥|望|瞟)",
    "look_right": rf"(?:look|glanc|gaz|star)(?:s|es?|ing|e)?(?: \w+ly)?{_TO} right|向右看|"
    rf"[看瞥望瞟盯][向了]?(?:一眼)?[向到往]?右|[向往朝]右(?:边|侧)?(?:看|瞥|望|瞟)",
    "raise_brows": r"(?:rais(?:es?|ed|ing)|lift(?:s|ed|ing)?)(?: (?:her|his|the|their|an?|one))? (?:eye)?brows?|"
    r"(?:eye)?brows?(?: \w+)? (?:raised|up|lifted|arched|high)|raised (?:eye)?brows?|"
    r"(?:eye)?brows (?:shoot|go|jump|fly) up|arch(?:es|ed|ing) (?:an?|her|his|the) (?:eye)?brows?|挑起?眉|扬起?眉",
}

CAMERA_PATTERNS = {name: f"{words}|{CAMERA_MOTIONS[name]}" for name, words in _CAMERA_PHRASES.items()}
GESTURE_PATTERNS = {name: f"{words}|{GESTURE_MOTIONS[name]}" for name, words in _GESTURE_PHRASES.items()}

SOUND_PATTERNS = {
    "singing": r"sing(?:s|ing)?(?! (?:out|a different))|sang|humm?(?:s|ing)|唱歌?|歌唱",
    "pause": r"silent(?:ly)?|(?:total |complete )?silence|says? nothing|(?:keeps?|stays?|is|remains?) quiet|mute|"
    "wordless(?:ly)?|"
    r"without (?:saying )?(?:a|any) words?|not a word|nobody (?:speaks|talks|makes a sound)|no (?:one|voice) speaks|"
    r"(?:does not|doesn't|do not|don't) (?:speak|talk|say (?:a word|anything))|"
    r"(?:mouth|lips) (?:stays? |remains? |kept )?(?:shut|closed)|沉默|不说话|不出声|闭嘴",
}

STRONG_IN_ITSELF = re.compile(
    r"furious|enraged|rage|terrified|panic|ecstatic|elated|laugh|sob|weep|outraged|heartbroken|stunned|shock|大笑|"
    r"愤怒|震惊|恐惧"
)
NEGATED = re.compile(
    r"(?:\b(?:not(?! only)|never|no|without|avoid(?:s|ing)?|neither|nor|hardly|stop(?:s|ped)?|cannot|free of|"
    r"instead of|rather than|anything but|far from|refus(?:es?|ed|ing) to|devoid of|leave out|leaving out|skip|omit|"
    r"(?:keep|stop|prevent)s?(?: \w+)? from|under no circumstances(?: should| must| may)?|by no means|in no way)\b|"
    r"n't\b)(?:[ -]+(?!but\b|just\b|only\b)[\w']+){0,3}[ -]*$|(?:不要?|没有?|别|无(?!表情))[^,。]{0,3}$"
)
REFUSED = re.compile(
    r"^(?:(?:and|but|with|please|there (?:is|are)) )*(?:no|not|never|without|avoid(?:ing)?|don't|do not)(?: any|"
    r" a)? (?P<what>[^\W\d_].{2,60})$|^(?:不要|没有|别)(?P<zh>.{1,30})$"
)
"""A clause that refuses something for which there is no name here."""
_BEFORE, _AFTER = r"(?:\W*\b(?:{})\b(?:\W+[\w']+){{0,2}}\W*$)", r"^\W+(?:[\w']+\W+)?(?:{})\b"
_DEGREES = (
    (
        WEAK,
        r"(?:ever so )?slight(?:ly)?|a (?:little|wee )?(?:little|bit|touch|hint|tad|trace|smidge|smidgen|shade|"
        r"dash)(?: of)?|tad|moderate(?:ly)?|vague(?:ly)?|almost|half|just|faint(?:ly)?|subt(?:le|ly)|mild(?:ly)?|"
        r"somewhat|barely|hint of|slow(?:ly)?|gent(?:le|ly)|gradual(?:ly)?|small|calmly|light(?:ly)?|soft(?:ly)?",
        r"一点点?|有些|微微|稍微?|有点|略微?|缓慢|慢慢|轻轻?",
    ),
    (
        STRONG,
        r"absolute(?:ly)?|positively|immense(?:ly)?|beyond|profound(?:ly)?|thorough(?:ly)?|tremendous(?:ly)?|"
        r"terribl[ey]|exceeding(?:ly)?|utter|boundless|super|complete(?:ly)?|whol(?:e|ly)|incredibl[ey]|insanely|"
        r"enormous(?:ly)?|pure|sheer|mortal|huge(?:ly)?|massive(?:ly)?|overwhelming(?:ly)?|exceptional(?:ly)?|"
        r"over the top|mad with|wild(?:ly)?|seriously|awfully|so|such|most|hopelessly|downright|very|extreme(?:ly)?|"
        r"intense(?:ly)?|deep(?:ly)?|really|strong(?:ly)?|utterly|totally|big|broad(?:ly)?|wide(?:ly)?|fast|"
        r"quick(?:ly)?|rapid(?:ly)?|dramatic(?:ally)?|marked(?:ly)?|vigorous(?:ly)?|energetic(?:ally)?",
        r"非常|十分|很|极其?|快速|用力|强烈",
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
    r"\b(?:throughout|repeated(?:ly)?|often|keeps?|constantly|again and again|all the time|occasional(?:ly)?|"
    r"from time to time)\b|一直|不停|不断"
)
STILL = re.compile(
    r"\b(?:motionless|(?:stay|keep|sit|stand|hold|remain)(?:s|ing)? (?:perfectly |completely |very |"
    r"absolutely )?still|(?:like )?a statue|immobile|no (?:head |body )?(?:movements?|motion|"
    r"gestures?)(?! of the camera)|without (?:any )?(?:gestures?|(?:head )?movements?|moving)(?! the camera)|"
    r"(?:doesn't|does not|without|not) mov(?:e|ing)(?! (?:the )?camera)|head still)\b|一动不动"
)

SPLIT = re.compile(
    r"(?P<stop>[.!?;。！？；\n]+)|,|、|，|:(?= )|(?<!anything )(?<!nothing )\bbut\b|\bwhile\b|\binstead\b(?! of)|"
    r"(?=\buntil\b)|(?=直到)|(?=\b(?:and )?then\b)|(?=然后|接着|随后|最后)|(?=\bfollowed by\b)|"
    r"(?=(?:^|\s)\d[.)] ?(?=\D))|(?=->|→)|(?=\band (?:later|after(?:wards)?|finally|eventually|ends?|ending|"
    r"clos(?:es|ing)|finish(?:es|ing)?|towards? the)\b)|(?=\b(?:and )?(?:as soon as|(?<!at )once)\b)|"
    r"(?<=\w) (?=before (?:\w+ing|she|he|they|it|the|some\w+|her|his|a)\b)"
)
FIRST = re.compile(
    r"^\W*(?:first(?:ly)?|at first|in the beginning|at the (?:start|beginning)|to begin with|initially|starts?\b|"
    r"begins?\b|opens?\b|1[.)]|(?:act|part|scene|phase|stage|step) (?:one|1|i)\b|for the first (?:half|part)|首先|先|"
    r"一开始|开始)"
)
THEN = re.compile(
    r"^\W*(?:(?:and )?then|(?:and )?after that|after which|afterwards?|next|later(?: on)?|finally|eventually|"
    r"in the end|at last|second(?:ly)?|subsequently|followed by|before\b|until\b|once\b|as soon as|"
    r"and (?:later|finally|ends?|ending|finish|clos)\w*|[2-9][.)]|->|→|towards? the (?:close|end)|"
    r"(?:act|part|scene|phase|stage|step) (?:two|three|four|five|ii|iii|iv|[2-9])|然后|接着|随后|之后|最后|后来|后|再|"
    r"接下来)"
)
BECOMES = re.compile(
    r"\b(?:becom\w+|turns?|turning|grows?|growing|ends?|ending|chang\w+|shift\w+|fad\w+|into|to|then|until|gives? way|"
    r"mak(?:es|ing)|switch\w*|melts?|breaks? into|bursts? into)\b|->|→|变|转"
)
_PIECE = (
    r"(?:sentences?|words?|moments?|seconds?|lines?|part|bit|phrase|third|quarter|stretch|half|minutes?|scene|breath|"
    r"one)"
)
_PART = rf"(?: (?:few|couple of|two|three|very))?(?: {_PIECE})\b"
AT_END = re.compile(
    r"\b(?:at|in|towards?|near|by) the (?:very )?(?:end|close|finish|ending|"
    r"conclusion)\b(?! of (?:her|his|their|the) (?:tether|rope|wits))|\bfinally\b|\bat last\b|\bthrough the ending\b|"
    r"\b(?:ends?|ending|clos(?:es|ing)|finish(?:es|ing)?|concludes?|concluding) (?:up )?(?:on|with|in|by|as)\b|"
    r"\bas (?:she|he) (?:finishes|ends|closes|concludes)\b|\bto (?:finish|end|close|conclude) with\b|"
    r"\bclos(?:es|ing) the (?:video|clip|scene|take|shot)\b|^\W*(?:closing|ending|end|finale|last)\b(?= *$|:)|"
    rf"\b(?:(?:in|for|during|over|with|at) )?(?:the |her |his |those )?(?:last|final|closing|concluding){_PART}|最后|"
    rf"结尾|末尾"
)
AT_START = re.compile(
    r"\b(?:at|in|from|during|through) the (?:very )?(?:start|beginning|outset|opening)\b|\b(?:at )?first\b(?! name)|"
    r"\bto (?:start|begin|open) with\b|\binitially\b|\bright away\b|\bearly on\b|\bbefore that\b|"
    r"\b(?:(?<!for )the rest|otherwise|everything else|until then)\b|^\W*(?:opening|start|beginning|intro)\b(?= *$|:)|"
    rf"\b(?:(?:in|for|during|over|with|at) )?(?:the |her |his )?(?:first|opening|initial){_PART}|开头|开始时|起初"
)
"""What is said so belongs to the beginning, wherever it stands among the words; so does what holds for "the rest"."""
AT_MIDDLE = re.compile(
    r"\b(?:in|around|about|near|at|towards?) the (?:very )?middle\b|\bmid-?way\b|\bhalf-?way\b|^\W*middle\b|"
    r"\bmid-(?:sentence|speech|clip|video)\b|中间|一半时"
)
FROM_HALF = re.compile(
    r"\b(?:in|from|for|during|over|with|of) the (?:second|other|latter) (?:half|part|sentence|line|section)\b|"
    r"\bthe second (?:half|part|sentence|line)\b|后半"
)
OTHER_WAY = re.compile(
    r"^\W*(?:(?:and|then|later|after that|afterwards?|next|finally|now|slides?|moves?|goes|back|off|on|over|again|"
    r"round|around|to|towards?|the|her|his|their|it|tilted|turned) )*(?P<way>left|right|up|"
    r"down)(?:wards?)?(?: (?:side|shoulder|again))*\W*$"
)
"""A clause that only says where to, of a motion that was named before."""
WHOLE = re.compile(
    r"\bthroughout\b|\ball (?:the way )?(?:through|along)\b|\bfrom (?:start|beginning) to (?:end|finish)\b|"
    r"\bthe whole (?:time|way)\b|全程|自始至终"
)
"""What is said so holds for all of the video."""
NUMBERS = {
    "half a": 0.5, "an": 1, "a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60,
    "一": 1, "两": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10,
}  # fmt: skip
_NUMBER = rf"\d+(?:\.\d+)?|{'|'.join(NUMBERS)}"
AT_SECOND = re.compile(
    rf"\b(?:after|at|from|in)(?: (?:second|about|around|some|the first))? (?P<count>{_NUMBER})[ -]?"
    r"(?P<unit>(?:(?<=\d)|(?<=\d ))s\b|secs?\b|seconds?\b|mins?\b|minutes?\b)|"
    r"\b(?:at|from) second (?P<second>\d+(?:\.\d+)?)|"
    rf"(?P<zh>{_NUMBER}) ?(?P<zh_unit>秒|分钟)(?:后|之后|时)|\b(?:at|from|after) (?P<minute>\d+):(?P<rest>\d\d)\b"
)
OR = re.compile(
    r"^\W*(?:(?:her|his|the|any|ever|even|of|head|face) )*(?:or|nor)\b(?: (?:her|his|the|any|ever|even|to|be))*\W*$"
)
QUOTED = re.compile('"[^"\\n]{1,200}"|“[^”\\n]{1,200}”|„[^“\\n]{1,200}“|«[^»\\n]{1,200}»|「[^」\\n]{1,200}」')
TIME_ALONE = re.compile(
    r"^\W*(?:(?:at|in|by|towards?|from|for|and|then|the|very|her|his|first|last|final|closing|opening|middle|"
    r"half-?way|midway|end|start|beginning|\d[.)]?|act|scene|part|one|two|three) *)+\W*$"
)
"""A clause that only says when."""
DECOR = re.compile(
    r"(?:poster|painting|banner|t-?shirt|hoodie|sweater|jumper|cap|mug|logo|sticker|sculpture|statue|billboard|mural|"
    r"birthday|birds|film|movie|novel|book|magazine|weather|ending|hour|meal|christmas|sign|neon|flag|tattoo)\b"
)
"""Things that may be sad or happy without anybody being so."""
DEPICTED = re.compile(
    r"(?:poster|painting|photo|portrait|statue|drawing|mural|print|image|mask|puppet|doll|emoji) (?:of|showing|"
    r"with) (?:an? |the )?(?:[\w-]+ ){0,3}$|^\W*(?:behind|beside|next to|above) (?:him|her|them)\b.{0,60}$"
)
ALREADY_NAMED = re.compile(r"^\W*(?:and |then |later |finally |at the end )*(?:she|he|her|his)\b|^\W*(?:她|他)")
"""A sentence that goes on about whom the one before named."""
ALL_OF_THEM = re.compile(r"\b(?:both|everybody|everyone|all of them|they all|they|each of them)\b|大家|他们|她们")
OTHERS = re.compile(r"\bthe others?\b|\bthe other (?:one|person|two|people|woman|man)\b|其他人|另一个")
AT_ONCE = re.compile(r"\bat once\b|\bat the same time\b|\bsimultaneously\b|同时")

WOMAN = re.compile(r"\b(?:woman|girl|lady|she|her|actress|mother)\b|女")
MAN = re.compile(r"\b(?:man|boy|guy|he|his|him|actor|father|gentleman)\b|男")

MENTIONS: dict[str, str] = {
    "glasses": r"(?:sun)?glasses|spectacles|眼镜",
    "beard": r"beards?|moustaches?|mustaches?|胡子|胡须",
    "hands": r"(?<!by )hands?(?![- ]?held)|fingers?|arms?|wav(?:e|es|ing)|clap(?:s|ping)?|thumbs? up|"
    r"points? (?:at|to)|walk(?:s|ing)?|runs|running|danc(?:e|es|ing)|stands? up|sits? down|jump(?:s|ing)?|legs?|feet|"
    r"挥手|双手|走路|跳舞|跑步|站起来",
    "people": r"(?:two|three|four|five|several|many|both|a few|all the)(?: \w+)? (?:people|persons|women|men|girls|"
    r"boys|ladies|guys|friends|characters|speakers|singers|sisters|brothers)|both of them|each other|one another|"
    r"couple|twins|(?:group|crowd|bunch|team|pair) of \w+|crowd|audience|choir|"
    r"they (?:\w+ )?(?:talk|argue|sing|chat|discuss|laugh|shout|smile)|the other (?:one|person|woman|man)|duet|"
    r"(?:his|her) (?:friend|wife|husband|colleague|partner|brother|sister) (?:\w+ )?(?:answers|replies|says|laughs|"
    r"nods|smiles)|两个人|两位|三个人|一群|大家|他们|她们|彼此",
    "dark": r"in (?:the|total|complete) dark(?:ness)?|dark (?:room|scene|light(?:ing)?|cellar|cave|alley|street|"
    "night|place)|"
    r"dim(?:ly)?(?:[- ]lit| light(?:ing)?)?|(?:at|by) night|moonlight|moonlit|candle-?light|pitch[- ](?:black|dark)|"
    r"gloom\b|黑暗|夜晚|昏暗",
    "bright": r"bright (?:sun(?:shine|light)?|light(?:ing)?|day(?:light)?|room|morning|noon|studio)|"
    "brightly[- ]lit|in the sun|"
    r"sunlit|sunny|(?:in|broad) (?:full )?(?:sunshine|daylight)|阳光|明亮",
}
"""Things that only the picture can answer for."""
MANNERS: dict[str, str] = {
    "whisper": r"whisper(?:s|ed|ing)?|under (?:her|his|their) breath|低语|耳语|小声",
    "shout": r"shout(?:s|ed|ing)?|yell(?:s|ed|ing)?|scream(?:s|ed|ing)?|cr(?:y|ies|ying) out|大喊|喊叫|吼",
    "ask": r"ask(?:s|ed|ing)?(?! for)|wonder(?:s|ing)?|question(?:s|ing)?|问",
}
"""How a voice may speak; what is heard cannot be changed."""
HEDGED = re.compile(r"\b(?:maybe|perhaps|possibly|or so|kind of|sort of|might|could be|if possible)\b|也许|可能|或许")
