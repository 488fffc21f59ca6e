"""The benchmark behind `make bench`: nginx, Tiergate and any peer, measured in one run.

It starts every process it measures, checks their answers and stops them. It decides nothing about
the gateway itself; `docs/performance.md` says what each figure means.
"""
