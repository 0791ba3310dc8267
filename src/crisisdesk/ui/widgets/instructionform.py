"""The form of an instruction: where it holds, from when until when, and its words in each language of the callers."""

from collections.abc import Iterable
from datetime import datetime

from textual import on
from textual.widgets import Input

from crisisdesk.desk.instructions import InstructionForm, InstructionText
from crisisdesk.domain.slips import read_taken_at
from crisisdesk.i18n import _
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.choices import Choice
from crisisdesk.ui.widgets.form import ChoiceField, Field, Form

EVERYWHERE = "all"
WORDS = "words"


class InstructionEntry(Form):
    """Starts from another version; the words in the desk's first language stand last, so that Enter there is enough."""

    def __init__(self, session: Session, one: InstructionText | None, site: str | None) -> None:
        self._session, self._start = session, one
        super().__init__(*self._make(session, one, site), id="entry")

    def _make(self, session: Session, one: InstructionText | None, site: str | None) -> Iterable[Field]:
        reference = session.reference
        where = one.site_id if one else site
        sites = [Choice(EVERYWHERE, _("all sites"), "*")]
        sites += [Choice(found.site_id, found.name) for found in reference.sites.values()]
        topics = [Choice("", _("any topic"), "*")]
        topics += [Choice(t.code, session.label("topic", t.code), t.key) for t in reference.topics.values()]
        yield ChoiceField("site", _("Site"), sites, code=where or EVERYWHERE, width=30)
        yield ChoiceField("service", _("Service"), self._services(where), code=_code(one), width=30,
                          help=_("Empty: all services of the site."))  # fmt: skip
        yield ChoiceField("topic", _("Topic"), topics, code=(one.topic if one else "") or "", width=30)
        yield Field("from", _("From"), width=20, max_length=30,
                    help=_("Empty: from now on. Or demain 8h, 01/06 14:00."))  # fmt: skip
        yield Field(
            "until", _("Until"), width=20, max_length=30,
            help=_("Empty: until the next version. With an end, what held before holds again afterwards."),
        )  # fmt: skip
        first, *others = reference.desk.languages
        said = one.translations if one else {}
        for language in others:
            yield Field(
                f"words-{language}", session.label("language", language), value=said.get(language, ""), max_length=2000,
                help=_("What callers who speak it are told; empty: the words below."),
            )  # fmt: skip
        yield Field(WORDS, _("To read out ({language})").format(language=first), value=one.words if one else "",
                    max_length=2000)  # fmt: skip

    def _services(self, site_id: str | None) -> list[Choice]:
        every = Choice("", _("all services"), "*")
        if site_id is None or site_id not in self._session.reference.sites:
            return [every]
        return [every, *(Choice(str(s.service_id), s.name) for s in self._session.reference.services_of(site_id))]

    @on(Input.Changed, "#site")
    def other_site(self) -> None:
        """Another site has other services."""
        field = self.choice("service")
        kept = field.code
        field.set_choices(self._services(self.choice("site").code))
        if kept and kept not in {choice.code for choice in field.choices}:
            field.value = ""

    def read(self) -> InstructionForm | None:
        """The instruction as it stands in the fields; None where something is wrong, which is said there."""
        values = self.values()
        if self.refuses_unclear():
            return None
        if not values["site"]:
            self._blame("site", _("Choose a site, or all sites."))
            return None
        times: dict[str, datetime | None] = {}
        for name in ("from", "until"):
            times[name] = self._instant(values[name])
            if values[name] and times[name] is None:
                self._blame(name, _("no time: 01/06 14:00"))
                return None
        others = self._session.reference.desk.languages[1:]
        return InstructionForm(
            values[WORDS], None if values["site"] == EVERYWHERE else values["site"],
            int(values["service"]) if values["service"] else None, values["topic"] or None, times["from"],
            times["until"], {language: values[f"words-{language}"] for language in others},
        )  # fmt: skip

    def _instant(self, text: str) -> datetime | None:
        return read_taken_at(text, now=self._session.now(), zone=self._session.zone) if text else None

    def _blame(self, name: str, words: str) -> None:
        self[name].remark(words, wrong=True)
        self[name].focus()


def _code(one: InstructionText | None) -> str:
    return str(one.service_id) if one is not None and one.service_id is not None else ""
