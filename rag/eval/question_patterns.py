"""Word lists and patterns of the rules in `question_rules`."""

from __future__ import annotations

import re

BASES = """
founded founds found|established establishes establish|published publishes publish|
opened opens open|closed closes close|began begins begin|started starts start|ended ends end|
died dies die|moved moves move|became becomes become|won wins win|lost loses lose|
joined joins join|left leaves leave|signed signs sign|adopted adopts adopt|
introduced introduces introduce|released releases release|launched launches launch|
acquired acquires acquire|bought buys buy|sold sells sell|built builds build|
received receives receive|visited visits visit|met meets meet|married marries marry|
declared declares declare|invaded invades invade|captured captures capture|attacked attacks attack|
defeated defeats defeat|discovered discovers discover|invented invents invent|wrote writes write|
proposed proposes propose|announced announces announce|approved approves approve|
passed passes pass|ratified ratifies ratify|abolished abolishes abolish|created creates create|
formed forms form|replaced replaces replace|merged merges merge|arrived arrives arrive|
returned returns return|resigned resigns resign|contained contains contain|
included includes include|comprised comprises comprise|covered covers cover|
employed employs employ|housed houses house|held holds hold|produced produces produce|
operated operates operate|served serves serve|required requires require|supported supports support|
used uses use|owned owns own|offered offers offer|seated seats seat|had has have|gained gains gain|
faced faces face|imposed imposes impose|spent spends spend|killed kills kill|sent sends send
"""
PAST: dict[str, str] = {}
PRESENT: dict[str, str] = {}
for _row in BASES.replace("\n", "").split("|"):
    _past, _third, _base = _row.split()
    PAST[_past], PRESENT[_third] = _base, _base
PARTICIPLES = {
    "written": "wrote",
    "drawn": "drew",
    "sung": "sang",
    "begun": "began",
    "given": "gave",
    "taken": "took",
}
ED = (
    r"(?:\w{3,}ed|written|drawn|sung|begun|given|taken|built|made|held|won|sold|led|found|"
    r"born|sent|lost|shot|set up|known)"
)
DOERS = (
    "said|told|wrote|argued|claimed|announced|stated|warned|noted|explained|insisted|"
    "stressed|underscored|invented|discovered|"
    "designed|painted|composed|founded|directed|coined|proposed|defeated|succeeded|married|"
    "proved|developed|introduced|led|"
    "assassinated|conquered|wrote|described|criticized|criticised|accused|urged|called for"
)
PEOPLE = (
    r"president|director|founder|author|minister|chief|secretary|king|queen|emperor|leader|"
    r"chairman|chairwoman|chair|head|mayor|"
    r"governor|spokesman|spokeswoman|spokesperson|editor|inventor|captain|commander|prime "
    r"minister|son|daughter|wife|husband|"
    r"brother|sister|father|mother|chancellor|bishop|pope|general|ambassador|envoy|manager|"
    r"coach|composer|architect|premier"
)
THINGS = (
    r"capital|city|town|river|lake|mountain|state|country|province|region|county|island|ocean|"
    r"sea|continent|language|currency|"
    r"company|organization|organisation|agency|university|museum|airport|newspaper|book|novel|"
    r"album|religion|party|building|planet"
)
N = (
    r"(?:\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)(?: (?:hundred|thousand|million|billion|trillion))?|"
    r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|"
    r"sixty)(?: (?:hundred|thousand|million|billion))?"
)
COUNTS = frozenset(
    (
        "two three four five six seven eight nine ten eleven twelve twenty thirty forty "
        "fifty sixty about around over nearly almost some approximately roughly more fewer less"
    ).split()
)
ABOUT = (
    r"(?:(?:about|around|over|nearly|almost|some|approximately|roughly|at least|more than|"
    r"fewer than|less than|up to) )"
)
NUMBER = rf"(?P<answer>{ABOUT}?(?:{N}))"
THINGS_COUNTED = (
    r"(?P<things>(?:[a-z][a-z-]+ ){0,3}(?:[a-z][a-z-]+[^s\W]s|people|men|women|children))"
)
MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
DATE = (
    rf"(?P<answer>(?:{MONTH} \d{{1,2}},? (?:1\d|20)\d\d|\d{{1,2}} {MONTH} (?:1\d|20)\d\d|"
    rf"{MONTH},? (?:1\d|20)\d\d|"
    r"(?:early |late |mid-)?(?:1\d|20)\d\d|the (?:1\d|20)\d0s))"
)
SUBJECT = r"(?P<subject>(?:[Tt]he |[Aa]n? )?[A-Z0-9][^,;:()\"“”]{1,70}?)"
REST = r"(?P<rest>(?: [^;:()\"“”]{3,120})?)"
LEANS = re.compile(
    r"\b(?:it|its|he|she|his|her|him|hers|they|them|their|theirs|this|that one|these|those|we|"
    r"us|our|you|your|i|my|me|here|there|"
    r"former|latter|same|such|above|below|following|then|also|another|other|others|itself|"
    r"himself|herself|themselves|ago|"
    r"today|yesterday|tomorrow|now|currently|previous|previously|later|respectively|however|"
    r"therefore)\b",
    re.I,
)
CLAUSE = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had|will|would|can|could|may|might|must|should|do|"
    r"does|did|that|which|who|whom|whose|when|while|where|because|although|but|if|as)\b"
)
VERBS = re.compile(
    rf"\b(?:[a-z]{{2,}}ed|{'|'.join(PAST)}|{'|'.join(PRESENT)}|{'|'.join(PARTICIPLES)}|"
    rf"fought|grew|rose|fell|took|gave|came|went|saw|"
    r"ran|said|told|chose|flew|broke|drove|spoke|wore|threw|found|saw|put|set|cut|let|paid|"
    r"kept|felt|brought|thought|taught|caught|stood)\b"
)
JOINED = re.compile(
    rf"\b(?:and|but|or|then|to)(?: \w+ly)?(?: \w+)?? {VERBS.pattern}|,? (?:and|but) (?:was|"
    rf"were|is|are|had|has)\b"
)
FINITE = re.compile(r"\b(?:is|are|was|were|has|have|had|will|would|can|could)\b")
LEADS = re.compile(
    r"(?:In|On|At|By|For|After|Before|During|With|From|Since|As|When|While|Although|Though|To|"
    r"Until|Under|Over|About|Nearly|Almost|Around|Some|More|Most|Only|Both|Many|Several|Not|"
    r"And|But|If|Unlike|Like|Despite|Following|According|Because|Between|Within|Among|Through|No)\b"
)
TAIL = re.compile(
    r",(?= (?:which|making|with|while|whereas|where|including|and|but|although|though|"
    r"followed|giving|leading|resulting|becoming|after|"
    r"before|when|who|such|so|because|however|having|being)\b)"
)
MIN_WORDS, MAX_WORDS = 6, 40
#: Characters of a sentence that a question is made from.
MAX_SENTENCE_CHARS = 500
