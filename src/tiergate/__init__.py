"""The gateway between a company's programs and the language models they pay for."""

__version__ = "0.1.0"
