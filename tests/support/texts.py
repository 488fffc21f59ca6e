"""Texts of many kinds, as people and programs send them to models."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).parents[2]

SENTENCES: Mapping[str, str] = {
    "german": (
        "Das Gateway leitet Anfragen an mehrere Anbieter weiter und schreibt auf, was jeder "
        "Aufruf kostet. Ist das Budget verbraucht, werden neue Anfragen bis zum Monatsende "
        "abgelehnt. "
        "Gestern waren wir im Wald und haben Pilze und Brombeeren gesammelt. "
    ),
    "french": (
        "La passerelle transmet les requêtes à plusieurs fournisseurs et note le coût de chaque "
        "appel. Quand le budget est épuisé, les nouvelles requêtes sont refusées jusqu'au mois "
        "prochain. Hier, nous avons déjeuné près de la rivière. "
    ),
    "chinese": (
        "网关把请求转发给不同的模型供应商,并记录每次调用的费用。预算用完以后,新的请求会被拒绝,"
        "直到下个月开始。昨天我们去市场买了新鲜的蔬菜和水果,回家做了一顿丰盛的晚饭。"
    ),
    "japanese": (
        "このゲートウェイはリクエストを各社に転送し、費用を記録します。予算がなくなると、新しい"
        "リクエストは来月まで断られます。昨日は友達と古いお寺を見に行きました。"
    ),
    "korean": (
        "게이트웨이는 요청을 여러 회사로 전달하고 비용을 기록합니다. 예산이 다 떨어지면 새로운 "
        "요청은 다음 달까지 거절됩니다. 어제는 친구와 함께 오래된 절에 다녀왔습니다. "
    ),
    "russian": (
        "Шлюз передаёт запросы нескольким поставщикам и записывает стоимость каждого вызова. "
        "Когда бюджет исчерпан, новые запросы отклоняются до следующего месяца. Вчера мы ходили "
        "в лес за грибами и ягодами. "
    ),
    "arabic": (
        "تمرر البوابة الطلبات إلى عدة مزودين وتسجل تكلفة كل مكالمة. إذا نفدت الميزانية تُرفض "
        "الطلبات الجديدة حتى الشهر القادم. "
    ),
    "hindi": (
        "गेटवे अनुरोधों को कई कंपनियों तक पहुँचाता है और हर कॉल की लागत लिखता है। बजट समाप्त होने पर "
        "नए अनुरोध अगले महीने तक अस्वीकार किए जाते हैं। "
    ),
    "thai": "เกตเวย์ส่งต่อคำขอไปยังผู้ให้บริการหลายรายและบันทึกค่าใช้จ่ายของแต่ละครั้ง เมื่อวานเราไปตลาดด้วยกัน ",
    "greek": "Η πύλη προωθεί αιτήματα σε πολλούς παρόχους και καταγράφει το κόστος κάθε κλήσης. ",
    "hebrew": "השער מעביר בקשות לכמה ספקים ורושם כמה עולה כל קריאה. אתמול הלכנו יחד לשוק. ",
    "amharic": "በሩ ጥያቄዎችን ወደ ብዙ አቅራቢዎች ያስተላልፋል እና የእያንዳንዱን ጥሪ ዋጋ ይመዘግባል። ",
    "emoji": "Great job 🎉🎉 see you 👋🏽 tomorrow 😀😃😄 at the 🏖️ with 👨‍👩‍👧‍👦! ✅ done 🚀 ",
}
"""Prose in languages and scripts; English is in `latin`."""


def latin() -> dict[str, str]:
    """Return English prose, code and markup of this repository, and a page of German."""
    return {
        "python": _read("src/tiergate/core/plan.py"),
        "prose": _read("README.md") + _read("CONTRIBUTING.md"),
        "licence": _read("LICENSE"),
        "toml": _read("pyproject.toml"),
        "make": _read("Makefile"),
        "json": json.dumps(json.loads(_prices()), indent=2)[:20_000],
        "compact": _prices()[:20_000],
        "capitals": _read("README.md").upper(),
        "german": SENTENCES["german"] * 10,
        "french": SENTENCES["french"] * 10,
    }


def machine_made() -> dict[str, str]:
    """Return what programs write: encodings, identifiers, figures, logs."""
    digests = [hashlib.sha256(bytes([n])).hexdigest() for n in range(100)]
    raw = b"".join(bytes.fromhex(each) for each in digests)
    return {
        "hex": "\n".join(digests),
        "base64": base64.b64encode(raw).decode(),
        "ids": " ".join(f"{d[:8]}-{d[8:12]}-4{d[13:16]}-a{d[17:20]}-{d[20:32]}" for d in digests),
        "figures": " ".join(str(int(d[:9], 16)) for d in digests),
        "table": "\n".join(f"{n},{n * 37 % 101},{n / 7:.4f},{n % 3 == 0}" for n in range(300)),
        "log": "\n".join(
            f"2026-11-25T01:{n % 60:02d}:12.{n * 37 % 1000:03d}Z INFO engine[{n * 13}] "
            f"call={digests[n % 100][:12]} status=200 cost=0.00{n}"
            for n in range(150)
        ),
        "signs": "!@#$%^&*()_+-=[]{}|;:,./<>?~` " * 40,
    }


def _read(name: str) -> str:
    return (SOURCE / name).read_text()


def _prices() -> str:
    return _read("src/tiergate/pricing/genai_prices.json")
