"""The closed lists of words by which two questions are told apart. Data only.

A list that lacks a word makes a wrong answer possible; one with a word too many only costs a hit.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STARTERS = _words("""
    a about after all also am an and any are as at be because before best briefly build but by
    calculate can change check choose clarify compare compute convert correct could count create
    day days debug define delete describe detail did difference discuss display do does each
    effect enumerate estimate every examine example examples explain fastest figure
    find fix for from generate get getting give good guide had has have having he hello help hey
    hi how i i'd i'll i'm i've identify if illustrate implement improve in insert install into is
    it it's its just kindly know let let's like list looking main make making may me mention might
    must my name need now of on one or our outline over parse people perform please provide
    quick quickest read recommend remove rename replace reset return rewrite run say search
    see set shall she should show simplest simply some sort state steps suggest sum summarise
    summarize tell than thank thanks that the their them then there these they this those tips to
    translate try under understand up update upon use using walk want was way ways we
    we're were what what's when when's where where's which which's who who's whom whose why
    why's will with within would write yes you you're your
    adding adjust apply arrange bake book browse buy cancel clean close collect combine configure
    connect cook copy deploy disable download draft draw enable encrypt export extract fetch fill
    filter format group handle import inspect invert join learn load log map measure merge move
    open order parsing paste plot print proofread query reduce refactor register repeat
    request resize restart reverse round schedule select send set setup should simplify solve
    split start stop store submit swap switch teach test train turn undo uninstall unlock upload
    validate verify visit
""")
"""Words that begin a sentence without being a name. Any other capital letter makes a name."""

PRONOUNS = _words("i i'm i've i'd i'll ok okay")

NUMBERS: Mapping[str, str] = MappingProxyType(
    {
        word: str(number)
        for number, word in enumerate(
            (
                *("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
                *("eleven", "twelve"),
            ),
            start=2,
        )
    }
    | {"twenty": "20", "thirty": "30", "fifty": "50", "hundred": "100", "thousand": "1000"}
    | {"million": "1000000", "billion": "1000000000", "half": "0.5", "twice": "2", "both": "2"}
)

_STEMS = _words("ca do does did is are was wo would should could")
"""With `nt` after them they are negations whose apostrophe was left out."""

NEGATIONS = frozenset(f"{stem}nt" for stem in _STEMS) | _words("""
    not no never none nothing nobody nowhere neither nor without cannot except excluding unless
    instead
    nicht kein keine keinen keinem ohne nie niemals pas sans jamais sin nunca
""")

EXACT: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "language": _words("""
            python java javascript typescript rust golang ruby php kotlin swift scala perl
            haskell bash powershell sql html css matlab fortran cobol julia dart elixir
        """),
        "system": _words("linux windows macos mac ubuntu debian fedora android ios iphone unix"),
        "format": _words("""
            json xml yaml toml csv pdf markdown excel jpeg jpg png gif svg mp3 mp4 zip tar
        """),
        "tool": _words("""
            docker kubernetes git svn mercurial postgres postgresql mysql sqlite mongodb redis
            nginx apache react angular vue django flask pandas numpy terraform ansible github
            gitlab
        """),
        "speech": _words("""
            english german french spanish italian portuguese dutch russian chinese japanese
            korean arabic hindi turkish polish swedish latin greek
        """),
        "time": _words("""
            yesterday today tomorrow tonight monday tuesday wednesday thursday friday saturday
            sunday january february april june july august september october november december
            spring summer autumn winter morning evening night
        """),
        "unit": _words("""
            celsius fahrenheit kelvin kilometers kilometres miles meters metres feet inches
            kilograms grams pounds ounces liters litres gallons dollars euros
        """),
        "place": _words("""
            first second third fourth fifth last next previous north south east west
        """),
        "who": _words("child children kid kids adult adults baby babies dog dogs cat cats"),
    }
)
"""Families of words of which both questions must name the same ones, or none."""

OPPOSITES: Mapping[str, tuple[frozenset[str], ...]] = MappingProxyType(
    {
        "begin": (
            _words("start starts starting started begin begins launch"),
            _words("stop stops stopping stopped end quit terminate kill shutdown"),
        ),
        "on": (
            _words("enable enables enabling enabled activate set"),
            _words("disable disables disabling disabled deactivate unset"),
        ),
        "more": (
            _words("increase increases increasing increased raise raising grow gain improve"),
            _words("decrease decreases decreasing decreased reduce reducing lower lose shrink"),
        ),
        "most": (
            _words("maximum max largest biggest highest most longest maximise maximize"),
            _words("minimum min smallest lowest least fewest shortest minimise minimize"),
            _words("average mean median typical"),
        ),
        "add": (
            _words("add adds adding insert inserting create creating append install installing"),
            _words("remove removes removing delete deleting drop erase uninstall undo"),
        ),
        "open": (_words("open opens opening unlock"), _words("close closes closing shut lock")),
        "up": (
            _words("up upload uploading upgrade upgrading ascending upward"),
            _words("down download downloading downgrade downgrading descending downward"),
        ),
        "order": (_words("before prior earlier"), _words("after later following")),
        "good": (
            _words("good better best advantages advantage benefits benefit pros safe legal"),
            _words("bad worse worst disadvantages disadvantage drawbacks drawback cons risks"),
        ),
        "heat": (
            _words("hot warm heat heating boil boiling"),
            _words("cold cool cooling freeze freezing"),
        ),
        "asked": (
            _words("who whom whose"),
            _words("when"),
            _words("where"),
            _words("why"),
        ),
        "period": (
            _words("minute minutes"),
            _words("hour hours hourly"),
            _words("day days daily"),
            _words("week weeks weekly"),
            _words("month months monthly"),
            _words("year years yearly annual annually"),
            _words("seconds"),
        ),
        "way": (_words("into onto"), _words("from")),
        "type": (
            _words("string strings"),
            _words("list lists array arrays"),
            _words("tuple tuples"),
            _words("dictionary dictionaries dict dicts hashmap"),
            _words("integer integers int"),
            _words("float floats double"),
        ),
        "grown": (_words("plant planting sow"), _words("harvest harvesting reap")),
        "alike": (
            _words("difference differences differ different"),
            _words("common similar similarities alike"),
        ),
        "trade": (_words("buy buying purchase borrow"), _words("sell selling sold lend")),
        "send": (_words("send sending export exporting"), _words("receive import importing")),
        "code": (
            _words("encode encrypt compress zip serialize"),
            _words("decode decrypt decompress extract unzip deserialize"),
        ),
        "link": (
            _words("connect connecting join merge subscribe"),
            _words("disconnect disconnecting leave split separate unsubscribe"),
        ),
        "shown": (
            _words("visible public include including"),
            _words("hide hidden private exclude"),
        ),
        "win": (_words("succeed success win pass accept"), _words("fail failure reject deny")),
        "age": (_words("new newest latest young"), _words("old oldest earliest")),
        "grant": (_words("grant allow permit"), _words("revoke forbid prohibit ban block")),
        "taste": (_words("love likes"), _words("hate dislike")),
        "inside": (_words("inside internal indoor"), _words("outside external outdoor")),
    }
)
"""Sides of a thing. Where both questions take one, it must be the same."""
