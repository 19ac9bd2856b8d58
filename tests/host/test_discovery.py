"""Which plugins are found, and when the program looks again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from codex_host.plugins.discovery import found_plugins
from codex_host.plugins.manifest import FoundPlugin

if TYPE_CHECKING:
    from tests.host.conftest import Codex, Distributions


def found(home: Path, name: str) -> FoundPlugin | None:
    return next((plugin for plugin in found_plugins(str(home)) if plugin.name == name), None)


def heavy_modules_of_a_look(home: Path) -> set[str]:
    """Look for plugins in a process of its own and tell which costly modules that took."""
    code = (
        "import sys; from codex_host.plugins.discovery import found_plugins; found_plugins(sys.argv[1]);"
        "print({'importlib.metadata', 'stevedore', 'asyncio'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(home)], capture_output=True, text=True, check=True)
    return set(eval(done.stdout))


def test_an_installed_distribution_is_found_with_its_manifest(distributions: Distributions, home: Path) -> None:
    folder = distributions.add("noisy", version="2.1", manifest='description = "Makes noise."\nhooks = ["tools"]')

    plugin = found(home, "noisy")

    assert plugin is not None
    assert (plugin.distribution, plugin.version, plugin.folder) == ("codex-noisy", "2.1", str(folder))
    assert plugin.manifest is not None
    assert plugin.manifest.description == "Makes noise."
    assert not plugin.first_party


def test_finding_a_plugin_does_not_import_it(distributions: Distributions, home: Path) -> None:
    distributions.add("noisy", plugin="raise SystemError('imported')")

    plugin = found(home, "noisy")

    assert plugin is not None
    assert "third_codex_noisy" not in sys.modules


def test_first_party_plugins_are_found_by_name_and_distribution(home: Path) -> None:
    plugins = [plugin for plugin in found_plugins(str(home)) if plugin.first_party]

    assert {"app-server", "exec-cli", "tool-exec"} <= {plugin.name for plugin in plugins}
    assert {plugin.distribution for plugin in plugins} == {f"codex-{plugin.name}" for plugin in plugins}
    assert all(plugin.problem == "" for plugin in plugins)


def test_an_unchanged_installation_is_read_from_the_cache(distributions: Distributions, home: Path) -> None:
    distributions.add("noisy")
    first = heavy_modules_of_a_look(home)

    second = heavy_modules_of_a_look(home)

    assert first == {"importlib.metadata", "stevedore"}
    assert second == set()


def test_cached_plugins_are_the_same_as_found_ones(distributions: Distributions, home: Path) -> None:
    distributions.add("noisy", manifest='hooks = ["tools"]\nneeds = ["other"]\n[commands]\nmoo = "Moo."')

    assert found_plugins(str(home)) == found_plugins(str(home))


def test_a_new_distribution_is_seen_at_once(distributions: Distributions, home: Path) -> None:
    assert found(home, "noisy") is None

    distributions.add("noisy")

    assert found(home, "noisy") is not None


def test_a_removed_distribution_is_gone_at_once(distributions: Distributions, home: Path) -> None:
    distributions.add("noisy")
    assert found(home, "noisy") is not None

    distributions.remove("codex-noisy")

    assert found(home, "noisy") is None


def test_changed_entry_points_are_seen(distributions: Distributions, home: Path) -> None:
    distributions.add("noisy")
    assert found(home, "noisy") is not None

    distributions.add("noisy", points="[codex.plugins]\nrenamed = third_codex_noisy.plugin\n")

    assert found(home, "noisy") is None
    assert found(home, "renamed") is not None


def test_a_changed_manifest_is_seen(distributions: Distributions, home: Path) -> None:
    distributions.add("noisy")
    assert found(home, "noisy") is not None

    distributions.add("noisy", manifest='description = "new words"')

    plugin = found(home, "noisy")
    assert plugin is not None
    assert plugin.manifest is not None
    assert plugin.manifest.description == "new words"


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", "null", '{"format": 1}', '{"format": 1, "states": [1], "plugins": [{}]}', '{"format": 99}'],
)
def test_a_damaged_cache_is_made_again(distributions: Distributions, home: Path, damage: str) -> None:
    distributions.add("noisy")
    expected = found_plugins(str(home))
    [cache] = (home / "plugins").glob("found-*.json")
    cache.write_text(damage)

    assert found_plugins(str(home)) == expected
    assert json.loads(cache.read_text())["plugins"]


def test_a_home_that_takes_no_files_only_costs_time(distributions: Distributions, home: Path) -> None:
    distributions.add("noisy")
    (home / "plugins").write_text("in the way")

    assert found(home, "noisy") is not None


def test_two_distributions_with_one_name_are_refused_and_both_named(distributions: Distributions, home: Path) -> None:
    distributions.add("noisy", distribution="acme-noisy", version="1.0")
    distributions.add("noisy", distribution="zeta-noisy", version="2.0")

    plugin = found(home, "noisy")

    assert plugin is not None
    assert plugin.problem == (
        "the name is taken by two distributions: acme-noisy 1.0 and zeta-noisy 2.0; uninstall one"
    )


def test_a_stranger_cannot_take_the_name_of_a_first_party_plugin(distributions: Distributions, home: Path) -> None:
    distributions.add("tool-plan", distribution="evil-plan")

    own, stranger = found(home, "tool-plan"), found(home, "tool-plan@evil-plan")

    assert own is not None
    assert own.first_party
    assert own.problem == ""
    assert stranger is not None
    assert stranger.problem == "its name tool-plan belongs to codex-tool-plan; it is left out"


def test_a_distribution_that_calls_itself_first_party_needs_the_name_too(
    distributions: Distributions, home: Path
) -> None:
    distributions.add("other", distribution="codex-tool-plan-extra")

    plugin = found(home, "other")

    assert plugin is not None
    assert not plugin.first_party


def test_a_plugin_is_first_party_when_the_metadata_of_the_host_names_its_distribution(
    distributions: Distributions, home: Path
) -> None:
    distributions.add("noisy")
    before = found(home, "noisy")

    distributions.add_host("codex-noisy")

    after = found(home, "noisy")
    assert before is not None
    assert after is not None
    assert (before.first_party, after.first_party) == (False, True)


@pytest.mark.parametrize(
    "requirement",
    [
        "codex-noisy",
        "codex-noisy; extra == 'other'",
        "codex-noisy[x]; python_version > '3'",
        "noisy; extra == 'plugins'",
    ],
)
def test_other_requirements_of_the_host_do_not_make_a_plugin_first_party(
    distributions: Distributions, home: Path, requirement: str
) -> None:
    distributions.add("noisy")
    distributions.add_host()
    [metadata] = distributions.folder.glob("codex_host-*/METADATA")
    metadata.write_text(f"{metadata.read_text()}Requires-Dist: {requirement}\n")

    plugin = found(home, "noisy")

    assert plugin is not None
    assert not plugin.first_party


@pytest.mark.parametrize(
    "requirement", ["Codex_Noisy ; extra=='plugins'", 'codex.noisy>1; os_name!="" and extra == "plugins"']
)
def test_requirements_may_be_written_in_any_form(distributions: Distributions, home: Path, requirement: str) -> None:
    distributions.add("noisy")
    distributions.add_host()
    [metadata] = distributions.folder.glob("codex_host-*/METADATA")
    metadata.write_text(f"{metadata.read_text()}Requires-Dist: {requirement}\n")

    plugin = found(home, "noisy")

    assert plugin is not None
    assert plugin.first_party


def test_what_a_distribution_says_of_itself_does_not_make_it_first_party(
    distributions: Distributions, home: Path
) -> None:
    distributions.add("noisy")
    [metadata] = distributions.folder.glob("codex_noisy-*/METADATA")
    metadata.write_text(
        f"{metadata.read_text()}Requires-Dist: codex-noisy; extra == 'plugins'\nProvides-Extra: plugins\n"
    )

    plugin = found(home, "noisy")

    assert plugin is not None
    assert not plugin.first_party


def test_metadata_that_calls_itself_the_host_beside_the_hosts_adds_nothing(
    distributions: Distributions, home: Path
) -> None:
    distributions.add("noisy")
    distributions.add_host()

    distributions.add_host("codex-noisy", info="CODEX_Host-9.9.dist-info")

    plugin, own = found(home, "noisy"), found(home, "tool-plan")
    assert plugin is not None
    assert not plugin.first_party
    assert own is not None
    assert own.first_party


def test_metadata_that_calls_itself_a_first_party_plugin_beside_its_own_is_refused(
    distributions: Distributions, home: Path
) -> None:
    distributions.add_host("codex-noisy")
    distributions.add("noisy", version="1.0")
    distributions.add("noisy", version="0", package="third_evil")

    plugin = found(home, "noisy")

    assert plugin is not None
    assert plugin.problem == (
        "the name is taken by two distributions: codex-noisy 0 and codex-noisy 1.0; uninstall one"
    )


def test_what_pip_could_not_delete_does_not_count(distributions: Distributions, home: Path) -> None:
    distributions.add(
        "noisy",
        version="2.0",
        files={
            "~odex_noisy-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: codex-noisy\nVersion: 1.0\n",
            "~odex_noisy-1.0.dist-info/entry_points.txt": "[codex.plugins]\nnoisy = gone\n",
        },
    )

    plugin = found(home, "noisy")

    assert plugin is not None
    assert (plugin.version, plugin.problem) == ("2.0", "")


def test_without_metadata_of_the_host_every_plugin_needs_trust(distributions: Distributions, home: Path) -> None:
    distributions.add_host()
    [metadata] = distributions.folder.glob("codex_host-*/METADATA")
    metadata.write_text("Metadata-Version: 2.1\nName: codex-host\nVersion: 0.1.0\n")

    assert [plugin.name for plugin in found_plugins(str(home)) if plugin.first_party] == []


def test_an_older_copy_further_down_the_path_does_not_count(
    distributions: Distributions, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributions.add("noisy", version="1.0")
    newer = type(distributions)(tmp_path / "nearer")
    newer.add("noisy", version="2.0")
    monkeypatch.syspath_prepend(str(newer.folder))

    plugin = found(home, "noisy")

    assert plugin is not None
    assert (plugin.version, plugin.problem) == ("2.0", "")


def test_broken_entry_points_of_one_distribution_leave_the_others_alone(
    distributions: Distributions, home: Path
) -> None:
    distributions.add("noisy")
    distributions.add("broken", points="[codex.plugins]\nthis line says nothing\n")
    distributions.add("foreign", points="[console_scripts]\nneither does this\n")
    distributions.add("binary")
    [info] = distributions.folder.glob("codex_binary-*.dist-info")
    for file in info.iterdir():
        file.write_bytes(b"[codex.plugins]\n\xff\xfe")
    distributions.add("latin")
    (latin,) = distributions.folder.glob("codex_latin-*.dist-info")
    (latin / "entry_points.txt").write_bytes("[codex.plugins]\nlatin = éa.plugin\n".encode("latin-1"))

    broken = [found(home, name) for name in ("codex-broken", "codex-latin")]

    assert found(home, "noisy") is not None
    assert [plugin and plugin.problem for plugin in broken] == ["its entry_points.txt can't be read"] * 2


def test_a_plugin_whose_package_is_missing_says_so(distributions: Distributions, home: Path) -> None:
    distributions.add("noisy", points="[codex.plugins]\nnoisy = nowhere.plugin\n")

    plugin = found(home, "noisy")

    assert plugin is not None
    assert plugin.problem == "its package nowhere can't be found"


def test_refreshing_looks_again_although_nothing_seems_changed(
    distributions: Distributions, codex: Codex, home: Path
) -> None:
    manifest = distributions.add("noisy", manifest='description = "aaaa"') / "codex-plugin.toml"
    codex("plugins", "list")
    before = manifest.stat()
    manifest.write_text(manifest.read_text().replace("aaaa", "bbbb"))
    os.utime(manifest, ns=(before.st_atime_ns, before.st_mtime_ns))

    stale, fresh = codex("plugins", "show", "noisy").out, codex("plugins", "show", "noisy", "--refresh").out

    assert "aaaa" in stale
    assert "bbbb" in fresh


ODD = {
    "no facts at all": {"METADATA": None},
    "no name": {"METADATA": "Metadata-Version: 2.1\nVersion: 1.0.0\n"},
    "no version": {"METADATA": "Metadata-Version: 2.1\nName: codex-noisy\n"},
    "nothing in it": {"METADATA": ""},
    "bytes": {"METADATA": "\0\udcff\udcfe\n\n\n"},
    "no section": {"entry_points.txt": "codex.plugins\nnoisy = x\n"},
    "half a line": {"entry_points.txt": "[codex.plugins]\nnoisy\n= x\nnoisy =\n"},
    "odd names": {"entry_points.txt": "[codex.plugins]\n../../x = y.z\na b = c d\n\x1b[2J = .\n@ = @:@\n é = é:é.é \n"},
    "twice": {"entry_points.txt": "[codex.plugins]\nnoisy = x\nnoisy = y\n[codex.plugins]\nnoisy = z\n"},
}


@pytest.mark.parametrize("what", ODD)
def test_a_distribution_that_is_broken_breaks_nothing_else(
    distributions: Distributions, codex: Codex, what: str
) -> None:
    distributions.add("noisy")
    distributions.add("calm")
    for name, content in ODD[what].items():
        path = distributions.folder / "codex_noisy-1.0.0.dist-info" / name
        if content is None:
            path.unlink()
        else:
            path.write_text(content, errors="surrogateescape")

    for command in (["list"], ["show", "calm"], ["trust", "calm"], ["disable", "calm"], ["doctor", "calm"]):
        ran = codex("plugins", *command)

        assert ran.status == 0, ran.err
        assert ran.err == ""
    listed = json.loads(codex("plugins", "list", "--json").out)
    assert {"calm", "tool-exec"} <= {facts["name"] for facts in listed}
    assert codex("--help").status == 0


def test_distributions_without_a_name_are_told_apart(distributions: Distributions, home: Path) -> None:
    for name in ("one", "two"):
        distributions.add(name)
        (distributions.folder / f"codex_{name}-1.0.0.dist-info" / "METADATA").unlink()

    assert [found(home, name).distribution for name in ("one", "two")] == ["codex_one", "codex_two"]
