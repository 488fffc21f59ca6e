"""The dashboard at `/ui`: pages for people, rendered here, of what other parts know.

Nothing about calls is decided here. The pages need no script to work; the script only keeps them
fresh and draws charts. What is shown comes through `ui.sights`.
"""
