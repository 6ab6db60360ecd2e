import pytest
from ray.serve.schema import (
    ApplicationStatus,
    ApplicationStatusOverview,
    DeploymentStatusOverview,
    ServeStatus,
)

from scope_serve.pipelines.builtin.gray import GrayPipeline
from scope_serve.pipelines.descriptor import describe
from scope_serve.serving.catalog import CatalogEntry, deployment_name, offers

ENTRY = CatalogEntry(deployment="pipeline-gray", descriptor=describe(GrayPipeline))
RECORD = ENTRY.model_dump_json().encode()


def application(status="RUNNING", **replicas):
    deployment = DeploymentStatusOverview(
        status="HEALTHY", status_trigger="UNSPECIFIED", replica_states=replicas, message=""
    )
    return ApplicationStatusOverview(
        status=ApplicationStatus(status),
        message="a reason",
        last_deployed_time_s=0.0,
        deployments={"pipeline-gray": deployment},
    )


def offered(*records, **applications):
    return offers(ServeStatus(applications=applications), records)


def test_a_pipeline_is_offered_by_its_application():
    assert offered(RECORD, one=application(RUNNING=1))["gray"].application == "one"


def test_an_entry_of_another_version_hides_no_other():
    strange = b'{"deployment": "pipeline-old", "colour": "blue"}'
    assert set(offered(strange, RECORD, one=application(RUNNING=1))) == {"gray"}


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_of_two_applications_with_a_pipeline_the_one_that_runs_is_taken(order):
    runs, failed = order
    found = offered(RECORD, **{failed: application("DEPLOY_FAILED"), runs: application(RUNNING=1)})
    assert found["gray"].application == runs
    assert found["gray"].failure is None


def test_a_deployment_that_failed_says_why():
    assert offered(RECORD, one=application("DEPLOY_FAILED"))["gray"].failure == "a reason"


def test_a_replica_that_died_and_is_replaced_is_no_failure():
    assert offered(RECORD, one=application("UNHEALTHY", STARTING=1))["gray"].failure is None
    assert offered(RECORD, one=application("UNHEALTHY"))["gray"].failure == "a reason"


def test_a_plain_pipeline_id_is_the_name_of_its_deployment():
    assert deployment_name("solid-colour") == "pipeline-solid-colour"


@pytest.mark.parametrize(
    "pipeline_id", ["a#b", "a b", "a/b", "üñî", "x" * 300, "..", "-", "\ud83d"]
)
def test_any_other_pipeline_id_gives_a_short_plain_name(pipeline_id):
    name = deployment_name(pipeline_id)
    assert len(name) < 100
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")


def test_pipeline_ids_that_look_alike_have_deployments_of_their_own():
    ids = ["a b", "a#b", "a-b", "ä", "ö", "x" * 300, "x" * 301]
    assert len({deployment_name(each) for each in ids}) == len(ids)
