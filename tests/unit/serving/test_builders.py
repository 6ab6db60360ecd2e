from scope_serve.serving.args import GatewayArgs, PipelineArgs
from scope_serve.serving.builders import build_pipeline


def autoscaling(**limits):
    args = PipelineArgs.model_validate({"pipeline": "gray", "autoscaling": limits})
    deployment = build_pipeline(args)._bound_deployment
    return deployment._deployment_config.autoscaling_config


def test_an_offer_that_waits_is_seen_by_autoscaling_before_it_gives_up():
    config = autoscaling(min_replicas=1, max_replicas=2)
    patience_s = GatewayArgs().admission_timeout_s
    assert config.metrics_interval_s + config.look_back_period_s < patience_s / 2
    assert config.aggregation_function == "max"


def test_an_idle_replica_stays_as_long_as_it_was_told_to():
    assert autoscaling(min_replicas=0, max_replicas=2, idle_s=7).downscale_delay_s == 7
