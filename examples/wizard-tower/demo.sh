#!/bin/sh
# Plays wizard-tower in a fresh copy and home, so that nothing of the user's is read or changed.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT INT TERM
mkdir "$stage/home"
cp -R "$root/examples/wizard-tower" "$stage/tower"

# The project is the user's own here: it is trusted, and so are its four hooks.
printf '[projects."%s"]\ntrust_level = "trusted"\n' "$(cd "$stage/tower" && pwd -P)" >"$stage/home/config.toml"
export CODEX_HOME="$stage/home"
codex="$root/.venv/bin/codex"
"$codex" -C "$stage/tower" hooks trust --all
echo
"$codex" -C "$stage/tower" exec --skip-git-repo-check --sandbox danger-full-access \
    -c model_provider=scripted -c "model_providers.scripted.script=\"$root/examples/scripts/wizard-tower.json\"" cats
