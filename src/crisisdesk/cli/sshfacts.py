"""What sshd, sudo and the file system say about a set-up, in the words of neither: findings for `check --ssh`."""

import grp
import os
import pwd
import stat
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crisisdesk.cli import guard
from crisisdesk.cli.sshplan import PENALTIES_SINCE, Plan
from crisisdesk.config import Settings
from crisisdesk.i18n import _

OK, WRONG, UNKNOWN = "ok", "wrong", "unknown"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `OK`, `WRONG` or `UNKNOWN`, what was found, and what to do about it."""

    what: str
    state: str
    found: str = ""
    todo: str = ""


def told_by(command: Sequence[str]) -> tuple[int | None, str]:
    """Exit code and words of a program of the host; None and the reason where it cannot be run."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    environment = {**os.environ, "PATH": path, "LC_ALL": "C"}
    try:
        ran = subprocess.run(
            command, capture_output=True, text=True, errors="replace", env=environment, timeout=20, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, str(error)
    return ran.returncode, ran.stdout + ran.stderr


# ---------------------------------------------------------------- sshd
def wanted_of_sshd(plan: Plan) -> Mapping[str, frozenset[str]]:
    """Keyword of `sshd -T` -> the values that are in order."""
    command = str(plan.sign_in) if plan.way == "sudo" else "none"
    wanted = {
        "forcecommand": {command}, "authorizedkeyscommand": {"none"},
        "authorizedkeysfile": {f"{plan.settings}/keys/%u"},
        "permituserrc": {"no"}, "permituserenvironment": {"no"}, "disableforwarding": {"yes"}, "x11forwarding": {"no"},
        "allowagentforwarding": {"no"}, "allowtcpforwarding": {"no"}, "allowstreamlocalforwarding": {"no"},
        "permittunnel": {"no"}, "permittty": {"yes"}, "maxsessions": {"1"}, "maxstartups": {"300:30:400"},
        "loglevel": {"VERBOSE"}, "clientaliveinterval": {"5"}, "clientalivecountmax": {"4"},
        "compression": {"yes", "delayed"}, "acceptenv": {"LANG", ""}, "strictmodes": {"yes"},
    }  # fmt: skip
    if plan.way == "key":
        wanted |= {"authenticationmethods": {"publickey"}, "passwordauthentication": {"no"}}
    return {name: frozenset(values) for name, values in wanted.items()}


def of_sshd(plan: Plan, login: str, file: Path | None) -> Iterator[Finding]:
    """What sshd would do for an agent's login.

    Args:
        file: its configuration file; None: the host's.
    """
    named = ["-f", str(file)] if file else []
    code, told = told_by(["sshd", "-T", *named, "-C", f"user={login},host=localhost,addr=127.0.0.1"])
    if code != 0:
        yield Finding(
            "sshd -T", UNKNOWN if code is None else WRONG, told.strip()[:200], _("mend what sshd complains about")
        )
        return
    found: dict[str, list[str]] = {}
    for line in told.splitlines():
        name, _blank, value = line.partition(" ")
        found.setdefault(name.lower(), []).append(value.strip())
    for name, values in wanted_of_sshd(plan).items():
        is_in_order = all(one.split() == [] or one in values for one in found.get(name, [""]))
        shown = " ".join(found.get(name, [""]))
        todo = _("{file} must say: {line}. Is it there, and read before other files?")
        line = f"{name} {min(values, key=len) or max(values)}"
        yield (
            Finding(f"sshd {name}", OK, shown)
            if is_in_order and (shown or "" in values)
            else Finding(f"sshd {name}", WRONG, shown, todo.format(file=plan.snippet, line=line))
        )
    yield from _penalties(plan, found)


def _penalties(plan: Plan, found: Mapping[str, list[str]]) -> Iterator[Finding]:
    if plan.openssh is None:
        yield Finding("OpenSSH", UNKNOWN, "", _("install openssh-server"))
        return
    version = "{}.{}".format(*plan.openssh)
    exempt = " ".join(found.get("persourcepenaltyexemptlist", ["none"]))
    if plan.openssh >= PENALTIES_SINCE and exempt in {"", "none"}:
        todo = _("agents behind one address share its penalties: name their networks in PerSourcePenaltyExemptList")
        yield Finding("OpenSSH", UNKNOWN, version, todo)
    else:
        yield Finding("OpenSSH", OK, version)


# ---------------------------------------------------------------- sudo
def of_sudoers() -> Finding:
    """The sudoers files of the host hold together."""
    code, told = told_by(["visudo", "-c"])
    state = {None: UNKNOWN, 0: OK}.get(code, WRONG)
    return Finding("sudoers", state, (told.strip().splitlines() or [""])[0][:120], "" if state == OK else "visudo -c")


def of_sudo(plan: Plan, login: str) -> Iterator[Finding]:
    """An agent may run the launcher, under the conditions of the set-up, and nothing else."""
    code, told = told_by(["sudo", "-n", "-l", "-U", login])
    rules = [line.strip() for line in told.splitlines() if line.strip().startswith("(")]
    right = f'({plan.account}) NOPASSWD: {plan.launcher} ""'
    if code is None or "may run" not in told:
        todo = _("is {login} in the group {group}, and {file} in place?")
        todo = todo.format(login=login, group=plan.group, file=plan.sudoers)
        yield Finding(f"sudo {login}", WRONG, told.strip()[:120], todo)
        return
    shown = "; ".join(rules)
    todo = "" if rules == [right] else _("an agent may run one thing only: {rule}").format(rule=right)
    yield Finding(f"sudo {login}", WRONG if todo else OK, shown, todo)
    missing = [one for one in ("use_pty", "umask=0077", "umask_override", "env_reset") if one not in told]
    todo = _("{file} must set it for the launcher").format(file=plan.sudoers) if missing else ""
    yield Finding("sudo Defaults", WRONG if missing else OK, ", ".join(missing), todo)


# ---------------------------------------------------------------- files
def of_roots_files(plan: Plan) -> Iterator[Finding]:
    """What decides who comes belongs to root, and nobody else can change it or a folder above it."""
    keys = plan.settings / "keys"
    files = [plan.sign_in, *([plan.launcher] if plan.way == "sudo" else []), plan.config, keys]
    files += sorted(keys.iterdir()) if keys.is_dir() else []
    for file in [*files, plan.program]:
        yield _of_root(file)


def _of_root(file: Path) -> Finding:
    try:
        loose = next((one for one in _with_folders(file) if _is_loose(one)), None)
    except OSError as error:
        return Finding(str(file), WRONG, error.strerror or "", _("put it there: crisisdesk ssh-setup"))
    if loose is None:
        return Finding(str(file), OK)
    found = loose.stat()
    shown = f"{loose}: {_name(found.st_uid)} {stat.S_IMODE(found.st_mode):04o}"
    return Finding(str(file), WRONG, shown, f"chown root {loose} && chmod go-w {loose}")


def _with_folders(file: Path) -> Iterable[Path]:
    real = file.resolve(strict=True)
    return (real, *real.parents, *file.absolute().parents)


def _is_loose(path: Path) -> bool:
    found = path.stat()
    return found.st_uid != 0 or bool(found.st_mode & 0o022)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def of_keys(plan: Plan) -> Iterator[Finding]:
    """Way "key": each line names its agent, and allows nothing but a terminal."""
    file = plan.settings / "keys" / plan.account
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        yield Finding(str(file), WRONG, error.strerror or "", _("put it there: crisisdesk ssh-setup"))
        return
    begin = f'restrict,pty,command="{plan.sign_in} --agent '
    numbers = [
        number for number, line in enumerate(lines, 1) if line.strip() and line[0] != "#" and not line.startswith(begin)
    ]
    todo = _("each line begins with: {words}").format(words=f'{begin}LOGIN" ') if numbers else ""
    shown = _("lines {numbers}").format(numbers=", ".join(map(str, numbers))) if numbers else ""
    yield Finding(f"{file}: command=", WRONG if numbers else OK, shown, todo)


def of_desk(plan: Plan, login: str) -> Iterator[Finding]:
    """The desk is its account's alone. Nothing here opens it."""
    folder = plan.desk.parent
    try:
        account = pwd.getpwnam(plan.account)
    except KeyError:
        yield Finding(plan.account, WRONG, _("no such account"), _("make it: crisisdesk ssh-setup"))
        return
    if not folder.is_dir():
        yield Finding(
            str(folder), WRONG, _("no such folder"), f"install -d -o {plan.account} -g {plan.account} -m 0700 {folder}"
        )
        return
    problem = next(guard.foreign_folder(folder, account.pw_uid), "")
    yield Finding(str(folder), WRONG if problem else OK, "", problem)
    if not plan.desk.exists():
        yield Finding(str(plan.desk), UNKNOWN, _("no such file"), f"{plan.admin_command} init")
        return
    problem = next(guard.open_files(plan.desk), "")
    for suffix in guard.BESIDE:
        file = Path(f"{plan.desk}{suffix}")
        if file.exists() and file.stat().st_uid != account.pw_uid:
            problem = problem or f"chown {plan.account} {file}"
    yield Finding(str(plan.desk), WRONG if problem else OK, "", problem)
    if plan.way == "sudo":
        yield _out_of_reach(plan.desk, login)


def _out_of_reach(path: Path, login: str) -> Finding:
    """The agent's account tries, and must fail."""
    what = _("{login} cannot read {path}").format(login=login, path=path)
    try:
        entry = pwd.getpwnam(login)
        groups = os.getgrouplist(login, entry.pw_gid)
        tried = subprocess.run(
            ["/usr/bin/test", "-r", str(path)], user=entry.pw_uid, group=entry.pw_gid, extra_groups=groups, check=False
        )
    except (KeyError, OSError) as error:
        return Finding(what, UNKNOWN, str(error), _("run this check as root"))
    return Finding(what, OK) if tried.returncode else Finding(what, WRONG, "", _("take the agent out of other groups"))


def of_host(plan: Plan, settings: Settings, logins: Iterable[str]) -> Iterator[Finding]:
    """The settings that the launchers use, the agents' shells, and what others see of a process."""
    state = OK if settings.identity == plan.way else WRONG
    todo = "" if state == OK else _('{file} must say: identity = "{way}"').format(file=plan.config, way=plan.way)
    yield Finding("identity", state, settings.identity, todo)
    todo = _("take allow_root out of {file} and out of the environment").format(file=plan.config)
    yield Finding("allow_root", WRONG, "true", todo) if settings.allow_root else Finding("allow_root", OK, "false")
    for login in logins:
        yield from _of_login(plan, pwd.getpwnam(login))
    hidden = _hidepid()
    todo = "" if hidden else _("advice: mount /proc with hidepid=2, so that agents do not see who else is there")
    yield Finding("hidepid", OK if hidden else UNKNOWN, hidden, todo)


def _of_login(plan: Plan, entry: pwd.struct_passwd) -> Iterator[Finding]:
    """Files of the agent's own that are read before the launcher: they run as the agent, not as the desk's account."""
    login = entry.pw_name
    if Path(entry.pw_shell).name not in {"sh", "dash"}:
        todo = _("bash and others read files of the agent before the launcher: usermod --shell /bin/sh {login}")
        yield Finding(_("shell of {login}").format(login=login), UNKNOWN, entry.pw_shell, todo.format(login=login))
    home = Path(entry.pw_dir)
    if home.is_dir() and home.stat().st_uid != 0:
        what = _("folder of {login}").format(login=login)
        todo = _("advice: files there (.pam_environment) are read first: usermod --home {home} {login}")
        yield Finding(what, UNKNOWN, entry.pw_dir, todo.format(home=plan.settings / "home", login=login))


def _hidepid() -> str:
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    options = next((line.split()[3].split(",") for line in reversed(mounts) if line.split()[1] == "/proc"), [])
    return next((one for one in options if one in {"hidepid=2", "hidepid=invisible"}), "")


def members(group: str) -> list[str]:
    """Logins of a group, also of those whose first group it is; none where there is no such group."""
    try:
        found = grp.getgrnam(group)
    except KeyError:
        return []
    first = [entry.pw_name for entry in pwd.getpwall() if entry.pw_gid == found.gr_gid]
    return sorted({*found.gr_mem, *first})
