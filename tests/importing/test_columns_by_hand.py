"""A list whose header nobody could know is taken in from the screen, by saying what its columns are."""

from pathlib import Path

from crisisdesk.i18n import in_language
from crisisdesk.store.engine import Store
from crisisdesk.ui.widgets.listlines import read_columns
from screens import open_screens, screen_text, settled, type_text

LIST = "Kand?;Zeker;Teken\n30/06/2022;NOIRET Paule;Coloscopie\n01/07/2022;LEFORT Jean;Gastroscopie\n"


def test_a_column_is_named_in_words_or_by_code_and_a_wrong_name_is_kept() -> None:
    with in_language("fr"):
        assert read_columns(" 1 = planned_date ;Zeker=full_name; x=quoi") == {
            "1": "planned_date", "Zeker": "full_name", "x": "quoi",
        }  # fmt: skip
    with in_language("en"):
        assert read_columns("2=Full Name;3=procedure") == {"2": "full_name", "3": "procedure"}
    assert read_columns("") == {}


async def test_the_screen_says_how_and_then_reads_the_list(desk_store: Store, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(LIST, encoding="utf-8")
    async with open_screens(desk_store, "lists", login="sylvie", language="en") as pilot:
        await pilot.press("i")
        await settled(pilot)
        await type_text(pilot, f"{path}\rArlon\r\r\r\r")
        for _time in range(100):
            await settled(pilot)
            if "2=full name" in screen_text(pilot):
                break
        assert "2=full name" in screen_text(pilot)
        await pilot.press("shift+tab")
        await type_text(pilot, "1=planned date; 2=full name; 3=procedure\r\r")
        for _time in range(100):
            await settled(pilot)
            if "NOIRET" in screen_text(pilot):
                break
        text = screen_text(pilot)
    assert "NOIRET" in text
    assert "planned date = Kand?" in text
    assert text.splitlines()[2].startswith("x.csv"), "no hole where the form was"
