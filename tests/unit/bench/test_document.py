import pytest
from bench import document
from bench.document import RESULTS, MarkError, Region
from hypothesis import given
from hypothesis import strategies as st

PAGE = "# Page\n\n<!-- bench:begin -->\nold\n<!-- bench:end -->\n\nThe rest.\n"


def test_only_the_region_changes():
    assert RESULTS.filled(PAGE, "new\n") == (
        "# Page\n\n<!-- bench:begin -->\n\nnew\n\n<!-- bench:end -->\n\nThe rest.\n"
    )


@given(st.text(alphabet="ab \n|", max_size=40))
def test_filling_twice_is_filling_once(text):
    once = RESULTS.filled(PAGE, text)

    assert RESULTS.filled(once, text) == once


@pytest.mark.parametrize(
    "page",
    ["no marks", PAGE + PAGE, "<!-- bench:begin -->", "<!-- bench:end --><!-- bench:begin -->"],
)
def test_a_page_without_its_one_region_is_refused(page):
    with pytest.raises(MarkError):
        RESULTS.filled(page, "new")


def test_other_regions_are_left_alone(tmp_path):
    file = tmp_path / "page.md"
    file.write_text(PAGE + "<!-- profile:begin -->\nkept\n<!-- profile:end -->\n")

    document.write(file, RESULTS, "new")

    assert "kept" in file.read_text()
    assert "old" not in file.read_text()


def test_the_projects_page_has_both_regions():
    page = document.Path(document.__file__).parents[1] / "docs" / "performance.md"

    for region in (RESULTS, Region("profile")):
        assert region.filled(page.read_text(), "x")
