"""The documentation names what there is, and its links lead somewhere."""

import inspect
import re
from pathlib import Path

import pytest
from typer.main import get_command

from scope_serve import errors
from scope_serve.api.problems import status_of
from scope_serve.cli.main import app
from scope_serve.serving.args import Autoscaling, GatewayArgs, PipelineArgs
from scope_serve.stages.well_known import WellKnownParameters

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")])
REFERENCE = ROOT / "docs" / "reference"
LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")
ROW = re.compile(r"^\| (.+?) \| (.+?) \|", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
ERRORS = [
    value
    for _, value in inspect.getmembers(errors, inspect.isclass)
    if issubclass(value, errors.ScopeServeError)
]


def read(path):
    return path.read_text(encoding="utf-8")


def anchors(path):
    """Return the fragments that GitHub gives the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", read(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def rows(name):
    """Return the first two cells of every table row of a reference page."""
    return {first.strip("`"): second for first, second in ROW.findall(read(REFERENCE / name))}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    for target, fragment in LINK.findall(FENCED.sub("", read(path))):
        if "://" in target:
            continue
        found = (path.parent / target).resolve() if target else path
        assert found.exists(), f"{path.name}: {target}"
        if fragment:
            assert fragment[1:] in anchors(found), f"{path.name}: {target}{fragment}"


def test_every_page_is_reachable_from_the_index():
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / target).resolve() for target, _ in LINK.findall(read(index))}
    pages = set(ROOT.glob("docs/**/*.md"))
    assert pages - linked - {index} == set()


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_code_is_documented_with_its_status(error):
    listed = rows("http-api.md")
    assert error.code in listed
    if listed[error.code].isdigit() and error is not errors.ScopeServeError:
        assert int(listed[error.code]) == status_of(error.__new__(error))


@pytest.mark.parametrize("model", [GatewayArgs, PipelineArgs, Autoscaling])
def test_every_argument_is_documented_with_its_default(model):
    listed = rows("configuration.md")
    for name, field in model.model_fields.items():
        assert name in listed, name
        default = listed[name].strip("`")
        if isinstance(field.default, int | float) and name != "num_cpus":
            assert float(default) == field.default, name


def test_every_parameter_that_is_checked_for_all_pipelines_is_documented():
    text = read(REFERENCE / "data-channel.md")
    assert [name for name in WellKnownParameters.model_fields if f"`{name}`" not in text] == []


def test_every_command_and_option_is_documented():
    text = read(REFERENCE / "cli.md")
    missing = []
    for name, command in get_command(app).commands.items():
        start = text.index(f"## scope-serve {name}")
        end = text.find("\n## ", start + 1)
        section = text[start : end if end > 0 else None]
        if name == "deploy":  # "as for `run`"
            section += text[text.index("## scope-serve run") : start]
        missing += [
            f"{name} {option.opts[0]}"
            for option in command.params
            if option.param_type_name == "option" and f"`{option.opts[0]}`" not in section
        ]
    assert missing == []
