"""Pictures through a real Serve cluster, and what happens around them."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest

from scope_serve.client.client import ScopeClient
from scope_serve.client.errors import ServerResponseError
from tests.cluster.local_serve import application, serve_config
from tests.cluster.streams import grayed, mean_error, message, sent, session, shown

GRAY = application("gray", sessions_per_replica=2, replicas=2)
INVERT = application("invert", sessions_per_replica=1)
COLOUR = application("solid-colour", sessions_per_replica=2)
CONFIG = serve_config(
    GRAY,
    INVERT,
    COLOUR,
    application("passthrough", sessions_per_replica=2),
    application("controller-viz", autoscaling={"min_replicas": 0, "max_replicas": 1}),
    session_hosts=2,
    ingress_replicas=2,
)


def is_mostly(picture, channel):
    means = picture.rgb.mean(axis=(0, 1))
    return means[channel] > 200 and np.delete(means, channel).max() < 60


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_gray_shows_the_sent_pictures_without_colour(serve, codec):
    async with session(serve.url, "gray", codec=codec) as opened:
        pictures = [each for each in await shown(opened, 30) if each.number is not None]
    numbers = [each.number for each in pictures]
    assert len(numbers) >= 28
    assert numbers == sorted(set(numbers))
    errors = [mean_error(each.rgb, grayed(sent(each.number))) for each in pictures[5:]]
    assert max(errors) < 6


async def test_a_chain_inverts_what_the_first_stage_made_gray(serve):
    async with session(serve.url, "gray", "invert") as opened:
        pictures = [each for each in await shown(opened, 20) if each.number is not None]
    errors = [mean_error(each.rgb, 255 - grayed(sent(each.number))) for each in pictures[5:]]
    assert errors
    assert max(errors) < 8


async def test_an_unmodified_scope_plugin_inverts_and_follows_its_parameter(serve):
    async with session(serve.url, "invert") as opened:
        (first,) = (await shown(opened, 6))[-1:]
        assert mean_error(first.rgb, 255 - sent(first.number)) < 8
        await opened.send_parameters({"strength": 0.0})
        last = (await shown(opened, 15))[-1]
        assert mean_error(last.rgb, sent(last.number)) < 8


async def test_two_sessions_never_see_each_others_pictures(serve):
    red, blue = {"red": 255, "green": 0, "blue": 0}, {"red": 0, "green": 0, "blue": 255}
    async with (
        session(serve.url, "solid-colour", video=False, **red) as one,
        session(serve.url, "solid-colour", video=False, **blue) as other,
    ):
        reds, blues = await asyncio.gather(shown(one, 30), shown(other, 30))
    assert all(is_mostly(each, 0) for each in reds)
    assert all(is_mostly(each, 2) for each in blues)


async def test_a_wrong_value_is_told_and_the_stream_goes_on(serve):
    async with session(serve.url, "invert") as opened:
        await shown(opened, 3)
        await opened.send_parameters({"strength": 7})
        told = await message(opened, "error")
        assert (told["code"], told["field"]) == ("invalid_parameter", "strength")
        assert len(await shown(opened, 5)) == 5


async def test_a_load_parameter_is_refused_while_streaming(serve):
    async with session(serve.url, "invert") as opened:
        await shown(opened, 3)
        await opened.send_parameters({"height": 64})
        told = await message(opened, "error")
        assert (told["code"], told["field"]) == ("load_parameter", "height")


async def test_a_pipeline_without_replicas_is_offered_whole_and_starts_on_request(serve):
    assert serve.replica_pids("controller-viz") == {}
    async with ScopeClient(serve.url) as client:
        schema = (await client.pipelines())["controller-viz"]
    assert "properties" in schema["config_schema"]
    async with session(serve.url, "controller-viz", video=False) as opened:
        assert len(await shown(opened, 3)) == 3


async def test_both_schema_routes_say_the_same(serve):
    async with httpx.AsyncClient(base_url=serve.url, trust_env=False) as client:
        one = await client.get("/pipelines")
        other = await client.get("/api/v1/pipelines/schemas")
    assert one.json() == other.json()
    assert set(one.json()["pipelines"]) >= {"gray", "invert", "solid-colour", "controller-viz"}
    assert one.json()["pipelines"]["invert"]["plugin_name"] == "scope-plugin-invert"


async def test_signalling_reaches_the_owner_through_any_ingress(serve):
    """Requests go to two ingress replicas in turn; each must find the host of the session."""
    async with session(serve.url, "gray") as opened:
        await shown(opened, 3)
        async with httpx.AsyncClient(base_url=serve.url, trust_env=False) as client:
            route = f"/api/v1/webrtc/offer/{opened.id}"
            answers = [await client.patch(route, json={"candidates": []}) for _ in range(8)]
            assert {answer.status_code for answer in answers} == {204}
            assert (await client.delete(route)).status_code == 204
            assert (await client.patch(route, json={"candidates": []})).status_code == 404


@pytest.mark.parametrize("session_id", ["nobody.123", "gone", "a.b.c", "%2e%2e"])
async def test_an_unknown_session_is_not_found(serve, session_id):
    async with httpx.AsyncClient(base_url=serve.url, trust_env=False) as client:
        answer = await client.patch(f"/api/v1/webrtc/offer/{session_id}", json={"candidates": []})
        assert (answer.status_code, answer.json()["code"]) == (404, "session_not_found")
        assert (await client.delete(f"/api/v1/webrtc/offer/{session_id}")).status_code == 204


async def test_a_full_pipeline_answers_503_and_is_free_again_afterwards(serve):
    async with session(serve.url, "invert") as first:
        await shown(first, 3)
        with pytest.raises(ServerResponseError) as refused:
            async with session(serve.url, "invert"):
                pass
        assert (refused.value.status, refused.value.server_code) == (503, "no_capacity")
    async with session(serve.url, "invert") as second:
        assert len(await shown(second, 3)) == 3


async def test_killing_a_replica_moves_its_session_to_another(serve):
    async with session(serve.url, "gray") as opened:
        await shown(opened, 5)
        (running,) = await serve.sessions()
        replica = running["stages"][0]["replica"]
        os.kill(serve.replica_pids("gray")[replica], signal.SIGKILL)
        recovered = await message(opened, "session_recovered")
        assert recovered["node_id"] == "gray"
        pictures = [each for each in await shown(opened, 60) if each.number is not None][30:]
        assert max(mean_error(each.rgb, grayed(sent(each.number))) for each in pictures) < 6


@pytest.mark.parametrize("frames", [0, 10], ids=["while it connects", "while it streams"])
async def test_killing_the_client_frees_its_places_within_ten_seconds(serve, frames):
    command = [str(Path(sys.executable).with_name("scope-serve")), "stream"]
    options = ["--pipeline", "invert", "--input", "testsrc", "--duration", "60"]
    client = await asyncio.create_subprocess_exec(
        *command, *options, "--url", serve.url, stderr=asyncio.subprocess.DEVNULL
    )
    await serve.until(
        lambda sessions: any(each["frames_out"] >= frames for each in sessions), timeout_s=30
    )
    client.kill()
    await client.wait()
    await serve.until(lambda sessions: not sessions, timeout_s=10)
    async with session(serve.url, "invert") as opened:
        assert len(await shown(opened, 3)) == 3
