"""Checks that look at several settings at once: what cannot both hold, what cannot be meant.

Every check takes settings and adds findings; none changes a setting.
"""

from __future__ import annotations

from tiergate.config.checks.models import check_models
from tiergate.config.checks.money import check_money
from tiergate.config.checks.paths import check_paths
from tiergate.config.checks.subject import Subject

__all__ = ["Subject", "run_checks"]


def run_checks(subject: Subject) -> None:
    """Add the findings of all checks."""
    check_paths(subject)
    check_models(subject)
    check_money(subject)
