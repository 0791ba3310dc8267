"""`crisisdesk ssh-setup`: what a host needs so that agents come in over SSH. Printed, never installed."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from crisisdesk.cli.context import Context
from crisisdesk.cli.output import say, show_json
from crisisdesk.cli.parser import Subparsers
from crisisdesk.cli.sshplan import add_plan_options
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _

if TYPE_CHECKING:
    from crisisdesk.cli.sshcommands import Command
    from crisisdesk.cli.sshfiles import SetupFile


def add_parser(subparsers: Subparsers) -> None:
    """Add `ssh-setup`."""
    parser = subparsers.add_parser(
        "ssh-setup",
        help=_("print what a host needs so that agents come in over SSH"),
        description=_("Prints every file and command, each line with its reason. Nothing is installed."),
    )
    add_plan_options(parser)
    parser.add_argument("--admins", metavar=_("GROUP"), default="", help=_("shut out all but agents and this group"))
    parser.add_argument("--addresses", metavar=_("NETWORKS"), default="", help=_("of the agents: 10.20.0.0/16"))
    parser.add_argument(
        "--agents",
        metavar=_("FILE"),
        type=Path,
        help=_("LOGIN;NAME;ROLE;KEY a line, or what agent list --json wrote"),
    )
    parser.add_argument("--write", metavar=_("FOLDER"), type=Path, help=_("write it all under a new folder instead"))
    parser.set_defaults(run=ssh_setup)


def ssh_setup(arguments: Namespace, context: Context) -> int:
    """Print the set-up, or write it under a folder."""
    from crisisdesk.cli.sshcommands import desk_commands, install_commands, write_setup
    from crisisdesk.cli.sshfiles import client_snippet, setup_files
    from crisisdesk.cli.sshplan import make_plan, read_agents

    agents = read_agents(arguments.agents) if arguments.agents else ()
    plan = make_plan(arguments, context.settings, agents)
    files, client = setup_files(plan), client_snippet(plan)
    steps = {"install": install_commands(plan, files, "."), "desk": desk_commands(plan)}
    if arguments.write:
        try:
            write_setup(plan, files, client, arguments.write)
        except FileExistsError:
            words = _("{path} exists already. Name a new folder.")
            raise RuleBroken(words.format(path=arguments.write)) from None
        say(
            context,
            _("Written to {path}. Nothing is installed yet. Read it; then, as root:").format(path=arguments.write),
        )
        for line in _what_next(arguments.write):
            say(context, f"    {line}")
    if context.json:
        show_json(context, {
            "way": plan.way, "client": client,
            "files": [{"path": one.path, "mode": f"{one.mode:04o}", "owner": "root:root", "why": one.why,
                       "content": one.content} for one in files],
            **{name: [{"command": line, "why": why} for line, why in steps[name] if line] for name in steps},
        })  # fmt: skip
    elif not arguments.write:
        context.out.write(_as_text(files, steps, client))
    return 0


def _what_next(folder: Path) -> list[str]:
    return [f"sh {folder}/install.sh", "systemctl reload ssh", f"sh {folder}/agents.sh", "crisisdesk check --ssh"]


def _as_text(files: "list[SetupFile]", steps: "dict[str, list[Command]]", client: str) -> str:
    from crisisdesk.cli.sshfiles import reasoned

    parts = [(f"{one.path}   root:root {one.mode:04o}   {one.why}", one.content) for one in files]
    parts += [
        (_("on each client: ~/.ssh/config   then: ssh LOGIN@desk"), client),
        (_("as root, in the folder that --write FOLDER makes: install.sh"), reasoned(steps["install"])),
        (_("then, once sshd has read its files again (systemctl reload ssh): agents.sh"), reasoned(steps["desk"])),
        (_("and at the end: crisisdesk check --ssh"), ""),
    ]
    return "\n".join(f"===== {number}. {title}\n{content}" for number, (title, content) in enumerate(parts, 1))
