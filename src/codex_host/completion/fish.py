"""The completion script for fish."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from codex_host.completion.table import (
    COMMANDS,
    DIRECTORIES,
    FEATURES,
    FILES,
    FOREIGN_PLUGINS,
    PLUGINS,
    PROFILES,
    Choice,
    Place,
    Table,
)

_SCRIPT = r"""# Completion of codex for fish; made by: codex completion fish

# Print the sub-commands, and the number of other words behind them, of the command line up to the cursor.
function __codex_place
    set -l words (commandline -opc)
    set -l at codex
    set -l found 0
    set -l wanted 0
    for word in $words[2..]
        if test $wanted = 1
            set wanted 0
        else if test "$word" = --
            set found 99
        else if contains -- "$word" (__codex_valued "$at")
            set wanted 1
        else if string match -q -- '-*' "$word"
        else if test $found = 0; and contains -- "$word" (__codex_commands "$at")
            set at "$at $word"
        else
            set found (math $found + 1)
        end
    end
    echo "$at"
    echo $found
end

# Test whether the cursor is behind some sub-commands, and if a number is given, that many other words.
function __codex_at
    set -l place (__codex_place)
    test "$place[1]" = "$argv[1]"; and begin
        test -z "$argv[2]"; or test $place[2] = "$argv[2]"
    end
end

# Test whether an argument of some sub-commands is completed that may be given again and again, from a number on.
function __codex_from
    set -l place (__codex_place)
    test "$place[1]" = "$argv[1]"; and test $place[2] -ge $argv[2]
end

function __codex_profiles
    set -l home $CODEX_HOME
    test -n "$home"; or set home $HOME/.codex
    begin
        sed -n -e 's/^\[profiles\.\([A-Za-z0-9_-]*\)[].].*/\1/p' \
            -e 's/^\[profiles\."\([A-Za-z0-9_. -]*\)"[].].*/\1/p' "$home/config.toml"
        ls "$home" | sed -n 's/^\([A-Za-z0-9_. -]*\)\.config\.toml$/\1/p'
    end 2>/dev/null | sort -u
end

function __codex_named
    switch "$argv[1]"
@NAMED@
    end
end

function __codex_commands
    switch "$argv[1]"
@COMMANDS@
    end
end

function __codex_valued
    switch "$argv[1]"
@VALUED@
    end
end

complete -c codex -f
@LINES@
"""


def script(table: Table) -> str:
    """Return the script."""
    places = table.places
    named = [
        f"        case {_quote(kind)}\n            printf '%s\\n' {' '.join(map(_quote, words))}"
        for kind, words in table.named.items()
        if words
    ]
    commands = [_case(place, [name for name, _ in place.commands]) for place in places if place.commands]
    valued = [
        _case(place, [name for option in place.options if option.valued for name in option.names]) for place in places
    ]
    lines = "\n".join(line for place in places for line in _lines(place))
    text = _SCRIPT.replace("@COMMANDS@", "\n".join(commands)).replace("@VALUED@", "\n".join(valued))
    return text.replace("@NAMED@", "\n".join(named)).replace("@LINES@", lines)


def _case(place: Place, words: Sequence[str]) -> str:
    shown = " ".join(map(_quote, words))
    return f"        case {_quote(_path(place))}\n            printf '%s\\n' {shown}"


def _lines(place: Place) -> Iterator[str]:
    path = _quote(_path(place))
    for name, text in place.commands:
        yield f"complete -c codex -n {_quote(f'__codex_at {path} 0')} -a {_quote(name)} -d {_quote(text)}"
    for option in place.options:
        yield f"complete -c codex -n {_quote(f'__codex_at {path}')} {_option(option)}"
    for number, values in enumerate(place.arguments):
        if place.trailing and number + 1 == place.trailing:
            condition = _quote(f"__codex_from {path} {number}")
            yield f"complete -c codex -n {condition} -a '(__fish_complete_subcommand)' -F"
            break
        test = "__codex_from" if number + 1 == len(place.arguments) else "__codex_at"
        if values:
            yield f"complete -c codex -n {_quote(f'{test} {path} {number}')} {_values(values)}"


def _option(option: Choice) -> str:
    names = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names]
    value = f" -r {_values(option.values) if option.values else '-f'}" if option.valued else ""
    return f"{' '.join(names)}{value} -d {_quote(option.help)}"


def _values(values: Sequence[str]) -> str:
    if values[0] in (FEATURES, PLUGINS, FOREIGN_PLUGINS):
        return f"-f -a {_quote(f'(__codex_named {_quote(values[0])})')}"
    kinds = {
        FILES: "-F",
        DIRECTORIES: "-a '(__fish_complete_directories)' -f",
        PROFILES: "-a '(__codex_profiles)' -f",
        COMMANDS: "-a '(__fish_complete_command)' -f",
    }
    return kinds.get(values[0]) or f"-f -a {_quote(' '.join(values))}"


def _path(place: Place) -> str:
    return " ".join(("codex", *place.path))


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
