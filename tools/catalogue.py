#!/usr/bin/env python3
"""Keep the catalogues true: every text of the program, in every language, nothing stale.

    python tools/catalogue.py                      extract, update the .po files, compile the .mo files
    python tools/catalogue.py --merge FILE...      the same, taking French texts from fragments (plain .po) first
    python tools/catalogue.py --check              change nothing; 1 and a list when something is missing or stale

English is the language of the source, so its catalogue is filled by itself. Needs Babel (dependency group "dev").
"""

import argparse
import io
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "crisisdesk"
LANGUAGES = ("fr", "en")
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
FIXED = datetime(2026, 1, 1, tzinfo=UTC)  # a catalogue differs only when its texts do
PLACEHOLDER = re.compile(r"\{[a-z_0-9.]*(?:![rs])?(?::[^{}]*)?\}|%\([a-z_]+\)[srd]|%[srd]")
PLURAL_FORMS = {
    "fr": "nplurals=2; plural=(n > 1);",
    "en": "nplurals=2; plural=(n != 1);",
}  # whatever Babel thinks of it
Key = tuple[str, str]  # context, msgid (the singular one)


def main() -> int:
    """Update or check the catalogues."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--merge", nargs="+", type=Path, default=[], metavar="FILE")
    arguments = parser.parse_args()
    texts = extract()
    if not arguments.check:
        fragments = dict(read_fragments(arguments.merge))
        for language in LANGUAGES:
            write(language, updated(language, texts, fragments))
    faults = [fault for language in LANGUAGES for fault in check(language, texts)]
    print("\n".join(faults) or f"{len(texts)} texts, {', '.join(LANGUAGES)}: complete", file=sys.stderr)
    return 1 if faults else 0


def extract() -> dict[Key, Message]:
    """Every text marked in the source, in the order of the files."""
    found: dict[Key, Message] = {}
    for path, _line, texts, _comments, context in sorted(
        extract_from_dir(SOURCE, [("**.py", "python")], keywords=KEYWORDS), key=lambda row: (row[0], row[1])
    ):
        message = Message(texts, context=context)
        known = found.setdefault(key_of(message), message)
        if message.pluralizable and not known.pluralizable:  # the plural form serves both
            found[key_of(message)] = known = message
        known.locations = sorted({*known.locations, (path, 0)})
    return {key: message for key, message in found.items() if key[1]}


def key_of(message: Message) -> Key:
    """What makes a text one and the same."""
    msgid = message.id if isinstance(message.id, str) else message.id[0]
    context = message.context or ""
    return context.decode() if isinstance(context, bytes) else context, msgid  # one of Babel's readers leaves bytes


def po_file(language: str) -> Path:
    """Where a catalogue lives."""
    return SOURCE / "locale" / language / "LC_MESSAGES" / "crisisdesk.po"


def read(path: Path, language: str) -> dict[Key, Message]:
    """The texts of a catalogue or fragment; empty where there is no such file."""
    if not path.is_file():
        return {}
    text = "\n".join(line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines())
    if "Plural-Forms:" not in text:  # a fragment without a head
        text = f'msgid ""\nmsgstr "Plural-Forms: {PLURAL_FORMS[language]}\\n"\n\n{text}'
    catalogue = read_po(io.BytesIO(text.encode()), locale=language, charset="utf-8")
    return {key_of(message): message for message in catalogue if message.id}


def read_fragments(paths: Iterable[Path]) -> Iterator[tuple[Key, Message]]:
    """French texts of several hands; the last one named wins, and a quarrel is told."""
    seen: dict[Key, tuple[Path, Message]] = {}
    for path in paths:
        for key, message in read(path, "fr").items():
            if is_translated(message) and key in seen and seen[key][1].string != message.string:
                print(f"{path}: '{key[1][:60]}' differs from {seen[key][0]}", file=sys.stderr)
            if is_translated(message):
                seen[key] = (path, message)
                yield key, message


def updated(language: str, texts: dict[Key, Message], fragments: dict[Key, Message]) -> Catalog:
    """The catalogue of a language for the texts of now; translations of texts that are gone go too."""
    known = read(po_file(language), language)
    catalogue = Catalog(
        language, project="CrisisDesk", version="", domain="crisisdesk", fuzzy=False, creation_date=FIXED,
        revision_date=FIXED, last_translator="", language_team="", msgid_bugs_address="",
        header_comment="# CrisisDesk. Made by tools/catalogue.py; edit the msgstr lines only.",
    )  # fmt: skip
    heads = dict(catalogue.mime_headers) | {"Plural-Forms": PLURAL_FORMS[language]}
    catalogue.mime_headers = list(heads.items())
    for key, text in texts.items():
        string = text.id if language == "en" else _translation(text, fragments.get(key), known.get(key))
        catalogue.add(text.id, string, locations=text.locations, context=text.context or None)
    return catalogue


def _translation(text: Message, *candidates: Message | None) -> str | tuple[str, ...]:
    for found in candidates:
        if found is not None and is_translated(found) and found.pluralizable == text.pluralizable:
            return found.string if isinstance(found.string, str) else forms(found.string)
    return ("", "") if text.pluralizable else ""


def is_translated(message: Message) -> bool:
    """Every form of it has words."""
    return bool(forms(message.string)) and all(forms(message.string))


def forms(string: str | Iterable[str] | None) -> tuple[str, ...]:
    """Singular and plural forms of a text, or the one that it has."""
    return (string,) if isinstance(string, str) else tuple(string or ())


def write(language: str, catalogue: Catalog) -> None:
    """Write the .po file and its compiled twin."""
    path = po_file(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=120, include_lineno=False)
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalogue)


def check(language: str, texts: dict[Key, Message]) -> Iterator[str]:
    """What is wrong with a catalogue, a line each."""
    path = po_file(language)
    known = read(path, language)
    where = path.relative_to(ROOT)
    for key, text in texts.items():
        message = known.get(key)
        if message is None:
            yield f"{where}: missing: {key[1]!r} ({text.locations[0][0]})"
        elif not is_translated(message):
            yield f"{where}: untranslated: {key[1]!r} ({text.locations[0][0]})"
        elif fault := _placeholder_fault(message):
            yield f"{where}: {fault}: {key[1]!r}"
    yield from (f"{where}: stale: {key[1]!r}" for key in known if key not in texts)
    if not _is_compiled(path, language):
        yield f"{where.with_suffix('.mo')}: not compiled from the .po beside it"


def _placeholder_fault(message: Message) -> str:
    ids = forms(message.id)
    wanted = {name for text in ids for name in PLACEHOLDER.findall(text)}
    for string in forms(message.string):
        found = set(PLACEHOLDER.findall(string))
        if found - wanted or (wanted - found and len(ids) == 1):  # a singular may leave its number out
            return f"placeholders differ ({', '.join(sorted(found ^ wanted))})"
    return ""


def _is_compiled(path: Path, language: str) -> bool:
    """The compiled file says what the .po says (its bytes depend on Babel's version)."""
    compiled = path.with_suffix(".mo")
    if not compiled.is_file():
        return False
    with compiled.open("rb") as file:
        found = {key_of(message): forms(message.string) for message in read_mo(file) if message.id}
    texts = read(path, language)
    wanted = {key: forms(text.string) for key, text in texts.items() if is_translated(text)}
    return found.keys() <= texts.keys() and all(found.get(key) == strings for key, strings in wanted.items())


if __name__ == "__main__":
    sys.exit(main())
