"""`crisisdesk agent`: who sits at the desk."""

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from crisisdesk.cli.context import Context
from crisisdesk.cli.output import show_record, show_table
from crisisdesk.cli.parser import Subparsers
from crisisdesk.desk.roomwords import ROLE_WORDS
from crisisdesk.domain.words import Role
from crisisdesk.i18n import _

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent


def add_parser(subparsers: Subparsers) -> None:
    """Add `agent add`, `list`, `role`, `rename`, `sites`, `disable` and `enable`."""
    parser = subparsers.add_parser("agent", help=_("list, add and change those who sit at the desk"))
    actions = parser.add_subparsers(title=_("commands"), metavar=_("COMMAND"), required=True)
    add = actions.add_parser("add", help=_("add an agent (admins)"))
    add.add_argument("login", metavar=_("LOGIN"))
    add.add_argument("name", metavar=_("NAME"), help=_("the name that colleagues see"))
    add.add_argument("--role", choices=[*Role], default=Role.AGENT, help=_("what the agent may do"))
    add.add_argument(
        "--language", metavar="LANG", default="", help=_("language of the agent's screens; else the desk's")
    )
    add.add_argument("--site", action="append", default=[], metavar=_("SITE"), help=_("rings for this site; several: "
                     "once for each; none: for all"))  # fmt: skip
    add.set_defaults(run=add_one)
    listing = actions.add_parser("list", help=_("list the agents"))
    listing.set_defaults(run=list_all)
    role = actions.add_parser("role", help=_("give an agent another role (admins)"))
    role.add_argument("login", metavar=_("LOGIN"))
    role.add_argument("role", choices=[*Role])
    role.set_defaults(run=give_role)
    name = actions.add_parser("rename", help=_("change the name or the language of an agent (admins)"))
    name.add_argument("login", metavar=_("LOGIN"))
    name.add_argument("name", metavar=_("NAME"), help=_("the name that colleagues see"))
    name.add_argument("--language", metavar="LANG", help=_("language of the agent's screens; '' is the desk's"))
    name.set_defaults(run=rename_one)
    sites = actions.add_parser("sites", help=_("say for which sites an agent rings; none: for all (admins)"))
    sites.add_argument("login", metavar=_("LOGIN"))
    sites.add_argument("sites", nargs="*", metavar=_("SITE"))
    sites.set_defaults(run=give_sites)
    for command, is_active, words in (
        ("disable", False, _("disable an agent (admins)")),
        ("enable", True, _("enable an agent again (admins)")),
    ):
        change = actions.add_parser(command, help=words)
        change.add_argument("login", metavar=_("LOGIN"))
        change.set_defaults(run=switch, is_active=is_active)


def add_one(arguments: Namespace, context: Context) -> int:
    """Add an agent and show it."""
    from crisisdesk.cli.queue import site_id_of
    from crisisdesk.desk.agents import add_agent

    added = add_agent(
        context.open_store(),
        login=arguments.login,
        name=arguments.name,
        role=Role(arguments.role),
        language=arguments.language,
        sites=[site_id_of(context, site) for site in arguments.site],
        agent=context.agent(),
        now=context.now(),
    )
    return _show(context, added)


def list_all(arguments: Namespace, context: Context) -> int:
    """List the agents; anybody who is one may."""
    from crisisdesk.desk.agents import list_agents

    context.agent()
    _show_all(context, list_agents(context.open_store()))
    return 0


def give_role(arguments: Namespace, context: Context) -> int:
    """Give an agent another role."""
    from crisisdesk.desk.agents import change_role

    store = context.open_store()
    return _show(
        context, change_role(store, arguments.login, Role(arguments.role), agent=context.agent(), now=context.now())
    )


def rename_one(arguments: Namespace, context: Context) -> int:
    """Change the name of an agent, and the language where one is given."""
    from crisisdesk.desk.agents import find_agent, rename

    store, language = context.open_store(), arguments.language
    if language is None:
        found = find_agent(store, arguments.login)
        language = found.language if found else ""
    changed = rename(store, arguments.login, arguments.name, language, agent=context.agent(), now=context.now())
    return _show(context, changed)


def give_sites(arguments: Namespace, context: Context) -> int:
    """Say for which sites an agent rings."""
    from crisisdesk.cli.queue import site_id_of
    from crisisdesk.desk.agents import set_sites

    store, sites = context.open_store(), [site_id_of(context, site) for site in arguments.sites]
    return _show(context, set_sites(store, arguments.login, sites, agent=context.agent(), now=context.now()))


def switch(arguments: Namespace, context: Context) -> int:
    """Disable or enable an agent."""
    from crisisdesk.desk.agents import set_active

    store = context.open_store()
    return _show(
        context, set_active(store, arguments.login, arguments.is_active, agent=context.agent(), now=context.now())
    )


def _row(context: Context, agent: "Agent") -> dict[str, object]:
    role = str(agent.role) if context.json else _(ROLE_WORDS[agent.role])
    return {
        "login": agent.login,
        "name": agent.name,
        "role": role,
        "language": agent.language,
        "is_active": agent.is_active,
        "sites": sorted(agent.sites),
    }


def _headings() -> dict[str, str]:
    return {
        "login": _("Login"),
        "name": _("Name"),
        "role": _("Role"),
        "language": _("Language"),
        "is_active": _("Active"),
        "sites": _("Sites"),
    }


def _show(context: Context, agent: "Agent") -> int:
    show_record(context, _headings(), _row(context, agent))
    return 0


def _show_all(context: Context, agents: "Sequence[Agent]") -> None:
    show_table(context, _headings(), [_row(context, agent) for agent in agents])
