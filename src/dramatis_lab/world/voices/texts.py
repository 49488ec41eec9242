"""Sentences for the synthetic voices: English and Mandarin by small grammars, other languages by word lists.

Only the mouth shapes matter, not the meaning: words are chosen so that every phone is common, lips meet
often (m, b, p, f, v) and each phone has many different neighbours. Mandarin is numbered pinyin, which
is what espeak-ng speaks; English is read by every engine.
"""

from __future__ import annotations

import numpy as np


def _phrases(listed: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in listed.replace("\n", " ").split("|"))


_EN_SUBJECTS = _phrases(
    """I| you| we| they| my mother| the old baker| a young pianist| our neighbour| the whole team| somebody|
    nobody| my best friend| the woman in blue| that boy| the president| your brother| every farmer|
    the bus driver| Mabel| Peter| Fiona| Thomas| a very famous chef| the people upstairs| Professor Webb|
    the little puppy"""
)
_EN_VERBS = _phrases(
    """brought| found| moved| painted| followed| forgot| bought| remembered| baked| promised| watched|
    carried| showed me| chose| threw away| believed in| laughed about| opened| washed| pulled| borrowed|
    improved| asked for| measured| joined| enjoyed| wove| shipped| fixed| picked up| moved past| lived beside|
    poured over| sang about| voted for"""
)
_EN_OBJECTS = _phrases(
    """the blue umbrella| five warm loaves of bread| a beautiful poem| the back of the boat| this purple map|
    an apple pie| the fourth movie| some fresh vegetables| a huge birthday cake| the missing key|
    their first house| a bottle of milk| the very thing| two hundred bees| my favourite jumper|
    the broken window| a cup of coffee| every single page| the long journey| a wooden chair| the answer|
    nothing at all| the noisy church choir| what I hoped for| a piece of cheese| both photographs|
    the whole village| measured pleasure"""
)
_EN_PLACES = _phrases(
    """in the park| by the river| before breakfast| after the meeting| from morning to evening| on Wednesday|
    above the shop| without a word| for the fifth time| with both hands| near the harbour|
    at half past four| because of the fog| under the old bridge| between two mountains| as usual|
    over the weekend| back home| while we were away| through the narrow valley| if you please"""
)
_EN_OPENINGS = _phrases(
    """Well| Maybe| Honestly| By the way| Of course| You know| Look| To be fair| Oh my| Wow| Now| Finally|
    Thank you| So| Believe me| Perhaps| Above all| Imagine"""
)
_EN_WHOLE = _phrases(
    """How are you feeling today?| Please pass me the pepper.| What a wonderful performance!|
    Why would you move?| Are you going to be home by five?| Peter Piper picked a peck of pickled peppers.|
    We were away a year ago.| She sells sea shells by the sea shore.| Follow me.| No, no, never!|
    Both my thumbs are numb.| May I help you?| Oh, wow!| The quick brown fox jumps over the lazy dog.|
    Buy Bobby a puppy.| You look amazing.| Good morning, everybody.| I love you.|
    That was the best film I ever saw.| Who are you, and where do you live?| Bob, bring me the map.|
    Thank you very much for joining us this evening.| One, two, three, four, five, six, seven.| Mm, maybe.|
    Papa made some popcorn.| Few people have ever believed it.| Put the book above the box."""
)
_EN_NUMBERS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "twenty",
    "fifty", "hundred", "million",
)  # fmt: skip

_CMN_SUBJECTS = _phrases(
    """wo3| ni3| ta1| wo3 men5| ta1 men5| wo3 ma1 ma5| wo3 ba4 ba5| lao3 shi1| peng2 you5| mei4 mei5|
    yi1 sheng1| na4 ge5 ren2| da4 jia1| xiao3 peng2 you3| bao3 bao5"""
)
_CMN_TIMES = _phrases(
    """jin1 tian1| ming2 tian1| zuo2 tian1| xian4 zai4| mei3 tian1| wan3 shang5| zao3 shang5| xia4 wu3|
    zhou1 mo4| shi2 hou5| |"""
)
_CMN_VERBS = _phrases(
    """xi3 huan1| mai3| mai4| kan4| chi1| he1| xiang3 yao4| wang4 le5| zhao3 dao4 le5| bao4| fa1 xian4 le5|
    bang1 wo3 na2| hui4 zuo4| bu4 xi3 huan1| mei2 you3| pao3 qu4 kan4| fei1 chang2 ai4| ting1| mo1| pai1"""
)
_CMN_OBJECTS = _phrases(
    """ping2 guo3| bai2 mi3 fan4| yi1 bei1 ka1 fei1| mian4 bao1| na4 ben3 shu1| fei1 ji1| peng2 you5 de5 mao1|
    bei3 jing1 de5 dong1 tian1| yi1 fu2| dian4 ying3| yin1 yue4| hua1 yuan2| xue3| hong2 se4 de5 yu3 san3|
    niu2 nai3| yi1 fu4 hua4| xin1 de5 fang2 zi5| ma3| ji1 rou4| dan4 gao1| zhe4 jian4 shi4| lv4 cha2|
    bing1 qi2 lin2"""
)
_CMN_WHOLE = _phrases(
    """ni3 hao3 ma5?| xie4 xie5 ni3.| fei1 chang2 gao1 xing4 ren4 shi5 ni3.| mei2 wen4 ti2.| bu4 ke4 qi5.|
    ba1 bai3 biao1 bing1 ben4 bei3 po1.| zen3 me5 ban4?| wo3 men5 zou3 ba5.| wo3 ai4 ni3.|
    xin1 nian2 kuai4 le4!| jin1 tian1 tian1 qi4 hen3 hao3.| qing3 wen4 ni3 shi4 na3 guo2 ren2?|
    yi1 er4 san1 si4 wu3 liu4 qi1 ba1 jiu3 shi2.| ma1 ma5 qi2 ma3, ma3 man4, ma1 ma5 ma4 ma3."""
)
_CMN_PARTICLES = ("", "", "", " ma5", " ba5", " le5", " a5")

_WORDS: dict[str, str] = {
    "es": (
        "hola amigo buenos días mañana pueblo pequeño trabajo verde vivir mucho bebé puerta fuego lluvia "
        "caballo primavera abuela quiero poder música familia noche blanco jamás chico guitarra película "
        "hombre bonito llamar un la el muy por para pero también siempre nube perro gato azul jugar viaje "
        "feliz"
    ),
    "fr": (
        "bonjour madame petit bateau pomme bleu vouloir maman papa beaucoup femme fenêtre voiture jamais "
        "toujours un une le la peu deux heure fleur jour bien pain vin blanc rouge lune huit nuit cuisine "
        "feuille oiseau monde parler montagne pluie mer vivre bonheur puis sur sous musique chapeau beurre"
    ),
    "de": (
        "guten Morgen Vater Mutter Brot Apfel fünf zwölf schön über müssen möchte Bäume blau grün Freund "
        "Wasser Buch immer vielleicht Pferd Pfanne Kuchen lachen Bruder Abend Fenster Wolke weiß spielen "
        "bleiben ein eine der die das und aber mit Sommer Frühling laufen Zeit zwei Stimme Haus"
    ),
    "it": (
        "buongiorno mamma papà bambino bello pane vino pomodoro sempre mai piove primavera grande piccolo "
        "amico famiglia gnocchi luce fuoco uomo buono vivere parlare il la un e ma perché domani libro blu "
        "verde finestra palazzo giornata ciao bocca pizza voglio"
    ),
    "pt-br": (
        "bom dia mãe pai menino pão vinho sempre nunca amanhã livro azul verde janela amigo família bonito "
        "pequeno viver falar o a um e mas porque muito obrigado chuva primavera boca fogo homem mulher "
        "coração pé"
    ),
    "ru": (
        "доброе утро мама папа хлеб вода книга большой маленький всегда никогда окно друг семья говорить "
        "жить "
        "весна дождь море белый синий быть это мой твой хорошо спасибо любовь город улица музыка пять шесть "
        "восемь человек"
    ),
    "pl": (
        "dzień dobry mama tata chleb woda książka duży mały zawsze nigdy okno przyjaciel rodzina mówić żyć "
        "wiosna deszcz morze biały niebieski być to mój dobrze dziękuję miłość miasto ulica muzyka pięć "
        "sześć "
        "człowiek"
    ),
    "tr": (
        "günaydın anne baba ekmek su kitap büyük küçük her zaman asla pencere arkadaş aile konuşmak yaşamak "
        "bahar yağmur deniz beyaz mavi bir bu benim iyi teşekkür ederim sevgi şehir sokak müzik beş altı "
        "insan çok güzel"
    ),
    "fi": (
        "hyvää huomenta äiti isä leipä vesi kirja suuri pieni aina ikkuna ystävä perhe puhua elää kevät sade "
        "meri valkoinen sininen olla tämä minun hyvin kiitos rakkaus kaupunki katu musiikki viisi kuusi "
        "ihminen yö työ"
    ),
    "hi": (
        "नमस्ते माँ पिता रोटी पानी किताब बड़ा छोटा हमेशा कभी खिड़की दोस्त परिवार बोलना जीवन बसंत बारिश "
        "समुद्र "
        "सफेद नीला यह मेरा अच्छा धन्यवाद प्यार शहर गली संगीत पाँच छह आदमी बहुत सुंदर फूल घर"
    ),
    "ja": (
        "おはよう おかあさん おとうさん ぱん みず ほん おおきい ちいさい いつも まど ともだち "
        "かぞく はなす いきる はる あめ うみ しろい あおい これは わたしの ありがとう まち みち "
        "おんがく ご ろく ひと とても きれい"
    ),
    "ko": (
        "안녕하세요 엄마 아빠 빵 물 책 큰 작은 항상 창문 친구 가족 말하다 살다 봄 비 바다 "
        "하얀 파란 이것은 나의 좋은 감사합니다 사랑 도시 거리 음악 다섯 여섯 사람 매우 아름다운 "
        "꽃 집"
    ),
    "id": (
        "selamat pagi ibu bapak roti air buku besar kecil selalu jendela teman keluarga bicara hidup hujan "
        "laut putih biru ini saya baik terima kasih cinta kota jalan musik lima enam orang sangat indah "
        "bunga "
        "rumah"
    ),
    "sw": (
        "habari mama baba mkate maji kitabu kubwa ndogo siku zote dirisha rafiki familia sema ishi mvua "
        "bahari nyeupe bluu hii yangu nzuri asante upendo mji njia muziki tano sita mtu sana maua nyumba"
    ),
    "ca": (
        "bon dia mare pare pa aigua llibre gran petit sempre mai finestra amic família parlar viure "
        "primavera "
        "pluja mar blanc blau verd un una el la i però perquè molt ciutat carrer música home dona boca foc "
        "poma vi"
    ),
}

LANGUAGES = ("en", "cmn", *_WORDS)
_SONG_WORDS: tuple[tuple[str, int], ...] = (
    ("moon", 1), ("you", 1), ("my", 1), ("love", 1), ("blue", 1), ("home", 1), ("away", 2), ("morning", 2),
    ("over", 2), ("baby", 2), ("river", 2), ("la", 1), ("oh", 1), ("me", 1), ("forever", 3), ("beautiful", 3),
    ("sky", 1), ("fall", 1), ("above", 2), ("maybe", 2), ("time", 1), ("far", 1), ("we", 1), ("will", 1),
    ("be", 1), ("believe", 2), ("summer", 2), ("snow", 1), ("lonely", 2), ("heart", 1), ("free", 1), ("rain",
    1), )  # fmt: skip


def sentence(rng: np.random.Generator, language: str = "en") -> str:
    """One sentence of about two to five seconds; ValueError for a language not in LANGUAGES."""
    if language == "en":
        return _english(rng)
    if language == "cmn":
        return _mandarin(rng)
    if language not in _WORDS:
        raise ValueError(f"There are no sentences in the language {language!r}; choose one of {', '.join(LANGUAGES)}.")
    words = _WORDS[language].split()
    chosen = [words[i] for i in rng.integers(len(words), size=rng.integers(3, 9))]
    if len(chosen) > 5 and rng.random() < 0.4:
        chosen[2] += ","
    return " ".join(chosen) + rng.choice([".", ".", ".", "?", "!"])


def sung_words(rng: np.random.Generator, count: int) -> list[tuple[str, int]]:
    """`count` English words for a song, each with its number of syllables."""
    return [_SONG_WORDS[i] for i in rng.integers(len(_SONG_WORDS), size=count)]


def _english(rng: np.random.Generator) -> str:
    kind = rng.random()
    if kind < 0.2:
        return _pick(rng, _EN_WHOLE)
    if kind < 0.3:
        return ", ".join(_pick(rng, _EN_NUMBERS) for _ in range(rng.integers(2, 6))).capitalize() + "."
    body = f"{_pick(rng, _EN_SUBJECTS)} {_pick(rng, _EN_VERBS)} {_pick(rng, _EN_OBJECTS)}"
    if rng.random() < 0.6:
        body += f" {_pick(rng, _EN_PLACES)}"
    if rng.random() < 0.25:
        body += f", {_pick(rng, ('and', 'but', 'so'))} {_pick(rng, _EN_SUBJECTS)} {_pick(rng, _EN_VERBS)} it"
    if rng.random() < 0.25:
        body = f"{_pick(rng, _EN_OPENINGS)}, {body}"
    return body[0].upper() + body[1:] + _pick(rng, (".", ".", ".", "?", "!"))


def _mandarin(rng: np.random.Generator) -> str:
    if rng.random() < 0.2:
        return _pick(rng, _CMN_WHOLE)
    parts = [_pick(rng, group) for group in (_CMN_SUBJECTS, _CMN_TIMES, _CMN_VERBS, _CMN_OBJECTS)]
    body = " ".join(part for part in parts if part) + _pick(rng, _CMN_PARTICLES)
    if rng.random() < 0.3:
        parts = [_pick(rng, group) for group in (_CMN_SUBJECTS, _CMN_VERBS, _CMN_OBJECTS)]
        body += ", " + " ".join(parts)
    return body + _pick(rng, (".", ".", "?", "!"))


def _pick(rng: np.random.Generator, choices: tuple[str, ...] | list[str]) -> str:
    return choices[int(rng.integers(len(choices)))]
