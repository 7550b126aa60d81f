"""The words of the demonstration corpus: lists by meaning, and the building of rare words and names."""

from __future__ import annotations

from random import Random

from amigrad.data.demo.words import Draw, Noun, Verb, noun, split, stem_before_vowel, triples, verb


def rare_noun(random: Random, kind: str) -> Noun:
    """A noun put together for the occasion: a compound, or a made-up word."""
    if random.random() < 0.12:
        return noun(_invented(random) + _TAILS(random))
    stem, heads = _STEMS(random), _HEADS[kind]
    head = heads[int(random.random() * len(heads))]
    return noun(stem + ("-" if stem[-1] == head[0] else "") + head)


def rare_verb(random: Random) -> Verb:
    """A verb with a prefix that can take a thing as its object."""
    return verb(_PREFIXED(random), _PREFIXES(random))


def rare_adjective(random: Random, coloured: bool = True) -> str:
    """An adjective made from a noun, a verb or another adjective; coloured: it may be a shade of a colour."""
    way = random.random()
    if coloured and way < 0.4:
        return _SHADES(random) + "-" + _COLOURS(random)
    if way < 0.75:
        return _STEMS(random) + _ENDINGS(random)
    return ("un" if random.random() < 0.6 else "") + stem_before_vowel(_PREFIXED(random)) + "able"


def gradable(adjective: str) -> bool:
    """Whether the adjective goes with very."""
    return adjective not in _UNGRADED and "-" not in adjective


def first_name(random: Random) -> str:
    """A given name; several are ordinary words as well."""
    return _FIRST_NAMES(random)


def surname(random: Random) -> str:
    """A family name: a known one, an ordinary word, or a made-up one."""
    if random.random() < 0.6:
        return _SURNAMES(random)
    return (_invented(random) + _SURNAME_ENDINGS(random)).capitalize()


def place_name(random: Random) -> str:
    """A town's or a region's name: a known one, an ordinary word, or a made-up one."""
    if random.random() < 0.66:
        return _PLACE_NAMES(random)
    return (_invented(random) + _PLACE_ENDINGS(random)).capitalize()


def company_name(random: Random) -> list[str]:
    """The words of a company's name."""
    way = random.random()
    if way < 0.4:
        return [_COMPANIES(random)]
    if way < 0.5:
        return [(_invented(random) + _COMPANY_ENDINGS(random)).capitalize()]
    if way < 0.75:
        return [surname(random), _FIRMS(random)]
    return [place_name(random), _FIRMS(random)]


def _invented(random: Random) -> str:
    return _ONSETS(random) + _VOWELS(random) + _CODAS(random)


def _draw(words: str, flatness: float = 8.0) -> Draw[str]:
    return Draw(split(words), flatness)


def _nouns(words: str) -> Draw[Noun]:
    return Draw((noun(word) for word in split(words)), 5)


def _verbs(words: str) -> Draw[Verb]:
    return Draw((verb(word) for word in split(words)), 5)


# Nouns by meaning. Many are verbs, adjectives or names as well.
NOUNS: dict[str, Draw[Noun]] = {
    "person": _nouns(
        "farmer teacher man woman child guard cook judge doctor guide nurse baker friend driver neighbour "
        "student miller painter coach sailor captain worker fisher hunter visitor singer clerk partner "
        "page porter tailor lawyer gardener engineer soldier actor pilot writer king boy girl buyer player "
        "dancer uncle aunt brother sister mayor shepherd carpenter merchant owner reader sculptor scholar "
        "host tenant dentist waiter thief"
    ),
    "animal": _nouns(
        "dog horse cat duck bear bird fish fly cow sheep seal hen goat fox mouse swan bat hound owl goose "
        "wolf calf pony donkey rabbit crow deer otter"
    ),
    "thing": _nouns(
        "light watch ring box saw lamp coat boat match key can bag ball clock plant drum pot hammer knife "
        "table chair letter book mirror picture wheel basket ladder bottle cup rope blanket shelf nail "
        "brush iron sign button candle barrel cart engine bell flag shirt hat boot pipe net well tool "
        "kettle window door wall gate painting drawing roof stone fence pump jacket carpet needle scarf "
        "bucket curtain"
    ),
    "document": _nouns(
        "plan report letter book note list map record answer study offer question order notice review song "
        "poem play story contract drawing paper draft copy bill claim request article novel guide diary "
        "speech"
    ),
    "event": _nouns(
        "meeting walk dance race show play match talk visit trip fight dinner wedding storm strike party "
        "vote test fair march sale concert lesson game lunch feast hunt parade journey debate trial "
        "holiday ceremony"
    ),
    "place": _nouns(
        "garden house school market station park river bridge hill field kitchen village town building "
        "harbour road shop bank forest farm square yard church mill library office castle island valley "
        "beach port bakery tower hospital hotel museum street corner lake cellar barn stable workshop "
        "factory theatre"
    ),
    "food": _nouns(
        "fish apple cake soup pie egg potato loaf onion pear plum sandwich tomato cheese nut bean cherry "
        "sausage carrot biscuit salad melon mushroom"
    ),
    "idea": _nouns(
        "plan hope need change rule promise doubt idea reason cost price claim fear increase dream answer "
        "loss offer rise fall demand problem decision choice chance habit belief result mistake interest "
        "custom duty secret"
    ),
    "time": _nouns("day week morning year month evening night summer winter spring hour minute second weekend"),
}
MASS_NOUNS = _draw(
    "light work fishing cooking help walking singing water painting bread time milk love rain wood cold "
    "snow money fire food paint music coal salt silk butter hope honey corn wool smoke grass heat sand tea "
    "fruit wine dust furniture advice"
)
MODIFIERS = _draw(
    "stone school garden village light market winter summer river city kitchen iron wood paper silver farm "
    "street harbour wool copper evening mountain test water"
)
ADJECTIVES: dict[str, Draw[str]] = {
    "person": _draw(
        "old young kind calm poor cold cool blind tall quiet clever tired busy happy sick wild proud "
        "honest lonely brave famous hungry rich careful shy rude slim elderly angry polite cheerful "
        "nervous"
    ),
    "animal": _draw("wild old brown light young sick small hungry quiet big black white grey tame fat lame clever"),
    "thing": _draw(
        "light old open dry clean empty back warm cool cold new small round large heavy narrow long wet "
        "dirty dark green red brown blue cheap pretty strange wooden rusty soft thick sharp little huge "
        "plain modern yellow ancient"
    ),
    "place": _draw("open back old quiet light empty dark clean small cold near large narrow busy new dry pretty long"),
    "food": _draw("cold fresh warm dry cool light sweet green red hot ripe sour cheap small plain salty rich"),
    "idea": _draw(
        "second clear present last early long fair set late hard first short right open new good slow "
        "secret final brief simple strange public careful wise useful annual serious formal recent "
        "important difficult"
    ),
}
_UNGRADED = frozenset(
    split("second present last first back set right final annual wooden public secret elderly ancient huge")
)
ATTRIBUTES = _draw("broken lost painted closed hidden forgotten used locked stolen washed mended burning")
READINESS = _draw("ready glad free slow happy proud quick afraid sorry eager", 5)
SENTENCE_ADVERBS = _draw("then finally clearly still recently strangely sadly now perhaps once luckily first", 5)
MANNERS = _draw("calm kind quiet clever happy proud honest brave careful rude angry polite cheerful nervous wild shy")

INTRANSITIVE = _verbs(
    "walk work dance talk rest wait laugh run march sleep sing smile fish hunt travel cry shout swim hide "
    "fight play pause stay dream return cook paint speak listen win jump hurry wander argue whisper yawn "
    "stumble"
)
MOTION = _verbs("walk go come run march return race ride travel hurry drive climb fly sail wander crawl")
ANIMAL_ACTIONS = _verbs("run sleep walk rest hide swim jump wait play fight drink shout wander hunt")
ANIMAL_DEEDS = _verbs("watch fear smell eat like follow chase see hear hunt find guard love")
CHANGE: dict[str, Draw[Verb]] = {
    "thing": _verbs("open close break fall move shine dry burn cool roll stop vanish"),
    "document": _verbs("change help fall work burn vanish appear matter"),
    "event": _verbs("start stop end begin change fail"),
    "place": _verbs("open close change burn grow"),
    "food": _verbs("cool burn dry fall smell"),
    "idea": _verbs("change rise fall grow work help fail matter"),
}
LINKING = _verbs("seem feel look become grow stay sound remain")
TRANSITIVE: dict[str, Draw[Verb]] = {
    "thing": _verbs(
        "set light watch box move paint need clean find buy sell lose hold carry open dry empty pump mend "
        "hide drop want use break have see keep like iron ship wrap brush draw plant forget throw repair "
        "polish steal shut present borrow inspect collect"
    ),
    "document": _verbs(
        "plan study answer record order review write mark read note sign copy finish notice present draft "
        "back print publish claim like see have mention correct"
    ),
    "event": _verbs(
        "plan watch enjoy miss join stop lead leave start open fear like remember end delay attend praise host organise"
    ),
    "place": _verbs("visit leave light guard cross paint clean close open map plan reach enter see love park like"),
    "food": _verbs("cook eat bake taste smell salt share cut butter order buy like want sell peel slice plate"),
    "person": _verbs(
        "help watch guide judge guard meet nurse thank follow pay like love call coach back trust visit "
        "know see teach fear question host greet hear admire forgive"
    ),
    "animal": _verbs("feed watch chase ride see love hear pet follow wash guard train like catch groom"),
    "idea": _verbs(
        "doubt fear promise need support back change know question accept have share explain study reject mention"
    ),
}
GIVING = _verbs("give show offer hand send lend bring sell teach tell promise")
SAYING = _verbs("say think know claim hope fear report believe hear notice feel dream promise doubt note explain")
ASKING = _verbs("ask wonder know doubt")
WANTING = _verbs("want plan hope need like try start offer promise love decide begin refuse forget learn agree fail")
URGING = _verbs("ask tell want help order force press teach invite")
PERCEIVING = _verbs("see watch hear feel notice")
WITH_PREPOSITION = tuple(
    (verb(word), preposition, kind)
    for word, preposition, kind in triples(
        "look:at:thing wait:for:person talk:to:person listen:to:person laugh:at:person hope:for:idea "
        "ask:for:food care:for:animal talk:about:event talk:about:idea look:for:thing speak:to:person "
        "work:on:document pay:for:food agree:with:person dream:of:event vote:for:idea work:like:animal "
        "look:like:person march:to:place return:to:place walk:to:place"
    )
)
WITH_PARTICLE = tuple(
    (verb(word), particle, kind)
    for word, particle, kind in triples(
        "set:up:thing pick:up:thing put:down:thing write:down:idea turn:on:thing turn:off:thing "
        "call:off:event bring:back:thing hand:over:document carry:out:idea give:up:idea look:up:document "
        "wake:up:person put:off:event take:over:place throw:out:food read:out:document hand:back:thing "
        "set:out:food bring:in:animal shut:down:place clean:up:place cut:up:food"
    )
)
BE = Verb("be", "is", "was", "been", "being", "AUX")
MONEY_VERBS = _verbs("report record claim note post lose earn raise save")
COMPANY_VERBS = _verbs("plan open close sell buy build move visit lease")
COMPANY_WISHES = _verbs("plan want hope need offer agree")
COMPANY_SAYINGS = _verbs("report say claim believe note announce")
COMPANY_HIRINGS = _verbs("train name hire keep use pay")
FIGURE_VERBS = _verbs("rise fall increase drop jump slip climb grow")

FREQUENCY = _draw("often never always still already also just soon rarely only sometimes usually", 4)
DEGREE = _draw("very so too quite rather almost still more even", 4)
MANNER = _draw(
    "fast hard early well late again slowly together quickly quietly happily badly carefully calmly right "
    "gladly kindly suddenly alone wildly slow politely proudly"
)
DIRECTION = _draw("back home there in out away up down here over outside", 5)
PLACE_PREPOSITIONS = _draw("in near at behind by from past through outside around down across over up", 5)
TOWN_PREPOSITIONS = _draw("in near from outside through past around", 3)
THING_PREPOSITIONS = _draw("on near behind under by with past", 4)
STATIVE = frozenset(split("like love know see hear need want have believe fear doubt hope cost remain seem own matter"))
MODALS = _draw("will can may must should", 3)
PAST_MODALS = _draw("would could might should", 3)
WEEKDAYS = _draw("Monday Friday Sunday Saturday Tuesday Wednesday Thursday", 20)
MONTHS = _draw("May March June August April January July September October November December February", 5)
FIGURES = _draw("two three four five six ten twelve seven eight nine twenty forty fifty thirty", 3)

_HEADS: dict[str, tuple[str, ...]] = {
    "person": ("maker", "seller", "keeper", "smith", "worker", "monger", "hand", "wright"),
    "animal": ("bird", "fish", "hound", "fly", "hen", "finch"),
    "thing": ("box", "stand", "case", "hook", "wheel", "pan", "holder", "pin", "rack", "cloth"),
    "document": ("book", "note", "sheet", "list", "song", "card"),
    "event": ("fest", "race", "walk", "day", "fair", "show"),
    "place": ("yard", "house", "field", "gate", "shop", "mill", "side", "land"),
    "food": ("cake", "bread", "pie", "stew", "roll", "bun"),
    "idea": ("craft", "trade", "rule", "talk", "cost"),
}
_STEMS = _draw(
    "salt clock river boat corn bell candle barley winter copper harvest rain apple wool garden rope silk "
    "pepper cart iron moss honey lantern stone summer chalk fern velvet maple lamp straw ink reed timber "
    "button thorn glass amber plum oak tin marsh leather sugar meadow lace coal willow cloud kettle "
    "feather cedar basket linen pine acorn",
    40,
)
_TAILS = _draw("el er in ock et ow", 20)
_PREFIXES = _draw("re over un mis pre", 5)
_PREFIXED = _draw("paint open use wrap print plan order pin pack load fold place sort count weigh measure label", 30)
_ENDINGS = _draw("less like ish", 9)
_SHADES = _draw("dark pale deep dull bright light rose smoke ash stone dusty sea", 30)
_COLOURS = _draw("green red blue grey brown white yellow black gold", 30)
_FIRST_NAMES = _draw(
    "Will Mark Rose Anna Grace Bill Tom Frank Hope Jack Maria May John Joy Sue Rob Peter Dawn Pat Drew "
    "Lucy Miles Pearl June Sam Helen Violet Daisy David Hazel Ivy Paul Penny Clay Grant Jane Chase Guy "
    "Nick Emma Ray Simon Art Karl Elena Oscar Nina Victor Faith Martin Clara"
)
_SURNAMES = _draw(
    "Baker Miller Cook Hill Young Brown Fisher Long Walker Hunter Field Rivers Price Banks Page Day Wood "
    "Stone Bell King Smith Jones Bridges Waters Green Park Taylor Carter Lane Marsh Porter Snow Winter "
    "Moore Evans Reed"
)
_PLACE_NAMES = _draw(
    "Bath Reading London Hull Cork Nice Paris Rome Mobile Orange Norway Ireland Kent Vienna Lisbon Oslo "
    "Boston Wells Dover Spain Poland Geneva Derby Canada Battle Hook"
)
_COMPANIES = _draw("Northstar Beacon Target Shell Granary Orange Anchor Harvest Meridian Compass Falcon Lantern Quarry")
_FIRMS = _draw("Bank Mills Motors Foods Works Group Press Shipping College United Airways Steel Council Museum", 6)
_ONSETS = _draw("t br k l st m dr v gr h n th p w sk f bl d cr fl tr s gl kn r", 40)
_VOWELS = _draw("a e o i u ea oa ai ee ou", 12)
_CODAS = _draw("ld l nd m rl st v n sk l rb lm rv lt mp", 40)
_SURNAME_ENDINGS = _draw("er son ley ard ow man sen ini ova in", 30)
_PLACE_ENDINGS = _draw("ford wick ham ton stead bury mouth by dale burg ia", 30)
_COMPANY_ENDINGS = _draw("ex ix ora co tech on ium", 30)
