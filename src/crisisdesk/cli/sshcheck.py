"""`crisisdesk check --ssh`: is the set-up on this host what `ssh-setup` printed? Reads everything, changes nothing."""

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict

from crisisdesk.cli.context import Context
from crisisdesk.cli.output import complain, show_table
from crisisdesk.cli.sshfacts import (
    OK,
    UNKNOWN,
    WRONG,
    Finding,
    members,
    of_desk,
    of_host,
    of_keys,
    of_roots_files,
    of_sshd,
    of_sudo,
    of_sudoers,
)
from crisisdesk.cli.sshplan import Plan, make_plan
from crisisdesk.i18n import N_, _, ngettext

STATES = {OK: N_("ok"), WRONG: N_("WRONG"), UNKNOWN: N_("not known")}


def check_ssh(arguments: Namespace, context: Context) -> int:
    """Print a table of findings; 1 when one of them is wrong."""
    plan = make_plan(arguments, context.settings)
    findings = list(_findings(plan, arguments, context))
    rows = [asdict(one) | ({} if context.json else {"state": _(STATES[one.state])}) for one in findings]
    headings = {"state": _("State"), "what": _("What"), "found": _("Found"), "todo": _("To do")}
    show_table(context, headings, rows)
    wrong = sum(one.state == WRONG for one in findings)
    if wrong:
        words = ngettext(
            "{count} thing is wrong: agents must not come in yet.",
            "{count} things are wrong: agents must not come in yet.",
            wrong,
        )
        complain(context, words.format(count=wrong))
    return 1 if wrong else 0


def _findings(plan: Plan, arguments: Namespace, context: Context) -> Iterator[Finding]:
    logins = members(plan.group) if plan.way == "sudo" else [plan.account]
    if not logins:
        todo = _("usermod --append --groups {group} LOGIN, for each agent").format(group=plan.group)
        yield Finding(_("group {group}").format(group=plan.group), WRONG, _("nobody is in it"), todo)
    for login in logins[:1]:
        yield from of_sshd(plan, login, arguments.sshd_config)
        if plan.way == "sudo":
            yield of_sudoers()
            yield from of_sudo(plan, login)
    if plan.way == "sudo":  # of the other fifty only what is wrong
        yield from (one for login in logins[1:] for one in of_sudo(plan, login) if one.state == WRONG)
    if plan.way == "key":
        yield from of_keys(plan)
    yield from of_roots_files(plan)
    yield from of_desk(plan, logins[0] if logins else "nobody")
    yield from of_host(plan, context.settings, logins if plan.way == "sudo" else [])
