"""Tables of English words for `rag.text.facts`, folded."""

from __future__ import annotations

#: Function words, which say nothing about the topic of a text.
STOP_WORDS = frozenset(
    (
        "a about above after again against all also although am an and any are as at be because "
        "been before being below between both but by can could did do does doing down during each "
        "few for from further had has have having he her here hers him his how however i if in "
        "into is it its itself just may me might more most must my no nor not now of off on once "
        "only or other our out over own s same shall she should so some such t than that the "
        "their them then there these they this those through to too under until up upon us very "
        "was we were what when where whether which while who whom whose why will with would you "
        "your yet"
    ).split()
)
#: Words before a name at the beginning of a sentence that are not part of the name.
SENTENCE_OPENERS = frozenset(
    "yesterday today tomorrow meanwhile later earlier recently despite since according "
    "although".split()
)
#: Words that negate a statement.
NEGATIONS = frozenset(
    (
        "not no never none neither nor nobody nothing without cannot can't won't don't doesn't "
        "didn't isn't aren't wasn't weren't hasn't haven't hadn't shouldn't wouldn't couldn't "
        "refuse refused refuses deny denied denies fail failed fails"
    ).split()
)
_PAIRS = """
increase decrease|increased decreased|increases decreases|increasing decreasing|rise fall|
rose fell|rising falling|more less|most least|higher lower|highest lowest|high low|larger smaller|
largest smallest|large small|big small|greater lesser|before after|first last|earlier later|
earliest latest|early late|old new|older younger|oldest youngest|oldest newest|north south|
northern southern|east west|eastern western|upper lower|above below|inside outside|
internal external|win lose|won lost|winner loser|win lost|success failure|successful unsuccessful|
accept reject|accepted rejected|allow forbid|allowed forbidden|allows forbids|legal illegal|
support oppose|supported opposed|supports opposes|supporters opponents|begin end|began ended|
begins ends|beginning end|start finish|started finished|open close|opened closed|add remove|
added removed|include exclude|included excluded|includes excludes|create destroy|created destroyed|
buy sell|bought sold|import export|imports exports|attack defend|attacked defended|
majority minority|maximum minimum|positive negative|public private|male female|men women|man woman|
father mother|son daughter|brother sister|husband wife|king queen|strong weak|stronger weaker|
strongest weakest|hot cold|warm cool|fast slow|faster slower|long short|longer shorter|
longest shortest|rich poor|richer poorer|best worst|better worse|good bad|easy difficult|
easier harder|common rare|common uncommon|similar different|same different|always never|
often rarely|usually rarely|all none|many few|both neither|with without|gain lose|gained lost|
enter leave|entered left|arrive depart|arrived departed|push pull|advance retreat|
advanced retreated|agree disagree|agreed disagreed|approve reject|approved rejected|true false|
possible impossible|dependent independent|direct indirect|formal informal|permanent temporary|
ancient modern|urban rural|democratic republican|liberal conservative|catholic protestant|
summer winter|spring autumn|morning evening|day night|land sea|deep shallow|wide narrow|thick thin|
heavy light|light dark|full empty|minor major|primary secondary|single multiple|raise lower|
raised lowered|improve worsen|improved worsened|expand shrink|expanded shrank|strengthen weaken|
strengthened weakened|appeared disappeared|alive dead|born died|birth death|ally enemy|
allies enemies|left right|front back|top bottom|active inactive|able unable|likely unlikely|
known unknown|required optional|enabled disabled|enable disable|synchronous asynchronous|
static dynamic|mutable immutable|lowercase uppercase|client server
"""
#: Pairs of words that turn a statement into its opposite if one replaces the other. Each pair is
#: there both ways, in a fixed order.
OPPOSITES: dict[tuple[str, str], None] = {}
for _pair in _PAIRS.replace("\n", "").split("|"):
    _one, _other = _pair.split()
    OPPOSITES |= {(_one, _other): None, (_other, _one): None}
#: People or adjective -> country, for those that have another stem.
COUNTRY_OF_PEOPLE = dict(
    pair.split("=")
    for pair in (
        "german=germany germans=germany french=france polish=poland poles=poland british=britain "
        "spanish=spain greek=greece greeks=greece danish=denmark swedish=sweden italian=italy "
        "finnish=finland irish=ireland scottish=scotland dutch=netherlands japanese=japan "
        "pakistani=pakistan taiwanese=taiwan mexican=mexico jordanian=jordan swiss=switzerland "
        "turkish=turkey "
        "turks=turkey lebanese=lebanon malian=mali"
    ).split()
)
#: Forms that do not begin as their infinitive or singular does, or end otherwise.
BASE_FORMS = dict(
    pair.split()
    for pair in (
        "began begin, begun begin, broke break, broken break, bought buy, brought bring, "
        "built build, came come, caught catch, chose choose, chosen choose, drank drink, "
        "drawn draw, drew draw, driven drive, drove drive, drunk drink, eaten eat, fallen fall, "
        "fed feed, fell fall, felt feel, fled flee, flew fly, flown fly, forgot forget, "
        "forgotten forget, fought fight, found find, froze freeze, frozen freeze, gave give, "
        "given give, gone go, grew grow, grown grow, heard hear, held hold, hid hide, "
        "hidden hide, hung hang, kept keep, knew know, known know, laid lay, led lead, "
        "left leave, lent lend, lost lose, made make, meant mean, met meet, mown mow, paid pay, "
        "ran run, rang ring, ridden ride, rode ride, rose rise, risen rise, said say, sang sing, "
        "sank sink, sent send, sewn sew, shot shoot, shown show, slept sleep, sold sell, "
        "sought seek, sown sow, spent spend, spoke speak, spoken speak, stole steal, "
        "stolen steal, stood stand, struck strike, sung sing, sunk sink, swam swim, swore swear, "
        "sworn swear, swum swim, taken take, taught teach, thought think, threw throw, "
        "thrown throw, told tell, took take, tore tear, torn tear, understood understand, "
        "went go, woke wake, won win, wore wear, worn wear, written write, wrote write, "
        "children child, feet foot, geese goose, men man, mice mouse, teeth tooth, women woman"
    ).split(", ")
)
#: Endings that `rag.text.facts.stem` removes, the first that fits.
ENDINGS = (
    "ations ation ments ment ians ian eans ean ings ing ness ers ish ese ans ed es er an ly"
).split()
