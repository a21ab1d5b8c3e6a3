"""The dashboard and the alert rules speak of metrics and labels that exist."""

import json
import re
import time
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # its types are a package of their own
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from melodify_core.bootstrap import open_services
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.observability import metrics
from tests.fakes import RecordingDelivery
from tests.stories import story_settings

FOLDER = Path(__file__).parents[2] / "deploy" / "monitoring"
# What PromQL calls by a name of its own.
WORDS = {"sum", "by", "max", "min", "rate", "increase", "histogram_quantile", "absent", "time", "and", "or", "up"}
# Labels that Prometheus adds.
ADDED = {"job", "instance", "le"}
OURS = {
    next(iter(metric.collect())).name: set(metric._labelnames)
    for metric in vars(metrics).values()
    if isinstance(metric, MetricWrapperBase)
}


def expressions() -> list[str]:
    dashboard = json.loads((FOLDER / "grafana.json").read_text())
    rules = yaml.safe_load((FOLDER / "alerts.yaml").read_text())
    panels = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    alerts = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    assert len(panels) > 10
    assert len(alerts) > 8
    return panels + alerts


def known_names() -> set[str]:
    families = {family.name: family.type for family in REGISTRY.collect()}
    names = set(families) | {f"{name}_total" for name in families}
    return names | {f"{name}_bucket" for name, kind in families.items() if kind == "histogram"}


@pytest.mark.parametrize("expression", expressions())
def test_every_metric_and_label_of_an_expression_exists(expression: str) -> None:
    bare = re.sub(r'"[^"]*"|\[\w+\]', "", expression)
    names = set(re.findall(r"[a-z_]{2,}", bare)) - WORDS - ADDED - set().union(*OURS.values())
    assert names <= known_names()
    assert names or bare.startswith("up{")


@pytest.mark.parametrize("expression", expressions())
def test_labels_are_those_of_the_metric(expression: str) -> None:
    used = {name.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for name in group.split(",")}
    used |= set(re.findall(r"(\w+)(?:=~|!~|!=|=)\"", expression))
    named = [labels for name, labels in OURS.items() if name in expression]
    assert used <= ADDED.union(*named)


def test_every_metric_of_ours_is_shown_somewhere() -> None:
    text = "\n".join(expressions())
    assert len(OURS) > 10
    assert [name for name in OURS if name not in text] == []


def gauge(name: str) -> dict[str, float]:
    """Return the gauge's value for each periodic task."""
    return {
        sample.labels["task"]: sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name == name
    }


async def test_a_task_is_missed_only_after_its_own_turns_and_also_when_it_was_never_done(
    tmp_path: Path, pool: WorkerPool
) -> None:
    rules = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"][0]["rules"]
    expression = next(rule["expr"] for rule in rules if rule["alert"] == "MelodifyMaintenanceMissed")
    done, grace_s, turns, every = re.fullmatch(
        r"time\(\) - max by \(task\) \((\w+)\) > (\d+) \+ (\d+) \* max by \(task\) \((\w+)\)", expression
    ).groups()  # type: ignore[union-attr]  # else the test must be rewritten
    metrics.maintenance_done.clear()
    metrics.maintenance_every_seconds.clear()
    opened_at = time.time()
    async with open_services(story_settings(tmp_path), RecordingDelivery(), pool):
        done_at, every_s = gauge(done), gauge(every)
    assert {"retention", "left servers", "queue", "positions", "cancellations"} <= done_at.keys()
    assert done_at.keys() == every_s.keys()
    for task, period_s in every_s.items():
        assert done_at[task] >= opened_at
        allowed_s = int(grace_s) + int(turns) * period_s
        assert period_s + 600 < allowed_s < 3 * 3600
