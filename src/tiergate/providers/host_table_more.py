"""More hosts of LiteLLM's list that speak plain OpenAI, in short rows; `host_table` has the rest.

None of these is known to differ from the dialect, but for the developer role, which templates of
open models do not have.
"""

from __future__ import annotations

from typing import Final

from tiergate.providers.host_table import Host
from tiergate.providers.quirks import Quirk

_QUIRKS: Final = frozenset({Quirk.NO_DEVELOPER_ROLE})


def _host(
    name: str, base: str, keys: tuple[str, ...], bases: tuple[str, ...] = (), *aliases: str
) -> Host:
    return Host(name, base, keys, bases, aliases=aliases, quirks=_QUIRKS)


MORE_HOSTS: Final[tuple[Host, ...]] = (
    _host(
        "ai21",
        "https://api.ai21.com/studio/v1",
        ("AI21_API_KEY",),
        ("AI21_API_BASE",),
        "ai21_chat",
    ),
    _host("aiml", "https://api.aimlapi.com/v1", ("AIML_API_KEY",), ("AIML_API_BASE",)),
    _host(
        "baseten", "https://inference.baseten.co/v1", ("BASETEN_API_KEY",), ("BASETEN_API_BASE",)
    ),
    _host("chutes", "https://llm.chutes.ai/v1", ("CHUTES_API_KEY",)),
    _host(
        "dashscope",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        ("DASHSCOPE_API_KEY",),
        ("DASHSCOPE_API_BASE",),
    ),
    _host(
        "empower", "https://app.empower.dev/api/v1", ("EMPOWER_API_KEY",), ("EMPOWER_API_BASE",)
    ),
    _host(
        "featherless_ai",
        "https://api.featherless.ai/v1",
        ("FEATHERLESS_AI_API_KEY", "FEATHERLESS_API_KEY"),
        ("FEATHERLESS_API_BASE", "FEATHERLESS_AI_API_BASE"),
    ),
    _host(
        "galadriel",
        "https://api.galadriel.com/v1",
        ("GALADRIEL_API_KEY",),
        ("GALADRIEL_API_BASE",),
    ),
    _host(
        "github",
        "https://models.inference.ai.azure.com",
        ("GITHUB_API_KEY",),
        ("GITHUB_API_BASE",),
    ),
    _host("helicone", "https://ai-gateway.helicone.ai", ("HELICONE_API_KEY",)),
    _host(
        "inception",
        "https://api.inceptionlabs.ai/v1",
        ("INCEPTION_API_KEY",),
        ("INCEPTION_API_BASE",),
    ),
    _host("lambda_ai", "https://api.lambda.ai/v1", ("LAMBDA_API_KEY",), ("LAMBDA_API_BASE",)),
    _host(
        "meta_llama", "https://api.llama.com/compat/v1", ("LLAMA_API_KEY",), ("LLAMA_API_BASE",)
    ),
    _host("minimax", "https://api.minimax.io/v1", ("MINIMAX_API_KEY",), ("MINIMAX_API_BASE",)),
    _host(
        "modelscope",
        "https://api-inference.modelscope.cn/v1",
        ("MODELSCOPE_API_KEY",),
        ("MODELSCOPE_API_BASE",),
    ),
    _host("morph", "https://api.morphllm.com/v1", ("MORPH_API_KEY",), ("MORPH_API_BASE",)),
    _host("nano-gpt", "https://nano-gpt.com/api/v1", ("NANOGPT_API_KEY",)),
    _host(
        "nscale", "https://inference.api.nscale.com/v1", ("NSCALE_API_KEY",), ("NSCALE_API_BASE",)
    ),
    _host("poe", "https://api.poe.com/v1", ("POE_API_KEY",)),
    _host("publicai", "https://api.publicai.co/v1", ("PUBLICAI_API_KEY",), ("PUBLICAI_API_BASE",)),
    _host("scaleway", "https://api.scaleway.ai/v1", ("SCW_SECRET_KEY",)),
    _host("synthetic", "https://api.synthetic.new/openai/v1", ("SYNTHETIC_API_KEY",)),
    _host("v0", "https://api.v0.dev/v1", ("V0_API_KEY",), ("V0_API_BASE",)),
    _host("veniceai", "https://api.venice.ai/api/v1", ("VENICE_AI_API_KEY",)),
    _host(
        "vercel_ai_gateway",
        "https://ai-gateway.vercel.sh/v1",
        ("VERCEL_AI_GATEWAY_API_KEY", "VERCEL_OIDC_TOKEN"),
        ("VERCEL_AI_GATEWAY_API_BASE",),
    ),
    _host(
        "volcengine",
        "https://ark.cn-beijing.volces.com/api/v3",
        ("VOLCENGINE_API_KEY",),
        ("VOLCENGINE_API_BASE",),
    ),
    _host("wandb", "https://api.inference.wandb.ai/v1", ("WANDB_API_KEY",), ("WANDB_API_BASE",)),
    _host("zai", "https://api.z.ai/api/paas/v4", ("ZAI_API_KEY",), ("ZAI_API_BASE",)),
)
