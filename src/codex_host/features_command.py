"""``codex features``: list, enable and disable features."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from codex_hookspecs.columns import aligned
from codex_hookspecs.errors import ConfigError
from codex_hookspecs.features import FeatureSwitches, aliases_of, default_of, known_key, rows
from codex_host.app import codex_home
from codex_host.config.edit import edit_file
from codex_host.config.effective import EffectiveConfig

if TYPE_CHECKING:
    from codex_host.options import GlobalOptions

_USAGE = """\
Usage: codex features COMMAND

Commands:
  list              all features, their stage and whether they are on
  enable FEATURE    switch one on in config.toml
  disable FEATURE   switch one off in config.toml
"""


def run_features(options: GlobalOptions) -> int:
    """Run one of the commands and return the exit status.

    :raises ConfigError: for an unknown feature or a configuration that can't be used.
    """
    words = options.rest
    if options.help or words[:1] in (["--help"], ["-h"], ["help"]):
        print(_USAGE, end="")
        return 0
    home = codex_home(os.environ)
    if words in ([], ["list"]):
        config = EffectiveConfig(home, cwd=options.cwd, flags=options.overrides, profile=options.profile)
        print(aligned(list(rows(FeatureSwitches(config.get("features", {}))))))
        return 0
    if len(words) != 2 or words[0] not in ("enable", "disable"):
        print(f"error: the arguments don't fit\n\n{_USAGE}", end="", file=sys.stderr)
        return 2
    return _switch(home, words[1], enable=words[0] == "enable", profile=options.profile)


def _switch(home: str, name: str, *, enable: bool, profile: str | None) -> int:
    key = known_key(name)
    if key is None:
        raise ConfigError(f"Unknown feature flag: {name}")
    table = f'profiles."{profile}".features' if profile else "features"
    # A feature that is off by itself needs no key to be off (as Codex 0.118 writes it).
    value = None if not enable and not default_of(key) and profile is None else enable
    file = os.path.join(home, "config.toml")
    edit_file(file, {**{f"{table}.{alias}": None for alias in aliases_of(key)}, f"{table}.{key}": value})
    print(f"{'Enabled' if enable else 'Disabled'} feature `{key}` in config.toml.")
    for warning in FeatureSwitches({key: True} if enable else {}).warnings(file, suppressed=False):
        print(warning)
    return 0
