"""Patterns of texts that try to give a model new orders, each with how seldom it is wrong.

They know wordings, not intentions: a paraphrase that nobody has listed passes, and a text *about*
prompt injection is found. What that means in numbers is measured in
`tests/unit/guards/test_injection.py` and told in `docs/reference/guardrails.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tiergate.core.guard_options import Sensitivity

_WORDS: Final = r"(?:[^\w\n]{1,3}[\w'-]{1,16})"
"""A word between two others."""
_GAP: Final = r"[^\w\n]{1,4}"

_IGNORE: Final = r"(?:[i1!|l]gn[o0]r(?:e|3|ing)|disregard(?:ing)?|forget|overrid(?:e|ing))"
_OVER: Final = ("gnor", "gn0r", "disregard", "forget", "overrid")
_BEFORE: Final = r"(?:previous|prior|preceding|earlier|above|foregoing|former|past)"
_ORDERS: Final = (
    r"(?:instructions?|prompts?|directions?|directives?|commands?|orders|rules|guidelines"
    r"|messages?|context|text|constraints?|restrictions?)"
)
_OWN_ORDERS: Final = (
    r"(?:instructions?|prompts?|directives?|rules|guidelines|programming|training|constraints?"
    r"|restrictions?|filters?|safety|safeguards?|policies|ethics)"
)


@dataclass(frozen=True, slots=True)
class InjectionRule:
    """One wording.

    Attributes:
        kind: What it tries: `instruction_override`, `prompt_leak`.
        sensitivity: From which sensitivity on it counts.
        pattern: The wording, without regard to case.
        needs: Words of which one must be in a text, case folded; see `matching.Rule`.
    """

    kind: str
    sensitivity: Sensitivity
    pattern: str
    needs: tuple[str, ...] = ()


_LOW, _MEDIUM, _HIGH = Sensitivity.LOW, Sensitivity.MEDIUM, Sensitivity.HIGH

RULES: Final = (
    # ------------------------------------------------------------ away with the orders
    InjectionRule(
        "instruction_override",
        _LOW,
        rf"\b{_IGNORE}{_WORDS}{{0,3}}{_GAP}{_BEFORE}{_WORDS}{{0,2}}{_GAP}{_ORDERS}\b",
        needs=_OVER,
    ),
    InjectionRule(
        "instruction_override",
        _LOW,
        rf"\b{_IGNORE}{_WORDS}{{0,2}}{_GAP}(?:instructions|rules|directions|orders) {_BEFORE}\b",
        needs=_OVER,
    ),
    InjectionRule(
        "instruction_override",
        _MEDIUM,
        rf"\b(?:{_IGNORE}|bypass|circumvent|drop|break){_WORDS}{{0,2}}{_GAP}your{_WORDS}{{0,3}}"
        rf"{_GAP}{_OWN_ORDERS}\b",
        needs=(*_OVER, "bypass", "circumvent", "drop", "break"),
    ),
    InjectionRule(
        "instruction_override",
        _MEDIUM,
        r"\b(?:forget|disregard|ignore)[^\w\n]{1,3}(?:everything|all|anything)"
        rf"{_WORDS}{{0,4}}{_GAP}(?:told|said|above|before|previously|learned|given)\b",
        needs=("forget", "disregard", "ignore"),
    ),
    InjectionRule(
        "instruction_override",
        _MEDIUM,
        r"\b(?:do not|don't|stop|never) follow(?:ing)?[^\w\n]{1,3}(?:your|the|any)"
        rf"{_WORDS}{{0,2}}{_GAP}(?:instructions|rules|guidelines|prompt)\b",
        needs=("follow",),
    ),
    InjectionRule(
        "instruction_override",
        _MEDIUM,
        r"(?:^|\n|[.!\]>*#-] ?)\W{0,6}(?:new|updated|real|actual|important) "
        r"(?:system )?(?:instructions?|directives?|task|orders?)\W{0,3}:",
        needs=("instruction", "directive", "task", "order"),
    ),
    InjectionRule(
        "instruction_override",
        _HIGH,
        r"\b(?:from now on|starting now|henceforth)\W{1,3}(?:you|your)\b",
        needs=("from now on", "starting now", "henceforth"),
    ),
    InjectionRule(
        "instruction_override",
        _HIGH,
        r"\byour (?:new|real|true|only|actual) (?:task|role|goal|purpose|instructions?|job) "
        r"(?:is|are|will be)\b",
        needs=("your new", "your real", "your true", "your only", "your actual"),
    ),
    InjectionRule(
        "instruction_override",
        _MEDIUM,
        r"\bi[\s.*_-]{1,3}g[\s.*_-]{1,3}n[\s.*_-]{1,3}o[\s.*_-]{1,3}r[\s.*_-]{1,3}e\b",
    ),
    # ------------------------------------------------------------ the same in other languages
    InjectionRule(
        "instruction_override",
        _LOW,
        r"\b(?:ignorier(?:e|t|en)?|vergiss|vergessen|missacht(?:e|en))"
        rf"{_WORDS}{{0,3}}{_GAP}(?:vorherigen?|bisherigen?|vorigen?|obigen?|früheren?)"
        rf"{_WORDS}{{0,1}}{_GAP}(?:anweisung|instruktion|regel|befehl|vorgabe)",
        needs=("ignorier", "vergiss", "vergessen", "missacht"),
    ),
    InjectionRule(
        "instruction_override",
        _LOW,
        r"\b(?:ignore[rz]?|oublie[rz]?)"
        rf"{_WORDS}{{0,3}}{_GAP}(?:instructions|consignes|règles|directives)"
        r"[^\w\n]{1,3}(?:précédentes|antérieures|ci-dessus)",
        needs=("ignore", "oublie"),
    ),
    InjectionRule(
        "instruction_override",
        _LOW,
        r"\b(?:ignor[ae]|olvid[ae]|ignorar|esque[çc]a|dimentica|esquece)"
        rf"{_WORDS}{{0,3}}{_GAP}(?:instrucciones|instruções|istruzioni|reglas|regras|órdenes)"
        r"[^\w\n]{1,3}(?:anteriores|previas|precedenti|prévias)",
        needs=("ignor", "olvid", "esque", "dimentica"),
    ),
    InjectionRule(
        "instruction_override",
        _LOW,
        r"(?:忽略|无视|忘记|不要理会)[^。\n]{0,8}(?:之前|以上|先前|前面|上述)"
        r"[^。\n]{0,6}(?:指令|指示|说明|提示|规则|要求)"
        r"|(?:以前|これまで|上記|前)の[^。\n]{0,8}(?:指示|命令|ルール)[^。\n]{0,8}(?:無視|忘れ)"
        r"|(?:игнорируй|забудь)(?:те)?[^.\n]{0,12}(?:предыдущие|прежние|прошлые)"
        r"[^.\n]{0,12}(?:инструкции|указания|правила)",
        needs=("忽略", "无视", "忘记", "不要理会", "無視", "忘れ", "игнорируй", "забудь"),
    ),
    # ------------------------------------------------------------ another role
    InjectionRule(
        "role_change",
        _LOW,
        r"\b(?:you are|you're|act as|become|be|enable|activate|enter|switch to|turn on)"
        rf"{_WORDS}{{0,3}}{_GAP}(?:DAN|jailbroken|jailbreak mode|developer mode|god mode"
        r"|debug mode|sudo mode|unrestricted mode|do anything now)\b",
        needs=(
            "dan",
            "jailb",
            "developer mode",
            "god mode",
            "debug mode",
            "sudo mode",
            "unrestricted mode",
            "do anything now",
        ),
    ),
    InjectionRule("role_change", _LOW, r"\bdo anything now\b", needs=("do anything now",)),
    InjectionRule(
        "role_change",
        _LOW,
        r"\b(?:act|behave|respond|answer|pretend|you are|you're)"
        rf"{_WORDS}{{0,5}}{_GAP}(?:unrestricted|uncensored|unfiltered|amoral|jailbroken)\b",
        needs=("unrestricted", "uncensored", "unfiltered", "amoral", "jailbroken"),
    ),
    InjectionRule(
        "role_change",
        _MEDIUM,
        r"\b(?:pretend|imagine|assume|act as if|act like)"
        rf"{_WORDS}{{0,5}}{_GAP}(?:no|without|free of)"
        rf"{_WORDS}{{0,2}}{_GAP}(?:rules|restrictions|guidelines|limits|limitations|filters"
        r"|censorship|ethics)\b",
        needs=("pretend", "imagine", "assume", "act as if", "act like"),
    ),
    InjectionRule(
        "role_change",
        _MEDIUM,
        r"\byou(?: are|'re) (?:no longer|not) (?:bound|restricted|limited|constrained|an AI"
        r"|a chatbot|an assistant|chatgpt|claude)\b",
        needs=(
            "bound",
            "restricted",
            "limited",
            "constrained",
            "an ai",
            "a chatbot",
            "an assistant",
            "chatgpt",
            "claude",
        ),
    ),
    InjectionRule(
        "role_change",
        _HIGH,
        r"\b(?:pretend (?:to be|that you|you are)|role-?play as|you are now"
        r"|act as (?:if|though) you)\b",
        needs=("pretend ", "role", "you are now", "act as "),
    ),
    # ------------------------------------------------------------ out with the prompt
    InjectionRule(
        "prompt_leak",
        _LOW,
        r"\b(?:reveal|print|repeat|output|leak|dump|disclose|expose|show|display|recite)"
        rf"{_WORDS}{{0,4}}{_GAP}your{_WORDS}{{0,2}}{_GAP}(?:system|initial|hidden|secret|original"
        rf"|internal){_WORDS}{{0,1}}{_GAP}(?:prompts?|instructions?|messages?|rules|guidelines)\b",
        needs=("system", "initial", "hidden", "secret", "original", "internal"),
    ),
    InjectionRule(
        "prompt_leak",
        _MEDIUM,
        r"\bwhat(?:'s| is| are| was| were) your "
        r"(?:exact |full |original |initial |system |hidden ){1,3}"
        r"(?:prompt|instructions|message|rules)\b",
        needs=("exact ", "full ", "original ", "initial ", "system ", "hidden "),
    ),
    InjectionRule(
        "prompt_leak",
        _MEDIUM,
        r"\b(?:repeat|print|output|copy|write out)"
        rf"{_WORDS}{{0,2}}{_GAP}(?:everything|all|the (?:text|words|content|instructions))"
        rf"{_WORDS}{{0,2}}{_GAP}(?:above|before this|starting with)\b",
        needs=("above", "before this", "starting with"),
    ),
    InjectionRule(
        "prompt_leak",
        _HIGH,
        r"\b(?:show|tell|give|reveal|print|what)"
        rf"{_WORDS}{{0,4}}{_GAP}(?:the|your) (?:system|initial) (?:prompt|instructions|message)\b",
        needs=("the system ", "your system ", "the initial ", "your initial "),
    ),
    # ------------------------------------------------------------ signs of chat templates
    InjectionRule(
        "delimiter",
        _LOW,
        r"<\|(?:im_start|start_header_id)\|>\s{0,3}(?:system|assistant)|<<SYS>>|\[/?INST\]\s{0,3}<<",
        needs=("<|", "<<sys>>", "inst]"),
    ),
    InjectionRule(
        "delimiter",
        _MEDIUM,
        r"<\|(?:im_start|im_end|endoftext|eot_id|start_header_id|end_header_id|system)\|>"
        r"|</?(?:system|system_prompt|system_instructions?)>",
        needs=("<|", "<system", "</system"),
    ),
    InjectionRule(
        "delimiter",
        _HIGH,
        r"(?:^|\n)\s{0,4}(?:#{2,4}|\[|\*\*)?\s{0,2}(?:system|assistant)"
        r"(?: (?:message|prompt|instructions?|override))?\s{0,2}(?:\]|\*\*)?:",
        needs=("system", "assistant"),
    ),
    # ------------------------------------------------------------ out with the data
    InjectionRule(
        "exfiltration",
        _LOW,
        r"\b(?:send|post|upload|forward|email|exfiltrate|transmit|leak)"
        rf"{_WORDS}{{0,6}}{_GAP}(?:conversation|chat history|api keys?|passwords?|credentials"
        r"|environment variables|secrets|tokens|private keys?|\.env)"
        rf"{_WORDS}{{0,5}}[^\w\n]{{1,4}}(?:to|at)[^\w\n]{{1,3}}"
        r"(?:https?://|[\w.+-]{1,30}@|\w{1,20}\.\w{2,6})",
        needs=(
            "conversation",
            "chat history",
            "api key",
            "password",
            "credential",
            "environment variable",
            "secret",
            "token",
            "private key",
            ".env",
        ),
    ),
    InjectionRule(
        "exfiltration",
        _MEDIUM,
        r"!\[[^\]\n]{0,80}\]\(https?://[^)\s]{1,200}=(?:\{|<|\[|\$|%7B|DATA|SECRET|CONTENT|BASE64)",
        needs=("](http",),
    ),
    InjectionRule(
        "concealment",
        _MEDIUM,
        r"\b(?:do not|don't|never|without) (?:tell|inform|mention|reveal|notify|alert|telling"
        r"|informing|notifying|alerting|mentioning|show|say)"
        rf"{_WORDS}{{0,5}}{_GAP}the user\b",
        needs=("the user",),
    ),
    InjectionRule(
        "encoded",
        _MEDIUM,
        rf"\b(?:decode|decrypt|base64|rot13){_WORDS}{{0,8}}{_GAP}(?:and|then)"
        rf"{_WORDS}{{0,2}}{_GAP}(?:follow|execute|obey|carry out|comply|do what)\b",
        needs=("decode", "decrypt", "base64", "rot13"),
    ),
    InjectionRule("hidden_text", _LOW, r"[\U000E0020-\U000E007E]{8,400}"),
    InjectionRule("hidden_text", _MEDIUM, r"[\u200b\u200c\u200d\u2060\ufeff]{6,400}"),
)
"""All wordings. Every one is bounded in length."""
