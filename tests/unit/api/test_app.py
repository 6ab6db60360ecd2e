"""The HTTP API over a gateway in memory."""

import inspect
from contextlib import asynccontextmanager

import httpx
import pytest

from scope_serve import errors
from scope_serve.api.app import create_app
from scope_serve.api.body_limit import MAX_BODY_BYTES
from scope_serve.errors import CapacityError, ParameterError, ScopeServeError
from tests.fakes import SCHEMA, MemoryGateway
from tests.unit.test_errors import made

OFFER = "/api/v1/webrtc/offer"
SECRET = "v=0 fingerprint-of-somebody"
CLASSES = [
    each
    for each in vars(errors).values()
    if inspect.isclass(each) and issubclass(each, ScopeServeError)
]


@asynccontextmanager
async def api(failure=None):
    """Yield a client of the API and the gateway behind it."""
    gateway = MemoryGateway(failure)
    transport = httpx.ASGITransport(create_app(gateway), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        yield client, gateway


def offer(**parameters):
    return {"sdp": SECRET, "type": "offer", "initialParameters": parameters}


async def test_health_answers_whatever_the_cluster_does():
    async with api(CapacityError("nothing there")) as (client, _):
        found = await client.get("/health")
        assert (found.status_code, found.json()["status"]) == (200, "healthy")
        keys = {"timestamp", "server_start_time", "version", "git_commit"}
        assert keys <= found.json().keys()


async def test_readiness_says_why_not():
    async with api(CapacityError("no pipeline is deployed")) as (client, _):
        found = await client.get("/ready")
    assert (found.status_code, found.headers["retry-after"]) == (503, "2")
    assert found.json() == {"detail": "no pipeline is deployed", "code": "no_capacity"}


@pytest.mark.parametrize("path", ["/pipelines", "/api/v1/pipelines/schemas"])
async def test_pipelines_are_described(path):
    async with api() as (client, _):
        assert (await client.get(path)).json() == {"pipelines": {"gray": SCHEMA}}


async def test_ice_servers_have_w3cs_keys():
    async with api() as (client, _):
        found = (await client.get("/api/v1/webrtc/ice-servers")).json()
    assert found == {"iceServers": [{"urls": "stun:stun.example:3478"}]}


async def test_a_session_is_opened_gets_candidates_and_is_closed():
    async with api() as (client, gateway):
        answer = await client.post(OFFER, json=offer(pipeline_ids=["gray"], gain=0.5))
        assert answer.json() == {"sdp": "v=0 answer", "type": "answer", "sessionId": "host.0"}
        request = gateway.sessions["host.0"]
        assert (request.sdp, request.parameters["gain"]) == (SECRET, 0.5)
        line = {"candidates": [{"candidate": "c", "sdpMid": "0"}]}
        assert (await client.patch(f"{OFFER}/host.0", json=line)).status_code == 204
        assert gateway.candidates["host.0"][0].candidate == "c"
        for _ in range(2):
            assert (await client.delete(f"{OFFER}/host.0")).status_code == 204
        assert (await client.patch(f"{OFFER}/host.0", json=line)).status_code == 404


@pytest.mark.parametrize("error_class", CLASSES)
async def test_every_error_has_a_status_a_code_and_a_sentence(error_class):
    error = made(error_class)
    async with api(error) as (client, _):
        found = await client.post(OFFER, json=offer())
    assert 400 <= found.status_code < 600
    assert (found.json()["code"], found.json()["detail"]) == (error.code, str(error))
    assert ("retry-after" in found.headers) == error.retryable
    assert found.json().get("field") == error.field


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("invalid_offer", 400),
        ("invalid_chain", 400),
        ("pipeline_required", 400),
        ("invalid_candidate", 404),
        ("pipeline_not_found", 404),
        ("session_not_found", 404),
        ("invalid_parameter", 422),
        ("load_parameter", 422),
        ("unsupported_graph", 422),
        ("input_required", 422),
        ("internal_error", 500),
        ("pipeline_load_failed", 500),
        ("pipeline_failed", 500),
        ("no_capacity", 503),
        ("pipeline_unavailable", 503),
        ("stage_lost", 503),
        ("link_failed", 503),
    ],
)
async def test_the_status_fits_the_error(code, status):
    (error_class,) = (each for each in CLASSES if each.code == code)
    async with api(made(error_class)) as (client, _):
        assert (await client.post(OFFER, json=offer())).status_code == status


async def test_a_body_that_does_not_fit_keeps_fastapis_list_and_tells_no_sdp():
    body = {**offer(input_mode="smell"), "type": SECRET}
    async with api() as (client, _):
        found = await client.post(OFFER, json=body)
    assert (found.status_code, found.json()["code"]) == (422, "invalid_request")
    places = [each["loc"] for each in found.json()["detail"]]
    assert places == [["body", "type"], ["body", "initialParameters", "input_mode"]]
    assert SECRET not in found.text


@pytest.mark.parametrize(
    "text",
    [
        '{"sdp": "s", "type": "offer", "initialParameters": {"noise_scale": NaN}}',
        '{"sdp": "s", "type": "offer", "initialParameters": {"noise_scale": Infinity}}',
        '{"sdp": NaN, "type": "offer"}',
        "NaN",
        "[",
        "",
        '{"sdp": "s", "type": "\\ud800"}',
        "[" * 100_000,
    ],
)
async def test_no_body_is_an_error_of_the_server(text):
    async with api() as (client, _):
        found = await client.post(OFFER, content=text, headers={"content-type": "application/json"})
    assert found.status_code in {400, 422}
    assert found.json()["code"]


async def test_a_name_that_is_no_text_can_be_told():
    async with api(ParameterError("\ud800", "must be finite")) as (client, _):
        found = await client.post(OFFER, json=offer())
    assert (found.status_code, found.json()["field"]) == (422, "\ud800")


async def test_a_bug_is_told_without_its_words():
    async with api(RuntimeError("the password is 1234")) as (client, _):
        found = await client.post(OFFER, json=offer())
    assert (found.status_code, found.json()["code"]) == (500, "internal_error")
    assert "1234" not in found.text


async def test_unknown_routes_and_methods_have_codes():
    async with api() as (client, _):
        missing, wrong = await client.get("/nothing"), await client.put("/health")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
async def test_browsers_may_call_from_anywhere(method):
    asked = {
        "origin": "https://app.example",
        "access-control-request-method": method,
        "access-control-request-headers": "content-type",
    }
    async with api() as (client, _):
        found = await client.options(OFFER, headers=asked)
    assert (found.status_code, found.headers["access-control-allow-origin"]) == (200, "*")
    assert method in found.headers["access-control-allow-methods"]


@pytest.mark.parametrize("failure", [CapacityError("full"), RuntimeError("bug")])
async def test_browsers_can_read_errors(failure):
    async with api(failure) as (client, _):
        found = await client.post(OFFER, json=offer(), headers={"origin": "https://app.example"})
    assert found.headers["access-control-allow-origin"] == "*"


async def test_a_body_that_is_too_long_is_refused():
    async with api() as (client, gateway):
        found = await client.post(OFFER, json=offer(prompts=[{"text": "x" * MAX_BODY_BYTES}]))
    assert (found.status_code, found.json()["code"]) == (413, "body_too_long")
    assert gateway.sessions == {}


async def test_a_body_without_a_length_is_counted_as_it_comes():
    async def endless():
        while True:
            yield b" " * 65536

    async with api() as (client, _):
        found = await client.post(OFFER, content=endless())
    assert found.status_code == 413


async def test_the_address_opened_in_a_browser_leads_to_the_documentation():
    async with api() as (client, _):
        found = await client.get("/", follow_redirects=True)
    assert found.status_code == 200
    assert "swagger" in found.text.lower()
