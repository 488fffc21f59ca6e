"""Loads Python objects that a configuration names: `module.name`, beside the file that names it.

Where LiteLLM is not installed, modules that import its base classes find those of
`tiergate.custom` under its names, so that a class written for it needs no change.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Final

from tiergate.custom.litellm_names import FASTAPI, LITELLM, modules_of

_LONGEST: Final = 300


def load_object(name: str, folder: str) -> object:
    """Return what a name stands for.

    Args:
        name: `module.attribute`; dots in the module are folders.
        folder: Of the configuration file, where the module is looked for first.

    Raises:
        ValueError: There is no such module or attribute, or the module fails when it is loaded;
            one sentence.
    """
    module_name, _, attribute = name.rpartition(".")
    if not module_name:
        raise ValueError(f"{name} is no class: write MODULE.CLASS")
    module = _module(module_name, str(Path(folder).resolve()))
    found: object = getattr(module, attribute, None)
    if found is None:
        raise ValueError(f"the module {module_name} has no {attribute}")
    return found


@cache
def _module(name: str, folder: str) -> ModuleType:
    """Load a module once, whoever asks for it."""
    _stand_in()
    path = Path(folder, *name.split(".")).with_suffix(".py")
    try:
        if path.is_file():
            return _from_file(name, path)
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        if exc.name == name.partition(".")[0]:
            raise ValueError(
                f"there is no module {name}: neither {path} nor an installed package"
            ) from None
        raise ValueError(_failed(name, exc)) from None
    except Exception as exc:  # noqa: BLE001 - whatever it raises, the start says it
        raise ValueError(_failed(name, exc)) from None


def _from_file(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    known = sys.modules.get(name)
    sys.modules[name] = module
    folder = str(path.parent)
    added = folder not in sys.path
    if added:  # for modules of its own beside it
        sys.path.append(folder)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        if known is not None:
            sys.modules[name] = known
        if added:
            sys.path.remove(folder)
        raise
    return module


def _failed(name: str, exc: Exception) -> str:
    text = " ".join(str(exc).split())[:_LONGEST]
    return f"the module {name} cannot be loaded: {type(exc).__name__}: {text}"


def _stand_in() -> None:
    """Let LiteLLM's and FastAPI's names be found where these are not installed."""
    for top, names in (("litellm", LITELLM), ("fastapi", FASTAPI)):
        if top not in sys.modules and importlib.util.find_spec(top) is None:
            sys.modules.update(modules_of(names))
