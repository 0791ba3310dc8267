"""What a host is to be set up for: which way agents come in, whose desk, who they are. Shared by set-up and check."""

import csv
import json
import re
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from crisisdesk.config import Settings
from crisisdesk.domain.words import Role
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _

DESK = Path("/srv/desk/vivalia.desk")
SETTINGS, LAUNCHERS = Path("/etc/crisisdesk"), Path("/usr/local/lib/crisisdesk")
SSHD_SNIPPET, SUDOERS = Path("/etc/ssh/sshd_config.d/10-crisisdesk.conf"), Path("/etc/sudoers.d/crisisdesk")
ADMIN_COMMAND = Path("/usr/local/sbin/crisisdesk-admin")
# Narrower than a login at the desk: it becomes an account, the name of a file and a word of shell commands.
ACCOUNT = re.compile(r"[A-Za-z_][A-Za-z0-9_.@-]{0,31}\Z")
PLAIN_PATH = re.compile(r"/[A-Za-z0-9_./@+-]*\Z")
KEY = re.compile(r"((?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+) ([A-Za-z0-9+/]+={0,3})(?: .*)?\Z")
PENALTIES_SINCE = (9, 8)


@dataclass(frozen=True)
class Newcomer:
    """One agent of the list: login, name, role at the desk, and the public half of an SSH key or an empty text."""

    login: str
    name: str
    role: Role = Role.AGENT
    key: str = ""


@dataclass(frozen=True)
class Plan:
    """One set-up. Every path and name is plain: it goes into shell scripts and configuration files as it is."""

    way: str
    """"sudo": every agent has a login of the host; "key": one login for all, a key for each."""
    desk: Path
    account: str
    group: str
    program: Path
    """The Python that CrisisDesk is installed for."""
    settings: Path = SETTINGS
    launchers: Path = LAUNCHERS
    snippet: Path = SSHD_SNIPPET
    sudoers: Path = SUDOERS
    admin_command: Path = ADMIN_COMMAND
    admins: str = ""
    """Group of those who keep the host; they may sign in as before. Empty: nobody is shut out."""
    addresses: str = ""
    """Networks of the agents, separated by commas."""
    openssh: tuple[int, int] | None = None
    agents: tuple[Newcomer, ...] = ()

    @property
    def config(self) -> Path:
        """The configuration file that the launchers name."""
        return self.settings / "config.toml"

    @property
    def sign_in(self) -> Path:
        """What sshd starts."""
        return self.launchers / "sign-in"

    @property
    def launcher(self) -> Path:
        """What sudo starts as the desk's account."""
        return self.launchers / "desk"


def add_plan_options(parser: ArgumentParser) -> None:
    """The options that say what the set-up is like; the same for `ssh-setup` and for `check --ssh`."""
    add = parser.add_argument
    add("--way", choices=["sudo", "key"], help=_("sudo: a login for each agent; key: one login, a key for each agent"))
    add("--account", metavar=_("ACCOUNT"), default="crisisdesk", help=_("the account that owns the desk"))
    add("--group", metavar=_("GROUP"), default="desk", help=_("the group of the agents' logins (way sudo)"))
    add("--program", metavar=_("FILE"), type=Path, help=_("the Python that CrisisDesk is installed for"))
    add("--settings", metavar=_("FOLDER"), type=Path, default=SETTINGS, help=_("folder of settings and keys"))
    add("--launchers", metavar=_("FOLDER"), type=Path, default=LAUNCHERS, help=_("folder of the launchers"))


def make_plan(arguments: Namespace, settings: Settings, agents: tuple[Newcomer, ...] = ()) -> Plan:
    """The plan that the options, and else the settings of this host, describe.

    Raises:
        RuleBroken: a name or a path that cannot stand in a script as it is, or an address that is none.
    """
    named = getattr(arguments, "desk", None)
    plan = Plan(
        way=arguments.way or settings.identity or "sudo",
        desk=(named or settings.desk or DESK).absolute(),
        account=arguments.account,
        group=arguments.group,
        program=(arguments.program or Path(sys.executable)).absolute(),
        settings=arguments.settings.absolute(),
        launchers=arguments.launchers.absolute(),
        admins=getattr(arguments, "admins", ""),
        addresses=getattr(arguments, "addresses", ""),
        openssh=openssh_version(),
        agents=agents,
    )
    for name in (plan.account, plan.group, *([plan.admins] if plan.admins else [])):
        _check(ACCOUNT, name, _("'{word}' cannot be an account or a group: letters, digits, '_', '.', '@', '-'."))
    if "root" in (plan.account, plan.group):
        raise RuleBroken(_("Neither the desk's account nor the group of the agents may be root's."))
    if plan.way == "sudo" and (taken := {"root", plan.account} & {one.login for one in agents}):
        words = _("'{login}' cannot be an agent's login: it is the account of the desk, or of the host.")
        raise RuleBroken(words.format(login=min(taken)))
    for path in (plan.desk, plan.program, plan.settings, plan.launchers):
        _check(PLAIN_PATH, str(path), _("'{word}' cannot be used here: a path of letters, digits and . _ @ + - only."))
    for address in filter(None, plan.addresses.split(",")):
        try:
            ip_network(address)
        except ValueError:
            words = _("'{word}' is no network. Give for example --addresses 10.20.0.0/16")
            raise RuleBroken(words.format(word=address)) from None
    return plan


def _check(shape: re.Pattern[str], word: str, words: str) -> None:
    if not shape.match(word):
        raise RuleBroken(words.format(word=word))


def openssh_version() -> tuple[int, int] | None:
    """Major and minor number of this host's sshd (else of its ssh); None where there is none, or none that tells."""
    for program in ("/usr/sbin/sshd", "sshd", "ssh"):
        try:
            told = subprocess.run([program, "-V"], capture_output=True, text=True, timeout=10, check=False)
        except OSError:
            continue
        if found := re.search(r"OpenSSH_(\d+)\.(\d+)", told.stderr + told.stdout):
            return int(found[1]), int(found[2])
    return None


# ---------------------------------------------------------------- the list of agents
def read_agents(path: Path) -> tuple[Newcomer, ...]:
    """The agents of a file: a line each, LOGIN;NAME;ROLE;KEY, or what `crisisdesk agent list --json` wrote.

    Raises:
        RuleBroken: a line that cannot be used, with its number.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RuleBroken(_("{path} is not UTF-8 text.").format(path=path)) from error
    rows = _listed(text, path) if text.lstrip().startswith("[") else _lines(text)
    agents: dict[str, Newcomer] = {}
    for place, row in rows:
        agent = _newcomer(row, f"{path}:{place}")
        if agent.login in agents:
            words = _("{place}: '{login}' stands there twice.")
            raise RuleBroken(words.format(place=f"{path}:{place}", login=agent.login))
        agents[agent.login] = agent
    return tuple(agents.values())


def _lines(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            cells = next(csv.reader([line], delimiter=";"))
            yield number, dict(zip(("login", "name", "role", "key"), (cell.strip() for cell in cells), strict=False))


def _listed(text: str, path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        rows = json.loads(text)
        yield from ((number, row) for number, row in enumerate(rows, 1) if row.get("is_active", True))
    except (ValueError, AttributeError) as error:
        raise RuleBroken(_("{path} is no list of agents: {why}").format(path=path, why=error)) from error


def _newcomer(row: Mapping[str, str], place: str) -> Newcomer:
    login, key = row.get("login", ""), row.get("key", "")
    if not ACCOUNT.match(login):
        words = _("{place}: '{login}' cannot be a login of the host: letters, digits, '_', '.', '@', '-'; 32 at most.")
        raise RuleBroken(words.format(place=place, login=login))
    if key and not KEY.match(key):
        words = _("{place}: that is no public SSH key. It begins with for example 'ssh-ed25519 AAAA'.")
        raise RuleBroken(words.format(place=place))
    role = row.get("role") or "agent"
    if role not in list(Role):
        words = _("{place}: '{role}' is no role. Write one of: {known}")
        raise RuleBroken(words.format(place=place, role=role, known=", ".join(Role)))
    bare = KEY.match(key)
    return Newcomer(login, row.get("name") or login, Role(role), f"{bare[1]} {bare[2]}" if bare else "")
