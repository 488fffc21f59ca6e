"""The page of the backlog toolkit's file: every key is on it, and what it shows is so."""

from __future__ import annotations

import json
import re
from pathlib import Path

from support.config_world import KEY, Bench
from tiergate.config.backlog_idle import ACTING, IDLE, Form
from tiergate.config.backlog_init import MODELS
from tiergate.config.findings import Severity
from tiergate.core.phases import TooLong

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "backlog.md").read_text("utf-8")
MODEL_LIST = "model_list:\n" + "".join(
    f"  - {{model_name: {name}, litellm_params: {{model: {model}}}}}\n"
    for name, model in MODELS.items()
)


def table() -> str:
    return PAGE.partition("| key under `llmOps` | does |")[2].partition("\n\n")[0]


def test_every_key_is_on_the_page():
    keys = [(section, key) for section, names in ACTING.items() for key in names]
    keys += [path for path, idle in IDLE.items() if len(path) == 2 or idle.form is Form.ANY]
    for path in keys:
        in_row = rf"`{path[0]}[.`].*`[\w.]*{re.escape(path[-1])}`"
        assert re.search(in_row, table()) or f"`{'.'.join(path)}`" in table(), path


def test_the_example_acts_from_end_to_end(tmp_path):
    example = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0]
    variables = {
        "ANTHROPIC_API_KEY": "k-anthropic",
        "TIERGATE_MASTER_KEY": KEY.partition("master_key: ")[2].rstrip("}\n"),
    }
    loaded = Bench(tmp_path).load(
        MODEL_LIST + KEY, environ=variables, files={"backlog.config.json": example}
    )
    assert loaded.settings is not None, loaded.findings
    work = loaded.settings.work
    assert work is not None
    assert work.escalation is not None
    assert (work.escalation.limit, work.too_long) == (1, TooLong.TRUNCATE_OLDEST)
    mine = [f for f in loaded.findings if f.path.startswith("llmOps")]
    assert [f for f in mine if f.severity is not Severity.NOTICE] == []
    assert json.loads(example)["llmOps"]["routing"]["entryModel"] == work.entry


def test_prose_has_one_sentence_on_a_line():
    for line in re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL).splitlines():
        if not line.startswith("|"):
            assert not re.search(r"[a-z`)]\. [A-Z]", line), line
