"""`crisisdesk demo`: a desk of invented people, to look at and to try everything on.

On a terminal it opens the screens; without one it tells the same story in text. It only ever works on a desk that it
has just made.
"""

import os
import shlex
import sys
import tempfile
from argparse import Namespace
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from crisisdesk import clock
from crisisdesk.cli.context import Context
from crisisdesk.cli.output import say, show_json
from crisisdesk.cli.parser import Subparsers
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _, ngettext


def add_parser(subparsers: Subparsers) -> None:
    """Add `demo`."""
    parser = subparsers.add_parser("demo", help=_("make a desk of invented people and open it, or tell it in text"))
    parser.add_argument("--text", action="store_true", help=_("tell the story in text, even on a terminal"))
    parser.set_defaults(run=demo)


def demo(arguments: Namespace, context: Context) -> int:
    """Make the demo desk, then open the screens on it or tell its story; 0, or the exit code of the screens.

    ``--desk`` may name where the new desk goes; the desk of the environment and of the settings is never looked at.
    """
    from crisisdesk.cli.demo_story import tell
    from crisisdesk.desk.demo import SUPERVISOR, found_demo
    from crisisdesk.ui.start import terminal_problem

    path: Path = getattr(arguments, "desk", None) or fresh_path()
    is_text = arguments.text or context.json or bool(terminal_problem(os.environ, sys.stdin, sys.stderr))
    found_demo(path, now=clock.now())
    # In JSON the story goes to stderr: stdout holds the one fact that a script needs.
    out = context.err if context.json else context.out
    settings = replace(context.settings, identity="")  # its agents are invented: nobody attests them
    story = replace(context, settings=settings, desk=path, login=SUPERVISOR, json=False, out=out)
    try:
        story.open_store()  # from here on in the language of the desk
        say(story, _("A demo desk of invented people: {path}").format(path=path))
        fill(story)
        code = tell(story) if is_text else open_on(story)
    finally:
        story.close()
    if context.json:
        show_json(context, {"desk": path})
    say(story, _("The demo desk stays at {path}").format(path=path))
    again = shlex.join(["crisisdesk", "--desk", str(path), "--agent", SUPERVISOR])
    say(story, _("To open it again: {command}").format(command=again))
    return code


def fresh_path() -> Path:
    """A new file in a new temporary folder."""
    return Path(tempfile.mkdtemp(prefix="crisisdesk-demo-")) / "demo.desk"


def fill(context: Context) -> None:
    """Let the desk live through its two weeks, and say what came in."""
    from crisisdesk.desk.demo import live_through

    def take_list(path: Path, at: datetime) -> None:
        say(context, import_list(context, path, at))

    count = live_through(context.open_store(), take_list)
    words = ngettext("{count} call taken since 17 May", "{count} calls taken since 17 May", count)
    say(context, words.format(count=count))


def import_list(context: Context, path: Path, at: datetime) -> str:
    """Import one list as of an instant; a line of what became of its rows.

    Raises:
        RuleBroken: the list that ships was spoilt.
    """
    from crisisdesk.desk.importing.preparing import Options
    from crisisdesk.desk.importing.running import import_files

    report = import_files(context.open_store(), [path], Options(), agent=context.agent(), now=at)
    if report.refused:
        raise RuleBroken(f"{path.name}: {report.refused[0]['why']}")
    counts = report.files[0]["counts"]
    changes = Counter(row["change"] for row in report.rows)
    return _(
        "{file}: {accepted} accepted, {warned} with warnings, {rejected} rejected, {repeated} repeated; "
        "{added} new, {changed} changed, {gone} gone"
    ).format(
        file=path.name,
        accepted=counts["accepted"],
        warned=counts["accepted_with_warnings"],
        rejected=counts["rejected"],
        repeated=counts["duplicate"],
        added=changes["added"],
        changed=changes["changed"],
        gone=len(report.missing),
    )


def open_on(context: Context) -> int:
    """Confirm the opening of the day, so that there is somebody to ring, and open the screens."""
    from crisisdesk.cli.desk import open_app
    from crisisdesk.desk.demo import planned_opening, supervisor
    from crisisdesk.desk.reopening import confirm_opening

    store, now = context.open_store(), context.now()
    confirm_opening(store, planned_opening(store, now=now), agent=supervisor(store), now=now)
    return open_app(Namespace(), context)
