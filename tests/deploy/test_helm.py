"""The chart renders, and what it renders is valid for every version of Kubernetes it names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from support.deploy import DEPLOY, check_configuration, options_of, tool
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.cli.serve_command import serve

CHART = DEPLOY / "helm" / "tiergate"
VERSIONS = ("1.25", "1.31", "1.37")
"""The oldest that the chart names, one between, and the newest whose schemas can be had."""
EVERYTHING: JsonObject = {
    "image": {"digest": "sha256:" + "0" * 64},
    "imagePullSecrets": [{"name": "registry"}],
    "workers": 4,
    "secret": {"values": {"TIERGATE_MASTER_KEY": "a-long-random-key-7Hq2", "OTHER": "1"}},
    "env": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
    "extraArgs": ["--strict"],
    "autoscaling": {"enabled": True},
    "podDisruptionBudget": {"minAvailable": "50%"},
    "networkPolicy": {"enabled": True, "from": [{"podSelector": {"matchLabels": {"a": "b"}}}]},
    "podAnnotations": {"a": "b"},
    "podLabels": {"team": "models"},
    "nodeSelector": {"kubernetes.io/arch": "amd64"},
    "tolerations": [{"key": "a", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "high",
    "service": {"type": "LoadBalancer", "annotations": {"a": "b"}},
    "serviceAccount": {"annotations": {"a": "b"}},
    "reloadOnChange": False,
}
LEAST: JsonObject = {
    "existingConfigMap": "ours",
    "secret": {"existingSecret": "ours"},
    "serviceAccount": {"create": False},
    "podDisruptionBudget": {"enabled": False},
    "spread": False,
}
CASES = pytest.mark.parametrize(
    "values", [{}, EVERYTHING, LEAST], ids=["defaults", "everything", "least"]
)


def written(values: JsonObject, folder: Path) -> list[str]:
    path = folder / "values.json"
    path.write_text(json.dumps(values))
    return ["--values", str(path)]


def rendered(values: JsonObject, folder: Path) -> str:
    done = tool("helm", "template", "release", CHART, *written(values, folder))
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(values: JsonObject, folder: Path) -> dict[str, JsonObject]:
    """What is rendered, by kind."""
    found = [each for each in yaml.safe_load_all(rendered(values, folder)) if each]
    return {each["kind"]: each for each in found if "helm.sh/hook" not in str(each["metadata"])}


def container(values: JsonObject, folder: Path) -> JsonObject:
    pod = objects(values, folder)["Deployment"]["spec"]["template"]["spec"]
    (found,) = pod["containers"]
    return found


@CASES
def test_helm_finds_nothing_wrong(values: JsonObject, tmp_path: Path) -> None:
    done = tool("helm", "lint", "--strict", CHART, *written(values, tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr


@CASES
@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_would_accept_what_it_renders(
    values: JsonObject, version: str, tmp_path: Path
) -> None:
    path = tmp_path / "rendered.yaml"
    path.write_text(rendered(values, tmp_path))
    done = tool("kubernetes-validate", "--strict", "-k", version, path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Deployment".lower() in done.stdout


def test_it_would_find_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "rendered.yaml"
    path.write_text(rendered({}, tmp_path).replace("readinessProbe:", "readynessProbe:"))
    assert tool("kubernetes-validate", "--strict", "-k", VERSIONS[-1], path).returncode != 0


@pytest.mark.parametrize(
    "values",
    [
        {"workers": 0},
        {"replicas": 3},
        {"drain": {"delay": "10s"}},
        {"secret": {"values": {"no name": "x"}}},
        {"service": {"type": "Ingress"}},
        {"image": {"digest": "latest"}},
    ],
    ids=str,
)
def test_values_that_cannot_be_meant_are_refused(values: JsonObject, tmp_path: Path) -> None:
    done = tool("helm", "template", "release", CHART, *written(values, tmp_path))
    assert done.returncode != 0
    assert "schema" in done.stderr


@CASES
def test_the_gateway_is_started_with_our_options(values: JsonObject, tmp_path: Path) -> None:
    words: Sequence[str] = container(values, tmp_path)["args"]
    assert words[0] == "serve"
    context = serve.make_context("serve", [*words[1:]], resilient_parsing=True)
    assert str(context.params["configs"][0]) == "/etc/tiergate/config.yaml"
    known = {option for parameter in serve.params for option in parameter.opts}
    assert set(options_of(words)) <= known
    assert ("--watch" in words) is (values is not EVERYTHING)


def test_the_default_configuration_is_good(tmp_path: Path) -> None:
    text: str = objects({}, tmp_path)["ConfigMap"]["data"]["config.yaml"]
    path = tmp_path / "config.yaml"
    path.write_text(text)
    keys = dict.fromkeys(("ANTHROPIC_API_KEY", "TIERGATE_MASTER_KEY"), "value-of-the-test-7Hq2")
    done = check_configuration(path, keys)
    assert done.returncode == 0, done.stdout + done.stderr


def test_kubernetes_waits_longer_than_a_pod_drains(tmp_path: Path) -> None:
    drain = {"delay": 7, "timeout": 300}
    spec = objects({"drain": drain}, tmp_path)["Deployment"]["spec"]["template"]["spec"]
    assert spec["terminationGracePeriodSeconds"] == 7 + 300 + 30
    words = spec["containers"][0]["args"]
    assert "--drain-delay=7" in words
    assert "--drain-seconds=300" in words


def test_the_delay_is_longer_than_readiness_takes_to_be_noticed() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    probe = values["probes"]["readiness"]
    noticed = probe["periodSeconds"] * probe["failureThreshold"] + probe["timeoutSeconds"]
    assert values["drain"]["delay"] > noticed


@CASES
def test_liveness_asks_the_process_alone_and_readiness_asks_its_parts(
    values: JsonObject, tmp_path: Path
) -> None:
    found = container(values, tmp_path)
    paths = {name: found[f"{name}Probe"]["httpGet"]["path"] for name in PROBES}
    assert paths == PROBES


PROBES = {
    "startup": "/health/liveliness",
    "liveness": "/health/liveliness",
    "readiness": "/health/readiness",
}


@CASES
def test_a_pod_has_no_rights(values: JsonObject, tmp_path: Path) -> None:
    spec = objects(values, tmp_path)["Deployment"]["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["automountServiceAccountToken"] is False
    assert spec["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_keys_are_in_secrets_alone(tmp_path: Path) -> None:
    found = objects(EVERYTHING, tmp_path)
    holders = [kind for kind, each in found.items() if "7Hq2" in json.dumps(each)]
    assert holders == ["Secret"]
    source = container(EVERYTHING, tmp_path)["envFrom"]
    assert source == [{"secretRef": {"name": found["Secret"]["metadata"]["name"]}}]
    assert container(LEAST, tmp_path)["envFrom"] == [{"secretRef": {"name": "ours"}}]


def test_a_changed_secret_or_configuration_starts_new_pods_where_it_must(tmp_path: Path) -> None:
    def marks(values: JsonObject) -> Json:
        pod = objects(values, tmp_path)["Deployment"]["spec"]["template"]["metadata"]
        return pod["annotations"]

    other = {**EVERYTHING, "config": {"model_list": []}}
    assert marks(EVERYTHING)["checksum/config"] != marks(other)["checksum/config"]
    again = {**EVERYTHING, "secret": {"values": {"TIERGATE_MASTER_KEY": "another"}}}
    assert marks(EVERYTHING)["checksum/secret"] != marks(again)["checksum/secret"]
    assert not marks({}), "the gateway reloads by itself"


def test_the_autoscaler_alone_decides_how_many_there_are(tmp_path: Path) -> None:
    found = objects(EVERYTHING, tmp_path)
    assert "replicas" not in found["Deployment"]["spec"]
    assert found["HorizontalPodAutoscaler"]["spec"]["minReplicas"] == 2
    assert objects({}, tmp_path)["Deployment"]["spec"]["replicas"] == 2


def test_one_selector_finds_the_pods_and_not_the_test_of_the_chart(tmp_path: Path) -> None:
    found = objects(EVERYTHING, tmp_path)
    selector = found["Service"]["spec"]["selector"]
    assert found["Deployment"]["spec"]["selector"]["matchLabels"] == selector
    assert found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == selector
    assert found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == selector
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert selector.items() <= labels.items()
    pods = [each for each in yaml.safe_load_all(rendered({}, tmp_path)) if each["kind"] == "Pod"]
    for pod in pods:
        assert not selector.items() <= pod["metadata"]["labels"].items()


def test_prometheus_operators_get_a_monitor_with_a_key_if_one_is_named(tmp_path: Path) -> None:
    monitor: JsonObject = {"enabled": True, "bearerTokenSecret": {"name": "admin"}}
    found = objects({"serviceMonitor": monitor}, tmp_path)["ServiceMonitor"]["spec"]
    (endpoint,) = found["endpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("http", "/metrics")
    assert endpoint["authorization"]["credentials"] == {
        "name": "admin", "key": "TIERGATE_MASTER_KEY",
    }  # fmt: skip
