"""The commands that put the files of a set-up in place, each with its reason. They are printed, never run from here."""

import shlex
from pathlib import Path

from crisisdesk.cli.sshfiles import SetupFile, reasoned
from crisisdesk.cli.sshplan import Newcomer, Plan
from crisisdesk.domain.words import Role
from crisisdesk.i18n import _

Command = tuple[str, str]


def install_commands(plan: Plan, files: list[SetupFile], source: str) -> list[Command]:
    """What root runs once, in order. ``source`` is the folder under which the files lie as they will on the host."""
    shell = "/usr/sbin/nologin" if plan.way == "sudo" else "/bin/sh"
    about = _("the account that owns the desk")
    home = f"--home-dir {plan.desk.parent} --no-create-home"
    made = f"useradd --system --user-group {home} --shell {shell} --password '*' {plan.account}"
    commands: list[Command] = []
    if plan.way == "key":
        about = _("the account that owns the desk, and the one login of all agents")
    else:
        rules = f"{source}{plan.sudoers}"
        commands.append((f"visudo -c -f {rules}", _("a sudoers file with a fault would lock sudo for everybody")))
        commands.append(
            (f"groupadd --force {plan.group}", _("who is in it gets the desk at sign-in, and nothing else"))
        )
    folder = f"install -d -o {plan.account} -g {plan.account} -m 0700 {plan.desk.parent}"
    folders = " ".join(
        str(one) for one in (plan.settings, plan.settings / "keys", plan.settings / "home", plan.launchers)
    )
    return [
        *commands,
        (f"id -u {plan.account} >/dev/null 2>&1 || {made}", about),
        (folder, _("the desk's folder: nobody else can even look into it")),
        (f"install -d -o root -g root -m 0755 {folders}", _("root's folders: agents can read them, not change them")),
        *((_install(file, source), file.why) for file in files),
        *(command for one in plan.agents if plan.way == "sudo" for command in _account(plan, one)),
        ("sshd -t", _("is sshd content? It says nothing when it is")),
    ]


def _install(file: SetupFile, source: str) -> str:
    return f"install -o root -g root -m {file.mode:04o} {source}{file.path} {file.path}"


def _account(plan: Plan, agent: Newcomer) -> list[Command]:
    home = f"--no-create-home --home-dir {plan.settings}/home"
    made = f"useradd {home} --shell /bin/sh --password '*' {agent.login}"
    is_first = agent is plan.agents[0]
    why = _("logins without password, and without a folder that the agents could put files into") if is_first else ""
    hint = "" if agent.key else _("no key is known: give a password with: passwd {login}").format(login=agent.login)
    return [
        (f"id -u {agent.login} >/dev/null 2>&1 || {made}", why),
        (f"usermod --append --groups {plan.group} {agent.login}", hint),
    ]


def desk_commands(plan: Plan) -> list[Command]:
    """What makes the desk and its agents, once the files are in place."""
    admin = next((one for one in plan.agents if one.role is Role.ADMIN), None)
    run = plan.admin_command
    if admin is None:
        words = _("the list of agents names no admin: put one in the place of ADMIN")
        found: list[Command] = [("", words)]
    else:
        made = f"{run} init --admin {admin.login} --admin-name {shlex.quote(admin.name)}"
        found = [(made, _("the desk, from the example; a folder of your own data may follow 'init'"))]
    login = admin.login if admin else "ADMIN"
    found += [
        (f"{run} --agent {login} agent add {one.login} {shlex.quote(one.name)} --role {one.role}", "")
        for one in plan.agents
        if one is not admin
    ]
    return found


def script(commands: list[Command]) -> str:
    """Commands as a script that stops at the first one that fails."""
    return '#!/bin/sh\nset -eu\ncd "$(dirname "$0")"\n' + reasoned(commands)


def write_setup(plan: Plan, files: list[SetupFile], client: str, target: Path) -> None:
    """Write everything under a new folder, for reading and for ``sh TARGET/install.sh``.

    Raises:
        FileExistsError: the folder is there already.
    """
    target.mkdir(parents=True, mode=0o700)
    for file in files:
        place = Path(f"{target}{file.path}")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(file.content, encoding="utf-8")
        place.chmod(file.mode)
    (target / "install.sh").write_text(script(install_commands(plan, files, ".")), encoding="utf-8")
    (target / "agents.sh").write_text(script(desk_commands(plan)), encoding="utf-8")
    (target / "ssh_config").write_text(client, encoding="utf-8")
