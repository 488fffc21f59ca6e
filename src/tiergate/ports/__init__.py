"""What the stages await: Protocols that shells implement, and the values that cross them.

Nothing here does I/O. The pipeline knows providers, stores and the network only by these names.
"""

from tiergate.ports.access import Keyring
from tiergate.ports.caching import (
    AnswerStore,
    Form,
    Forms,
    LookupWatch,
    StoredAnswer,
    StoreFigures,
)
from tiergate.ports.calls import (
    Answered,
    Codec,
    Inbound,
    Meter,
    OutputAsked,
    Prepared,
    StreamReader,
)
from tiergate.ports.keeping import Change, Documents, JournalFile, Ledger, Seen, StoreDownError
from tiergate.ports.meaning import (
    Embedder,
    Meanings,
    MeaningWatch,
    NoVectorError,
    Remembered,
)
from tiergate.ports.money import Accounts, BudgetStop, Decision, HoldToken, Pending
from tiergate.ports.network import Clock, Dice, Exchange, Fault, TransportError, Upstreams
from tiergate.ports.watching import Observer

__all__ = [
    "Accounts",
    "AnswerStore",
    "Answered",
    "BudgetStop",
    "Change",
    "Clock",
    "Codec",
    "Decision",
    "Dice",
    "Documents",
    "Embedder",
    "Exchange",
    "Fault",
    "Form",
    "Forms",
    "HoldToken",
    "Inbound",
    "JournalFile",
    "Keyring",
    "Ledger",
    "LookupWatch",
    "MeaningWatch",
    "Meanings",
    "Meter",
    "NoVectorError",
    "Observer",
    "OutputAsked",
    "Pending",
    "Prepared",
    "Remembered",
    "Seen",
    "StoreDownError",
    "StoreFigures",
    "StoredAnswer",
    "StreamReader",
    "TransportError",
    "Upstreams",
]
