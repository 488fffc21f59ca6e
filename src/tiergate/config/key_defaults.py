"""Reads the file's rules for virtual keys and users: defaults, bounds, the cap of every user.

What a single key then may do is decided where keys are made (`core.key_terms`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tiergate.base.values import NanoUsd
from tiergate.config.caps import CapReader, show_cap
from tiergate.config.chains import Names
from tiergate.config.durations import NO_WINDOW, Window
from tiergate.config.keycheck import KeyCheck
from tiergate.config.reading import Reader, Sections
from tiergate.config.section import Section, Spot
from tiergate.core.catalog import OnStoreFailure
from tiergate.core.key_defaults import KeyBounds, KeyDefaults
from tiergate.core.key_terms import ALL_MODELS, TEAM_MODELS

GIVEN: Final = "default_key_generate_params"
MOST: Final = "upperbound_key_generate_params"
USER_CAP: Final = "max_internal_user_budget"
USER_WINDOW: Final = "internal_user_budget_duration"
OWN_VALUES: Final = "disable_custom_api_keys"


@dataclass(frozen=True, slots=True)
class KeyDefaultsReader:
    """Reads the rules.

    Attributes:
        reader: Where findings and the report go.
        check: Reports keys that nobody reads.
        caps: Reads caps.
        names: The names of aliases.
    """

    reader: Reader
    check: KeyCheck
    caps: CapReader
    names: Names

    @staticmethod
    def of(reader: Reader, check: KeyCheck, names: Names) -> KeyDefaultsReader:
        """Make a reader."""
        return KeyDefaultsReader(reader, check, CapReader(reader, check), names)

    def read(self, sections: Sections, on_failure: OnStoreFailure) -> KeyDefaults:
        """Return the rules.

        Args:
            sections: The sections of the file.
            on_failure: What budgets of users do while their store is down.
        """
        findings = self.reader.findings
        given = sections.litellm.section(GIVEN, findings)
        most = sections.litellm.section(MOST, findings)
        budget, window = self._user_cap(sections, on_failure)
        chosen = sections.general.take(OWN_VALUES)
        defaults = KeyDefaults(
            given=self._bounds(given),
            models=self._models(given.take("models")),
            team=self.reader.typed.name(given.take("team_id")) or "",
            user=self.reader.typed.name(given.take("user_id")) or "",
            most=self._bounds(most),
            user_budget=budget,
            user_window=window.text,
            user_period=window.period,
            own_values=not self.reader.typed.flag(chosen),
        )
        for section in (given, most):
            self.check.left(section)
        if chosen is not None:
            text = "as they are asked for" if defaults.own_values else "made by the gateway only"
            self.reader.show(f"general_settings.{OWN_VALUES}", None, chosen, text=text)
        return defaults

    def _bounds(self, section: Section) -> KeyBounds:
        typed = self.reader.typed
        budget, duration = section.take("max_budget"), section.take("budget_duration")
        lifetime = section.take("duration")
        cap = self.caps.plain(budget, duration)
        bounds = KeyBounds(
            max_budget=cap.limit,
            window=cap.window.text if cap.window is not None else None,
            period=cap.window.period if cap.window is not None else None,
            lifetime=typed.seconds(lifetime),
            parallel=typed.whole(section.take("max_parallel_requests")),
            tpm=typed.whole(section.take("tpm_limit")),
            rpm=typed.whole(section.take("rpm_limit")),
        )
        self._show(section, bounds)
        return bounds

    def _show(self, section: Section, bounds: KeyBounds) -> None:
        place = f"litellm_settings.{section.path[-1]}"
        for key, value in (
            ("max_budget", None if bounds.max_budget is None else bounds.max_budget / 10**9),
            ("budget_duration", bounds.window),
            ("duration", bounds.lifetime),
            ("max_parallel_requests", bounds.parallel),
            ("tpm_limit", bounds.tpm),
            ("rpm_limit", bounds.rpm),
        ):
            if value is not None:
                self.reader.show(f"{place}.{key}", value, section.look(key))

    def _models(self, spot: Spot | None) -> tuple[str, ...]:
        models = self.reader.typed.texts(spot)
        for name in models:
            known = name in (ALL_MODELS, TEAM_MODELS) or self.names.alias(name) is not None
            if spot is not None and not known:
                self.reader.findings.error(
                    "unknown-alias", spot.at, f"{name} is no alias", self.names.suggest(name)
                )
        if models:
            self.reader.show(f"litellm_settings.{GIVEN}.models", models, spot)
        return models

    def _user_cap(
        self, sections: Sections, on_failure: OnStoreFailure
    ) -> tuple[NanoUsd | None, Window]:
        """Return the cap of every user; a window without a cap is said to do nothing."""
        spot, duration = sections.litellm.take(USER_CAP), sections.litellm.take(USER_WINDOW)
        cap = self.caps.plain(spot, duration)
        if cap.spot is None or cap.limit is None:
            if duration is not None and cap.spot is None:
                self.reader.findings.warning(
                    "no-limit",
                    duration.at,
                    f"is a window without a cap: there is no {USER_CAP}",
                    f"Write litellm_settings.{USER_CAP}: USD.",
                )
            return None, NO_WINDOW
        window = self.caps.window_of(cap, cap.spot)
        self.reader.show("budget of each user", show_cap(cap.limit, window, on_failure), cap.spot)
        return cap.limit, window
