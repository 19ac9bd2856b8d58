"""The completion script for zsh."""

from __future__ import annotations

from collections.abc import Iterable
from shlex import quote

from codex_host.completion.table import COMMANDS, PROFILES_OF_HOME, Place, Table

_SCRIPT = r"""#compdef codex
# Completion of codex for zsh; made by: codex completion zsh

# Set the variables of the place behind some sub-commands: commands, options, valued, arguments, trailing.
_codex_place() {
    trailing=0 commands=() options=() valued=() arguments=()
    case "$1" in
@PLACES@
    *) return 1 ;;
    esac
}

# Set reply to the values of an option.
_codex_values() {
    reply=
    case "$1" in
@VALUES@
    esac
}

_codex_reply() {
    case "$1" in
    '<files>') _files ;;
    '<directories>') _files -/ ;;
    '<commands>') _command_names -e ;;
    '<profiles>')
        local -a names
        local home=${CODEX_HOME:-$HOME/.codex}
        names=(${(f)"$(
@PROFILES@
        )"})
        compadd -- $names ;;
@NAMED@
    '') return 1 ;;
    *) compadd -- ${=1} ;;
    esac
}

_codex() {
    local trailing found=0 ended= word at= wanted= reply=
    local -a commands options valued arguments
    _codex_place ''
    for word in "${(@)words[2,CURRENT-1]}"; do
        if [[ -n $wanted ]]; then
            wanted=
        elif [[ -n $ended ]]; then
            found=$((found + 1))
        elif [[ $word == -- ]]; then
            ended=1
        elif (( ${valued[(Ie)$word]} )); then
            wanted=$word
        elif [[ $word == -* ]]; then
            :
        elif (( found == 0 )) && [[ -n ${(M)commands:#$word:*} ]]; then
            at="$at $word"
            _codex_place "$at"
        else
            found=$((found + 1))
            (( trailing && found >= trailing )) && ended=1
        fi
    done
    local current=${words[CURRENT]}
    if [[ -n $wanted ]]; then
        _codex_values "$at $wanted"
        _codex_reply "$reply"
        return
    fi
    if [[ -z $ended && $current == --*=* ]]; then
        _codex_values "$at ${current%%=*}"
        compset -P '*='
        _codex_reply "$reply"
        return
    fi
    if [[ -z $ended && $current == -* ]]; then
        _describe -o option options
        return
    fi
    if (( trailing && found >= trailing )); then
        _files
        return
    fi
    local result=1
    if (( found == 0 )) && [[ -z $ended ]] && (( $#commands )); then
        _describe command commands && result=0
    fi
    if (( $#arguments )); then
        (( found >= $#arguments )) && found=$(($#arguments - 1))
        _codex_reply "${arguments[found+1]}" && result=0
    fi
    return result
}

if [[ ${funcstack[1]} == _codex ]]; then
    _codex "$@"
else
    compdef _codex codex
fi
"""


def script(table: Table) -> str:
    """Return the script."""
    shown = "\n".join(map(_place, table.places))
    values = "\n".join(line for place in table.places for line in _values(place))
    named = "\n".join(
        f"    {quote(kind)}) compadd -- {' '.join(map(quote, words))} ;;" for kind, words in table.named.items()
    )
    return (
        _SCRIPT.replace("@PROFILES@", PROFILES_OF_HOME)
        .replace("@PLACES@", shown)
        .replace("@VALUES@", values)
        .replace("@NAMED@", named)
    )


def _place(place: Place) -> str:
    path = "".join(f" {word}" for word in place.path)
    arguments = [" ".join(values) for values in place.arguments]
    if place.trailing:
        arguments[place.trailing - 1 :] = [COMMANDS]
    facts = {
        "commands": _described(place.commands),
        "options": _described((name, option.help) for option in place.options for name in option.names),
        "valued": _list(name for option in place.options if option.valued for name in option.names),
        "arguments": _list(arguments),
        "trailing": str(place.trailing),
    }
    return f"    {quote(path)}) " + " ".join(f"{name}={value}" for name, value in facts.items()) + " ;;"


def _values(place: Place) -> list[str]:
    path = "".join(f" {word}" for word in place.path)
    return [
        f"    {'|'.join(quote(f'{path} {name}') for name in option.names)}) reply={quote(' '.join(option.values))} ;;"
        for option in place.options
        if option.values
    ]


def _described(rows: Iterable[tuple[str, str]]) -> str:
    """Return a list for ``_describe``, where a colon separates name and description."""
    return _list(f"{name}:{text}" for name, text in rows)


def _list(words: Iterable[str]) -> str:
    return f"({' '.join(map(quote, words))})"
