"""From commands to a page: usage, prose, options; nothing that is hidden."""

from __future__ import annotations

import click

from tiergate.cli.reference import command_reference


def group() -> click.Group:
    @click.group()
    def top() -> None:
        """Whatever."""

    @top.command()
    @click.argument("files", nargs=-1, metavar="FILE...")
    @click.option(
        "--kind",
        type=click.Choice(["a", "b"]),
        default="a",
        show_default=True,
        help="Which | kind.",
    )
    @click.option("-n", "--name", help="A\n name.")
    @click.option("--secret", hidden=True)
    def first(files, kind, name, secret) -> None:
        """Do it. Then
        do it again.

        A second paragraph, e.g. this one.
        """

    @top.command(hidden=True)
    def second() -> None:
        """Not shown."""

    @top.command()
    def third() -> None:
        pass

    @top.group()
    def family() -> None:
        """A group."""

    @family.command()
    @click.option("--deep", help="Inside.")
    def member(deep) -> None:
        """One of it."""

    return top


PAGE = command_reference(group(), "prog")


def test_a_command_has_its_usage_and_its_prose_one_sentence_a_line():
    assert "## `prog first`\n\n```\nprog first [OPTIONS] FILE...\n```\n\n" in PAGE
    assert "\nDo it.\nThen do it again.\n\nA second paragraph, e.g. this one.\n" in PAGE


def test_options_are_rows_with_their_defaults_and_fit_the_table():
    assert "| `--kind [a\\|b]` | Which \\| kind. [default: a] |\n" in PAGE
    assert "| `-n, --name TEXT` | A name. |\n" in PAGE


def test_what_is_hidden_is_not_there():
    assert "secret" not in PAGE
    assert "prog second" not in PAGE


def test_a_command_without_options_has_no_table():
    section = PAGE.partition("## `prog third`")[2]
    assert "|" not in section
    assert section.rstrip().endswith("`make docs`.")


def test_subcommands_of_a_group_follow_it_with_their_whole_name():
    assert PAGE.index("## `prog family`") < PAGE.index("## `prog family member`")
    assert "\nOne of it.\n" in PAGE
    assert "| `--deep TEXT` | Inside. |\n" in PAGE
