"""``codex features``: list, enable and disable features."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from codex_host.app import codex_home
from codex_host.command_line import read_group
from codex_host.config.edit import edit_file
from codex_host.config.effective import EffectiveConfig
from codex_host.features import FeatureSwitches, aliases_of, default_of, require_key, rows
from codex_host.plugins.tables import aligned

if TYPE_CHECKING:
    from codex_host.options import GlobalOptions


def run_features(options: GlobalOptions) -> int:
    """Run one of the commands and return the exit status.

    :raises ConfigError: for an unknown feature or an invalid configuration.
    """
    command, arguments, _ = read_group("features", options.rest, default="list")
    home = codex_home(os.environ)
    if command == "list":
        config = EffectiveConfig(
            home, cwd=options.cwd, flags=options.overrides, profile=options.profile, strict=options.strict_config
        )
        print(aligned(list(rows(FeatureSwitches(config.get("features", {}))))))
        return 0
    return _switch(home, arguments[0], enable=command == "enable", profile=options.profile)


def _switch(home: str, name: str, *, enable: bool, profile: str | None) -> int:
    key = require_key(name)
    table = f'profiles."{profile}".features' if profile else "features"
    # A feature that is off by default needs no key (as Codex 0.118 writes it).
    value = None if not enable and not default_of(key) and profile is None else enable
    file = os.path.join(home, "config.toml")
    edit_file(file, {**{f"{table}.{alias}": None for alias in aliases_of(key)}, f"{table}.{key}": value})
    print(f"{'Enabled' if enable else 'Disabled'} feature `{key}` in config.toml.")
    for warning in FeatureSwitches({key: True} if enable else {}).warnings(file, suppressed=False):
        print(warning)
    return 0
