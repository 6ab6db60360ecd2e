"""Scope's plugin management: looking works, changing is refused."""

import pytest

from scope.core import plugins
from scope_serve.pipelines.nodes import NodeRegistry
from tests.plugins_on_path import write_distribution


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(NodeRegistry, "_nodes", {})
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_failed_plugins_are_listed(folder):
    write_distribution(folder, "plug_bad_access", "raise ValueError('no')")
    manager = plugins.get_plugin_manager()
    assert manager.get_failed_plugins() == []
    manager.register_plugin_pipelines()
    assert [one.package_name for one in manager.get_failed_plugins()] == ["plug-bad-access"]


def test_owner_of_a_pipeline_is_known():
    assert plugins.PluginManager().get_plugin_for_pipeline("gray") is None


@pytest.mark.parametrize(
    "load",
    [plugins.load_plugins, plugins.register_plugin_nodes, plugins.register_plugin_pipelines],
)
def test_loading_registers_everything(load):
    plugins.ensure_plugins_installed()
    load()
    assert NodeRegistry.is_registered("gray")


@pytest.mark.parametrize("action", ["install_plugin", "uninstall_plugin", "reload_plugin"])
def test_changes_are_refused_with_the_way_out(action):
    with pytest.raises(plugins.PluginInstallError, match="runtime_env"):
        getattr(plugins.PluginManager(), action)("some-plugin", force=True)


def test_kind_is_read_from_the_package(folder):
    name = write_distribution(folder, "plug_kind_source", "__scope_kind__ = 'source'")
    assert plugins.probe_plugin_kind(name) == "source"
    other = write_distribution(folder, "plug_kind_none", "")
    assert plugins.probe_plugin_kind(other) is None
    with pytest.raises(plugins.PluginNotFoundError, match="'missing-plugin'"):
        plugins.probe_plugin_kind("missing-plugin")


def test_hooks_can_be_called_by_hand():
    class Plugin:
        @plugins.hookimpl
        def register_pipelines(self, register):
            register(int)

    found = []
    name = plugins.pm.register(Plugin())
    plugins.pm.hook.register_pipelines(register=found.append)
    plugins.pm.unregister(name=name)
    assert found == [int]


def test_there_are_no_input_sources_by_default():
    assert plugins.get_plugin_input_sources() == {}
