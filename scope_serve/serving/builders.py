"""Application builders: what ``import_path`` in a Serve config points at."""

import warnings
from typing import Any

import ray
from ray import serve
from ray.serve import Application
from ray.serve.config import AggregationFunction, AutoscalingConfig, RequestRouterConfig

from scope_serve.pipelines.descriptor import PipelineDescriptor
from scope_serve.pipelines.registry import load_pipelines
from scope_serve.serving.args import GatewayArgs, PipelineArgs
from scope_serve.serving.catalog import CatalogEntry, deployment_name, publish
from scope_serve.serving.ingress import IngressDeployment
from scope_serve.serving.replica import PipelineReplica
from scope_serve.serving.routers import PinRouter
from scope_serve.serving.session_host import SessionHost

SESSION_HOSTS = "SessionHost"
_ROUTING = RequestRouterConfig.model_validate({"request_router_class": PinRouter})
_CONTROL_CALLS = 32
"""Signalling calls that a session host answers at once, beside its sessions."""
_METRICS_INTERVAL_S = 1.0
_LOOK_BACK_S = 2.0
_HEALTH_PERIOD_S = 2
_HEALTH_TIMEOUT_S = 10


def build_pipeline(args: PipelineArgs) -> Application:
    """Return the application of one pipeline, and publish the pipeline to the gateway.

    Raises:
        PipelineNotFoundError: No installed plugin has the pipeline.
    """
    descriptor = load_pipelines().get(args.pipeline)
    name = deployment_name(descriptor.pipeline_id)
    if ray.is_initialized():  # ``serve build`` runs without a cluster
        publish(CatalogEntry(deployment=name, descriptor=descriptor))
    deployment = serve.deployment(
        name=name,
        max_ongoing_requests=args.sessions_per_replica,
        graceful_shutdown_timeout_s=args.drain_timeout_s,
        graceful_shutdown_wait_loop_s=0.5,
        ray_actor_options={"num_cpus": args.num_cpus, "num_gpus": _num_gpus(args, descriptor)},
        request_router_config=_ROUTING,
        health_check_period_s=_HEALTH_PERIOD_S,
        health_check_timeout_s=_HEALTH_TIMEOUT_S,
        **_scale(args),
    )(PipelineReplica)
    return deployment.bind(descriptor.import_path, args.load_params, args.sessions_per_replica)


def _num_gpus(args: PipelineArgs, descriptor: PipelineDescriptor) -> float:
    if args.num_gpus is not None:
        return args.num_gpus
    return 0 if descriptor.estimated_vram_gb is None else 1


def _scale(args: PipelineArgs) -> dict[str, Any]:
    if args.autoscaling is None:
        return {"num_replicas": args.replicas}
    with warnings.catch_warnings():
        # Ray deprecates the interval in favour of a variable that Ray 2.60 does not read yet.
        warnings.simplefilter("ignore", DeprecationWarning)
        config = AutoscalingConfig(
            min_replicas=args.autoscaling.min_replicas,
            max_replicas=args.autoscaling.max_replicas,
            target_ongoing_requests=args.sessions_per_replica,
            metrics_interval_s=_METRICS_INTERVAL_S,
            # An average over Ray's half a minute would not see an offer that waits a few seconds.
            look_back_period_s=_LOOK_BACK_S,
            aggregation_function=AggregationFunction.MAX,
            upscale_delay_s=0,
            downscale_delay_s=args.autoscaling.idle_s,
        )
    return {"autoscaling_config": config}


def build_gateway(args: GatewayArgs) -> Application:
    """Return the application of the API and the session hosts."""
    settings = args.model_dump()
    hosts = serve.deployment(
        name=SESSION_HOSTS,
        num_replicas=args.session_hosts,
        max_ongoing_requests=args.sessions_per_host + _CONTROL_CALLS,
        graceful_shutdown_timeout_s=args.drain_timeout_s,
        graceful_shutdown_wait_loop_s=0.5,
        ray_actor_options={"num_cpus": args.num_cpus},
        request_router_config=_ROUTING,
        health_check_period_s=_HEALTH_PERIOD_S,
        health_check_timeout_s=_HEALTH_TIMEOUT_S,
    )(SessionHost)
    ingress = serve.deployment(
        name="Ingress",
        num_replicas=args.ingress_replicas,
        max_ongoing_requests=256,
        ray_actor_options={"num_cpus": args.num_cpus},
    )(IngressDeployment)
    return ingress.bind(settings, hosts.bind(settings))
