"""Anthropic's Messages API: both directions, plain and streamed. Sans-I/O."""

from __future__ import annotations
