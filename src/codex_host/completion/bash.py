"""The completion script for bash; it needs no other package."""

from __future__ import annotations

from collections.abc import Iterable
from shlex import quote

from codex_host.completion.table import COMMANDS, PROFILES_OF_HOME, Place, Table

_SCRIPT = r"""# Completion of codex for bash; made by: codex completion bash

# Set the variables of the place behind some sub-commands: commands, options, valued, arguments, trailing.
_codex_place() {
    trailing=0 commands= options= valued= arguments=()
    case "$1" in
@PLACES@
    *) return 1 ;;
    esac
}

# Print the values of an option.
_codex_values() {
    case "$1" in
@VALUES@
    esac
}

_codex_profiles() {
    local home=${CODEX_HOME:-$HOME/.codex}
@PROFILES@
}

_codex_reply() {
    local IFS=$'\n' word
    case "$1" in
    '<files>') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$2")) ;;
    '<directories>') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$2")) ;;
    '<commands>') COMPREPLY=($(compgen -c -- "$2")) ;;
    '<profiles>')
        word=$(_codex_profiles)
        COMPREPLY=($(compgen -W "$word" -- "$2"))
        [[ ${#COMPREPLY[@]} -gt 0 ]] && COMPREPLY=($(printf '%q\n' "${COMPREPLY[@]}")) ;;
@NAMED@
    *) IFS=$' \n'; COMPREPLY=($(compgen -W "$1" -- "$2")) ;;
    esac
}

_codex() {
    local commands options valued arguments trailing path= found=0 ended= word before= value=
    local -i index
    local -a words=()
    COMPREPLY=()
    # An option and its value may be one word (--color=always), which bash splits.
    for ((index = 1; index <= COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        if [[ $word == '=' && $before == --* ]]; then
            value=joined
        else
            words+=("$word")
            value=
        fi
        before=$word
    done
    local current=${COMP_WORDS[COMP_CWORD]}
    if [[ $value == joined ]]; then
        current=
    else
        unset 'words[${#words[@]}-1]'
    fi
    _codex_place ''
    local wanted=
    for word in "${words[@]}"; do
        if [[ -n $wanted ]]; then
            wanted=
        elif [[ -n $ended ]]; then
            found=$((found + 1))
        elif [[ $word == -- ]]; then
            ended=1
        elif [[ " $valued " == *" $word "* ]]; then
            wanted=$word
        elif [[ $word == -* ]]; then
            :
        elif [[ $found == 0 && " $commands " == *" $word "* ]]; then
            path="$path $word"
            _codex_place "$path"
        else
            found=$((found + 1))
            [[ $trailing != 0 && $found -ge $trailing ]] && ended=1
        fi
    done
    if [[ -n $wanted ]]; then
        _codex_reply "$(_codex_values "$path $wanted")" "$current"
        return
    fi
    if [[ -z $ended && $current == -* ]]; then
        _codex_reply "$options" "$current"
        return
    fi
    if [[ $trailing != 0 && $found -ge $trailing ]]; then
        _codex_reply '<files>' "$current"
        return
    fi
    local -a all=()
    if [[ $found == 0 && -z $ended && -n $commands ]]; then
        _codex_reply "$commands" "$current"
        all=("${COMPREPLY[@]}")
    fi
    if [[ ${#arguments[@]} -gt 0 ]]; then
        [[ $found -ge ${#arguments[@]} ]] && found=$((${#arguments[@]} - 1))
        [[ -n ${arguments[found]} ]] && _codex_reply "${arguments[found]}" "$current" && all+=("${COMPREPLY[@]}")
    fi
    COMPREPLY=("${all[@]}")
}

complete -F _codex codex
"""


def script(table: Table) -> str:
    """Return the script."""
    shown = "\n".join(map(_place, table.places))
    values = "\n".join(line for place in table.places for line in _values(place))
    named = "\n".join(f'    {quote(kind)}) _codex_reply {_words(words)} "$2" ;;' for kind, words in table.named.items())
    return (
        _SCRIPT.replace("@PROFILES@", PROFILES_OF_HOME)
        .replace("@PLACES@", shown)
        .replace("@VALUES@", values)
        .replace("@NAMED@", named)
    )


def _place(place: Place) -> str:
    path = "".join(f" {word}" for word in place.path)
    arguments = list(place.arguments)
    if place.trailing:
        arguments[place.trailing - 1 :] = [(COMMANDS,)]
    facts = {
        "commands": _words(name for name, _ in place.commands),
        "options": _words(name for option in place.options for name in option.names),
        "valued": _words(name for option in place.options if option.valued for name in option.names),
        "arguments": f"({' '.join(_words(values) for values in arguments)})",
        "trailing": str(place.trailing),
    }
    return f"    {quote(path)}) " + " ".join(f"{name}={value}" for name, value in facts.items()) + " ;;"


def _values(place: Place) -> list[str]:
    path = "".join(f" {word}" for word in place.path)
    return [
        f"    {'|'.join(quote(f'{path} {name}') for name in option.names)}) echo {_words(option.values)} ;;"
        for option in place.options
        if option.values
    ]


def _words(words: Iterable[str]) -> str:
    return quote(" ".join(words))
