"""Why a file is not taken in: a code for programs, and a sentence that says what to do, for people."""

from __future__ import annotations

from crisisdesk.i18n import N_, _

# In the order of the checks. {detail} is filled in where the reader knows more.
SENTENCES = {
    "file_missing": N_("there is no such file, or it may not be read: check the name and the rights"),
    "file_empty": N_("the file is empty: ask for it again"),
    "file_too_large": N_("the file is larger than 100 MB: split it, or ask for the list alone"),
    "file_type_mismatch": N_(
        "the content is not what the file name says: open it in its own program and save it as CSV or XLSX"
    ),
    "file_type_unknown": N_("this kind of file is not read: save the list as CSV, XLSX, ODS or XLS"),
    "file_corrupt": N_("the file is cut or damaged: ask for it again"),
    "uncompressed_too_large": N_(
        "small on disk, huge when unpacked: this is no list; ask for the sheet alone, or as CSV"
    ),
    "parse_limit": N_("reading it takes more memory or time than any list needs: ask for it as CSV"),
    "file_encrypted": N_("the file is locked with a password: ask for an open copy"),
    "encoding_unknown": N_(
        "the letters cannot be read as UTF-8 or cp1252: save it as UTF-8, or name the encoding with --encoding"
    ),
    "nul_bytes": N_("there are binary zero bytes in the text: the copy is damaged; ask for it again"),
    "field_too_large": N_("one cell is beyond any sense: a quotation mark is missing, or this is no list"),
    "too_many_rows": N_("more than 500,000 rows: split the list"),
    "sheet_unknown": N_("there is no sheet of that name: see the names in the preview"),
    "no_usable_columns": N_("no column names were recognised: name the columns with --map COLUMN=FIELD"),
    "no_name_column": N_("no column holds names: name it with --map COLUMN=last_name or full_name"),
    "no_date_column": N_("no column holds dates: name it with --map COLUMN=planned_date, or ask for the full list"),
    "duplicate_header": N_("two columns have the same name and differ: name the right one with --map NUMBER=FIELD"),
    "no_data_rows": N_("there is a header and nothing under it: ask for the full list"),
}


class Refused(Exception):
    """A file that is refused; nothing was changed. ``detail`` is for the sentence, never a patient's data."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


def why_refused(code: str, detail: str = "") -> str:
    """Give the sentence for a refusal, in the agent's language."""
    sentence = _(SENTENCES.get(code, code))
    return f"{sentence} ({detail})" if detail else sentence
