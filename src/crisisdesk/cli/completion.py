"""`crisisdesk completion`: prints the completion script of a shell, written from the parser itself."""

from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Iterator

from crisisdesk.cli.context import Context
from crisisdesk.cli.parser import Subparsers
from crisisdesk.i18n import _

BASH = """\
# bash completion of crisisdesk: crisisdesk completion bash > ~/.local/share/bash-completion/completions/crisisdesk
_crisisdesk() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" path="" at
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "${{COMP_WORDS[at]}}" in -*) ;; *) case " $(_crisisdesk_words "$path") " in
      *" ${{COMP_WORDS[at]}} "*) path="${{path:+$path }}${{COMP_WORDS[at]}}" ;; esac ;; esac
  done
  COMPREPLY=($(compgen -W "$(_crisisdesk_words "$path")" -- "$word"))
  [ ${{#COMPREPLY[@]}} -gt 0 ] || compopt -o default
}}
_crisisdesk_words() {{
  case "$1" in
{cases}
  esac
}}
complete -F _crisisdesk crisisdesk
"""
ZSH = "#compdef crisisdesk\nautoload -U +X bashcompinit && bashcompinit\n"


def add_parser(subparsers: Subparsers) -> None:
    """Add `completion`."""
    parser = subparsers.add_parser("completion", help=_("print the completion script of a shell"))
    parser.add_argument("shell", choices=["bash", "zsh"])
    parser.set_defaults(run=completion)


def completion(arguments: Namespace, context: Context) -> int:
    """Print the script: every command and option, as they are now."""
    from crisisdesk.cli.main import make_parser

    cases = "\n".join(f'    "{path}") echo "{" ".join(words)}" ;;' for path, words in _words(make_parser(), ""))
    context.out.write((ZSH if arguments.shell == "zsh" else "") + BASH.format(cases=cases))
    return 0


def _words(parser: ArgumentParser, path: str) -> Iterator[tuple[str, list[str]]]:
    """What may follow each chain of commands: the commands below it, the choices and the options."""
    words: list[str] = []
    below: list[tuple[str, ArgumentParser]] = []
    for action in parser._actions:  # argparse shows its actions nowhere else
        words += [option for option in action.option_strings if option.startswith("--")]
        if isinstance(action, _SubParsersAction):
            below += action.choices.items()
        if action.choices and not action.option_strings:
            words += [str(choice) for choice in action.choices]
    yield path, words
    for name, child in below:
        yield from _words(child, f"{path} {name}".strip())
