"""The files that let agents in over SSH, each line with its reason as a comment. Nothing here touches the host."""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from crisisdesk.cli.sshplan import PENALTIES_SINCE, Plan
from crisisdesk.i18n import _

RESET = r"\033[?1049l\033[?25h\033[?1000l\033[?1003l\033[?1006l\033[?2004l\033[?1004l\033[0m"
"""Out of the alternate screen, cursor on, no mouse, no bracketed paste, no focus reports; for printf."""
KEPT = ("LANG", "SSH_CONNECTION", "TERM")
"""What reaches the desk from the agent's side: the language of the first sentences, the address that sshd saw, the
kind of terminal."""
Reasoned = tuple[str, str]


@dataclass(frozen=True)
class SetupFile:
    """One file: where it goes on the host (root's, with this mode), what is in it, and what it is for."""

    path: Path
    mode: int
    content: str
    why: str


def setup_files(plan: Plan) -> list[SetupFile]:
    """Every file of a set-up, in the order in which a person reads them."""
    files = [SetupFile(plan.snippet, 0o644, sshd_snippet(plan), _("what sshd allows the agents"))]
    if plan.way == "sudo":
        files.append(SetupFile(plan.sudoers, 0o440, sudoers(plan), _("the one command that agents may run by sudo")))
        files.append(SetupFile(plan.launcher, 0o755, launcher(plan), _("what sudo starts: the desk, as its account")))
    return [
        *files,
        SetupFile(plan.sign_in, 0o755, sign_in(plan), _("what sshd starts for an agent, whatever the agent asks for")),
        SetupFile(plan.config, 0o644, config(plan), _("which desk, and who says who is at it")),
        SetupFile(plan.admin_command, 0o755, admin_command(plan), _("every command of CrisisDesk, for root")),
        *key_files(plan),
    ]


def reasoned(lines: Iterable[Reasoned], indent: str = "") -> str:
    """Lines of a configuration file, each under its reason; without a line, a comment alone."""
    blocks: list[str] = []
    for line, reason in lines:
        blocks += [f"{indent}# {reason}"] if reason else []
        blocks += [f"{indent}{line}"] if line else []
    return "\n".join(blocks) + "\n"


# ---------------------------------------------------------------- sshd
def sshd_snippet(plan: Plan) -> str:
    """What goes into sshd's configuration: what concerns everybody first, then the agents alone."""
    whom = f"Match Group {plan.group}" if plan.way == "sudo" else f"Match User {plan.account}"
    return (
        reasoned(_for_everybody(plan))
        + f"\n{whom}\n"
        + reasoned(_for_agents(plan), "    ")
        + "\n"
        + reasoned([("Match all", _("what follows in other files is for everybody again"))])
    )


def _for_everybody(plan: Plan) -> Iterable[Reasoned]:
    yield "PermitUserEnvironment no", _("no variables from the agents' folders (LD_PRELOAD would run code)")
    yield "MaxStartups 300:30:400", _("150 agents come back at once after an outage; the default drops half of them")
    yield "Compression yes", _("a key takes a tenth of the bytes; the client must ask for it too")
    if plan.openssh is None or plan.openssh >= PENALTIES_SINCE:
        why = _("OpenSSH 9.8 and later: one agent's wrong passwords would shut out everybody behind the same address")
        yield f"{'' if plan.addresses else '#'}PerSourcePenaltyExemptList {plan.addresses or '10.0.0.0/8'}", why
    groups = f"AllowGroups {plan.group if plan.way == 'sudo' else plan.account} {plan.admins or 'sudo'}"
    why = _("only agents and those who keep the host sign in. Too narrow a list shuts you out: --admins GROUP")
    yield f"{'' if plan.admins else '#'}{groups}", why


def _for_agents(plan: Plan) -> Iterable[Reasoned]:
    if plan.way == "sudo":
        yield f"ForceCommand {plan.sign_in}", _("this is started for a shell, a command, sftp and scp alike")
    else:
        yield "", _("no ForceCommand: it would replace the command= of the keys, which says who comes")
        yield "PasswordAuthentication no", _("only a key says who comes; a password would open a shell")
        yield "KbdInteractiveAuthentication no", ""
        yield "AuthenticationMethods publickey", ""
    keys = f"{plan.settings}/keys/%u"
    yield f"AuthorizedKeysFile {keys}", _("keys are root's: an agent can add none")
    yield "AuthorizedKeysCommand none", ""
    yield "PermitTTY yes", _("the screens need a terminal")
    yield "PermitUserRC no", _("~/.ssh/rc would be run before the command")
    yield "DisableForwarding yes", _("the desk is no way into the rest of the network")
    yield "X11Forwarding no", _("named again: before OpenSSH 10.0 the line above forgot X11 and agents")
    yield "AllowAgentForwarding no", ""
    yield "AllowTcpForwarding no", ""
    yield "AllowStreamLocalForwarding no", ""
    yield "PermitTunnel no", ""
    yield "MaxSessions 1", _("one desk a connection: no second one through a shared connection")
    yield "AcceptEnv LANG", _("nothing but the language; TERM comes with the terminal")
    # Each probe may take two intervals (OpenSSH 9.2 was seen to let 15 s and 3 take 108 s): this ends it in 25 to 50 s.
    yield "ClientAliveInterval 5", _("a line that is dead is noticed, and its session ended, within a minute")
    yield "ClientAliveCountMax 4", ""
    yield "LogLevel VERBOSE", _("the log names the key of each sign-in")


# ---------------------------------------------------------------- sudo
def sudoers(plan: Plan) -> str:
    """The sudoers file of way "sudo"."""
    command = "CRISISDESK_" + re.sub("[^A-Z0-9]", "_", plan.account.upper())  # two desks may share a host
    defaults = f"Defaults!{command}"
    return reasoned(
        [
            (f'Cmnd_Alias {command} = {plan.launcher} ""', _('exactly this file; "" means: without any argument')),
            (f"{defaults} env_reset, !setenv", _("the agent's variables stay behind")),
            (f'{defaults} !env_keep, env_check = "{" ".join(KEPT)}"', _("but these, if they hold no '/' and no '%'")),
            (f"{defaults} use_pty", _("a terminal of its own: nothing can be typed into the agent's from inside")),
            (f"{defaults} umask = 0077, umask_override", _("files are for the desk's account alone")),
            (f'{defaults} secure_path = "/usr/sbin:/usr/bin:/sbin:/bin"', _("programs of the system only")),
            (f"%{plan.group} ALL = ({plan.account}) NOPASSWD: {command}", _("sshd has asked who it is already")),
        ]
    )


# ---------------------------------------------------------------- launchers
def sign_in(plan: Plan) -> str:
    """The script that sshd starts: a terminal or nothing; afterwards the terminal is as it was."""
    if plan.way == "sudo":
        start = f"sudo -n -u {plan.account} -- {plan.launcher}"
        why = _("to the account that owns the desk; sudo tells it which login comes")
        arguments = ""
    else:
        start = f'{plan.program} -I -m crisisdesk "$@"'
        why = _("-I: no PYTHON variables, no modules of the account; the arguments are those of the key's line")
        arguments = _locale(plan)
    refusal = _("CrisisDesk takes no commands over SSH. Connect with a terminal, without a command: ssh -t LOGIN@HOST")
    return (
        "#!/bin/sh\n"
        + reasoned(
            [
                ("PATH=/usr/sbin:/usr/bin:/sbin:/bin", _("programs of the system only")),
                ("export PATH", ""),
                ("unset ENV SSH_AUTH_SOCK DISPLAY", ""),
                (
                    "if [ ! -t 0 ] || [ ! -t 2 ]; then",
                    _("without a terminal nothing is shown, and nothing run"),
                ),
                (f"    printf '%s\\n' {shlex.quote(refusal)} >&2", ""),
                ("    exit 2", ""),
                ("fi", ""),
            ]
        )
        + arguments
        + reasoned(
            [
                ("saved=$(stty -g)", _("how the terminal is now")),
                ("trap : INT QUIT TSTP", _("a key pressed too early ends what it hits, not this script")),
                (start, why),
                ("code=$?", _("not exec: this script outlives it, also when it is killed, and mends the terminal")),
                ('stty "$saved"', ""),
                (f"[ $code -lt 128 ] || printf '{RESET}\\n'", _("ended by a signal: screen, cursor, mouse, paste")),
                ("exit $code", ""),
            ]
        )
    )


def launcher(plan: Plan) -> str:
    """The script that sudo starts as the desk's account."""
    start = f"exec {plan.program} -I -m crisisdesk"
    why = _("-I: no PYTHON variables, no modules of the account or of the folder it stands in")
    return "#!/bin/sh\n" + _locale(plan) + reasoned([(start, why)])


def _locale(plan: Plan) -> str:
    return reasoned(
        [
            ("unset LC_ALL", _("the screens are UTF-8, whatever the client says")),
            ("LC_CTYPE=C.UTF-8", ""),
            (f"CRISISDESK_CONFIG={plan.config}", _("the settings of this host, and no others")),
            ("export LC_CTYPE CRISISDESK_CONFIG", ""),
            (f"cd {plan.desk.parent} || exit 3", _("files that are written without a folder land with the desk")),
        ]
    )


def admin_command(plan: Plan) -> str:
    """The script with which root runs any command as the desk's account, in the name of an agent."""
    refusal = _("Only root acts for the desk's account: sudo crisisdesk-admin ...")
    start = (
        f"exec sudo -n -u {plan.account} -- /usr/bin/env -u LC_ALL LC_CTYPE=C.UTF-8 CRISISDESK_CONFIG={plan.config} "
        f'{plan.program} -I -m crisisdesk "$@"'
    )
    return "#!/bin/sh\n" + reasoned(
        [
            ("PATH=/usr/sbin:/usr/bin:/sbin:/bin", _("programs of the system only")),
            ("export PATH", ""),
            ('[ "$(id -u)" = 0 ] || {', _("root names the agent: crisisdesk-admin --agent LOGIN COMMAND")),
            (f"    printf '%s\\n' {shlex.quote(refusal)} >&2", ""),
            ("    exit 2", ""),
            ("}", ""),
            (start, _("the files stay the account's own; root never opens the desk")),
        ]
    )


# ---------------------------------------------------------------- settings, keys, clients
def config(plan: Plan) -> str:
    """The configuration file."""
    return reasoned(
        [
            (f'identity = "{plan.way}"', _("who says who is at the desk; the environment cannot change it")),
            (f'desk = "{plan.desk}"', _("the desk's file, in a folder that only its account can enter")),
            (f'log = "{plan.desk.parent}/defects.log"', _("where a defect of the program is told, without data")),
        ]
    )


def key_files(plan: Plan) -> list[SetupFile]:
    """The key files, root's own: one an agent in way "sudo", one for all in way "key"."""
    folder = plan.settings / "keys"
    if plan.way == "sudo":
        why = _("the keys of one agent")
        return [SetupFile(folder / one.login, 0o644, f"{one.key} {one.login}\n", why) for one in plan.agents if one.key]
    reason = _("restrict: nothing but what is named here, now and in later versions; --agent says who comes")
    lines = [
        f'restrict,pty,command="{plan.sign_in} --agent {one.login}" {one.key} {one.login}'
        for one in plan.agents
        if one.key
    ]
    content = f"# {reason}\n" + "".join(f"{line}\n" for line in lines)
    return [SetupFile(folder / plan.account, 0o644, content, _("who comes with which key"))]


def client_snippet(plan: Plan) -> str:
    """What goes into ~/.ssh/config, or /etc/ssh/ssh_config, of the agents' machines."""
    login = [] if plan.way == "sudo" else [(f"    User {plan.account}", _("one login for all: the key says who comes"))]
    return reasoned(
        [
            ("Host desk", ""),
            ("    HostName 192.0.2.10", _("the address of this host: names may not work tonight")),
            *login,
            ("    Compression yes", _("a key takes a tenth of the bytes on a slow line")),
            ("    RequestTTY yes", _("the screens need a terminal")),
            ("    ServerAliveInterval 15", _("a line that is dead is noticed after 45 s")),
            ("    ServerAliveCountMax 3", ""),
        ]
    )
