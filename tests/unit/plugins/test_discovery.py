"""Discovery: real distributions on a real path; a broken one harms nobody."""

import sys

import pytest

from scope_serve.errors import ConfigError
from scope_serve.pipelines.inputs import InputSourceRegistry, get_input_source_classes
from scope_serve.pipelines.nodes import NodeRegistry
from scope_serve.pipelines.registry import load_pipelines
from scope_serve.plugins.discovery import discover_plugins, is_own
from tests.plugins_on_path import write_distribution

PIPELINE = """
from scope.core.pipelines.base_schema import BasePipelineConfig
from scope.core.pipelines.interface import Pipeline
from scope.core.plugins.hookspecs import hookimpl

class Config(BasePipelineConfig):
    pipeline_id = "{id}"

class Thing(Pipeline):
    @classmethod
    def get_config_class(cls):
        return Config
"""

GOOD = (
    PIPELINE
    + """
@hookimpl
def register_pipelines(register):
    register(Thing)
"""
)

OBJECT = (
    PIPELINE
    + """
class Plugin:
    @hookimpl
    def register_pipelines(self, register):
        register(Thing)

plugin = Plugin()
"""
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder on the import path; modules and registrations of the test end with it."""
    monkeypatch.setattr(NodeRegistry, "_nodes", {})
    monkeypatch.setattr(InputSourceRegistry, "_sources", {})
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def load_with(folder, package, source, **kwargs):
    """Load everything with one more distribution installed, and return the catalog."""
    write_distribution(folder, package, source, **kwargs)
    return load_pipelines()


def plugin_ids(catalog):
    return {one.pipeline_id: one.plugin_name for one in catalog.descriptors if one.plugin_name}


def only_failure(catalog):
    (failure,) = catalog.failed
    assert len(catalog.descriptors) == 4, "the built-ins must survive"
    return failure


def test_module_entry_point(folder):
    catalog = load_with(folder, "plug_module", GOOD.format(id="module-made"))
    assert plugin_ids(catalog) == {"module-made": "plug-module"}
    assert catalog.failed == ()
    assert NodeRegistry.is_registered("module-made")


def test_object_entry_point(folder):
    catalog = load_with(
        folder,
        "plug_object",
        OBJECT.format(id="object-made"),
        entry_points={"it": "plug_object:plugin"},
    )
    assert plugin_ids(catalog) == {"object-made": "plug-object"}
    assert catalog.failed == ()


@pytest.mark.parametrize(
    "spelling",
    [
        "from scope.core.plugins.hookspecs import hookimpl",
        "from scope.core.plugins import hookimpl",
        "import scope.core\nhookimpl = scope.core.hookimpl",
    ],
)
def test_every_spelling_of_hookimpl(folder, spelling):
    source = GOOD.replace("from scope.core.plugins.hookspecs import hookimpl", spelling)
    catalog = load_with(folder, "plug_spelling", source.format(id="spelled"))
    assert plugin_ids(catalog) == {"spelled": "plug-spelling"}


def test_nothing_to_register_is_no_failure(folder):
    catalog = load_with(folder, "plug_empty", "")
    assert catalog.failed == ()


def test_import_error(folder):
    failure = only_failure(load_with(folder, "plug_import", "import no_such_module_anywhere"))
    assert failure.package_name == "plug-import"
    assert failure.entry_point_name == "plug_import"
    assert failure.error_type == "ModuleNotFoundError"
    assert "no_such_module_anywhere" in failure.error_message


def test_exit_at_import(folder):
    failure = only_failure(load_with(folder, "plug_exit", "import sys\nsys.exit('no licence')"))
    assert (failure.error_type, failure.error_message) == ("SystemExit", "no licence")


def test_missing_attribute(folder):
    failure = only_failure(
        load_with(folder, "plug_attr", "", entry_points={"it": "plug_attr:plugin"})
    )
    assert failure.error_type == "AttributeError"


def test_raising_hook(folder):
    source = GOOD.replace("    register(Thing)", "    raise OSError('no camera')")
    failure = only_failure(load_with(folder, "plug_hook", source.format(id="never")))
    assert (failure.error_type, failure.error_message) == ("OSError", "no camera")


def test_hook_with_wrong_arguments(folder):
    source = GOOD.replace("(register):", "(registry):").replace("register(Thing)", "pass")
    failure = only_failure(load_with(folder, "plug_args", source.format(id="never")))
    assert failure.error_type == "PluginValidationError"


@pytest.mark.parametrize(
    ("registered", "reason"),
    [
        ("42", "only classes"),
        ("dict", "extends neither"),
        ("type('P', (Thing,), {'get_config_class': classmethod(lambda cls: dict)})", "no Base"),
        ("type('P', (Pipeline,), {})", "neither a node_type_id"),
        ("type('P<locals>', (Thing,), {})", "inside a function"),
    ],
)
def test_wrong_registration(folder, registered, reason):
    source = GOOD.replace("register(Thing)", f"register({registered})")
    source = source.replace("{id}", "never")
    failure = only_failure(load_with(folder, "plug_class", source))
    assert reason in failure.error_message


@pytest.mark.parametrize(
    "line",
    [
        "estimated_vram_gb = 'lots'",
        "estimated_vram_gb = -1.0",
        "usage = ['decoration']",
        "modes = {}",
        "artifacts = [{'url': 'x'}]",
        "pipeline_id = ''",
    ],
)
def test_wrong_metadata(folder, line):
    source = GOOD.replace('pipeline_id = "{id}"', line)
    failure = only_failure(load_with(folder, "plug_meta", source))
    assert failure.package_name == "plug-meta"


def test_id_of_a_builtin_is_taken(folder):
    catalog = load_with(folder, "plug_dup", GOOD.format(id="gray"))
    failure = only_failure(catalog)
    assert "'gray'" in failure.error_message
    assert "'scope-serve'" in failure.error_message
    assert catalog.get("gray").plugin_name is None
    assert NodeRegistry.get("gray").__module__ == "scope_serve.pipelines.builtin.gray"


def test_two_plugins_with_one_id_keep_the_first_by_name(folder):
    write_distribution(folder, "plug_b", GOOD.format(id="same"))
    catalog = load_with(folder, "plug_a", GOOD.format(id="same"))
    assert plugin_ids(catalog) == {"same": "plug-a"}
    assert [failure.package_name for failure in catalog.failed] == ["plug-b"]


def test_failing_plugin_registers_nothing_at_all(folder):
    source = GOOD.replace("register(Thing)", "register(Thing)\n    register(42)")
    catalog = load_with(folder, "plug_half", source.format(id="half"))
    assert plugin_ids(catalog) == {}
    assert not NodeRegistry.is_registered("half")


def test_class_registered_by_both_hooks_counts_once(folder):
    source = GOOD + "\n@hookimpl\ndef register_nodes(register):\n    register(Thing)\n"
    catalog = load_with(folder, "plug_both", source.format(id="both"))
    assert plugin_ids(catalog) == {"both": "plug-both"}
    assert catalog.failed == ()


def test_two_entry_points_are_refused(folder):
    points = {"one": "plug_two", "two": "plug_two"}
    failure = only_failure(
        load_with(folder, "plug_two", GOOD.format(id="two"), entry_points=points)
    )
    assert failure.entry_point_name == "one, two"
    assert "exactly one" in failure.error_message


def test_schema_that_cannot_be_built_is_no_failure(folder):
    source = GOOD.replace(
        'pipeline_id = "{id}"',
        'pipeline_id = "{id}"\n    model_config = dict(arbitrary_types_allowed=True)\n'
        "    thing: Pipeline | None = None",
    )
    catalog = load_with(folder, "plug_schema", source.format(id="schemaless"))
    assert "schema_error" in catalog.get("schemaless").schema_dict


def test_plugin_may_import_scopes_registry(folder):
    source = "from scope.core.pipelines.registry import PipelineRegistry\n" + GOOD
    catalog = load_with(folder, "plug_cycle", source.format(id="cycle"))
    assert plugin_ids(catalog) == {"cycle": "plug-cycle"}
    assert catalog.failed == ()


def test_nodes_and_input_sources_are_no_pipelines(folder):
    source = """
from scope.core.inputs import InputSource
from scope.core.nodes.base import BaseNode, NodeDefinition
from scope.core.plugins import hookimpl

class Counter(BaseNode):
    node_type_id = "counter"

class Camera(InputSource):
    source_id = "camera"
    @classmethod
    def is_available(cls): return False
    def list_sources(self, timeout_ms=0): return []
    def connect(self, identifier): return False
    def receive_frame(self, timeout_ms=0): return None
    def disconnect(self): pass

@hookimpl
def register_nodes(register):
    register(Counter)
    register(Camera)
"""
    catalog = load_with(folder, "plug_nodes", source)
    assert plugin_ids(catalog) == {}
    assert catalog.failed == ()
    assert NodeRegistry.is_registered("counter")
    assert list(get_input_source_classes()) == ["camera"]
    camera = get_input_source_classes()["camera"]()
    assert camera.get_source_resolution("x") is None
    camera.close()


def test_input_source_needs_an_id(folder):
    source = """
from scope.core.inputs import InputSource
from scope.core.plugins import hookimpl

@hookimpl
def register_nodes(register):
    register(InputSource)
"""
    assert "source_id" in only_failure(load_with(folder, "plug_source", source)).error_message


def test_builtins_come_first(folder):
    write_distribution(folder, "aaa_plugin", GOOD.format(id="aaa"))
    seen = []
    discover_plugins(lambda plugin: seen.append((plugin.package_name, plugin.plugin_name)))
    assert seen[0] == ("scope-serve", None)
    assert ("aaa-plugin", "aaa-plugin") in seen[1:]


def test_error_in_accept_is_the_failure_of_that_plugin(folder):
    def accept(plugin):
        if plugin.plugin_name:
            message = "not wanted"
            raise ValueError(message)

    write_distribution(folder, "plug_unwanted", GOOD.format(id="unwanted"))
    failures = {one.package_name: one for one in discover_plugins(accept)}
    assert failures["plug-unwanted"].error_message == "not wanted"
    assert "scope-serve" not in failures


def test_missing_installation_is_said_clearly(folder, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(folder)])
    with pytest.raises(ConfigError, match=r"must be installed"):
        discover_plugins(lambda plugin: None)


@pytest.mark.parametrize("name", ["scope-serve", "scope_serve", "Scope.Serve"])
def test_own_distribution_is_known_in_every_spelling(name):
    assert is_own(name)
