"""The dashboard of Grafana and the alerts of Prometheus ask for what a running server tells."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from fixtures.servers import serving
from storycore.operations.catalog import OPERATIONS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/monitoring"


@pytest.fixture(scope="module")
def monitoring():
    spec = importlib.util.spec_from_file_location("monitoring", ROOT / "docs/monitoring.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["monitoring"] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    yield module
    del sys.modules["monitoring"]


@pytest.fixture(scope="module")
def dashboard():
    return json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def rules():
    (group,) = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return group["rules"]


@pytest.fixture(scope="module")
def scrape(tmp_path_factory):
    """Names and labels in what a real server tells; of ComfyUI servers it has only the names, since it knows none."""
    with serving(tmp_path_factory.mktemp("films")) as url:
        text = httpx.get(f"{url}/metrics").text
    families = list(text_string_to_metric_families(text))
    told = {sample.name: set(sample.labels) for it in families for sample in it.samples}
    return {**{it.name: set() for it in families if not it.samples}, **told}


def asked(expression):
    """Figures that an expression of Prometheus asks for."""
    return set(re.findall(r"storycore_\w+", expression))


def test_both_are_as_the_code_makes_them(monitoring):
    """`python3 run.py fix` writes them anew."""
    written = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert written == monitoring.files()


def test_every_figure_that_is_asked_for_is_told_by_a_running_server(scrape, dashboard, rules):
    panels = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    alerts = [rule["expr"] for rule in rules]
    assert len(panels) > 20
    assert [
        (expression, missing) for expression in (*panels, *alerts) if (missing := asked(expression) - set(scrape))
    ] == []


def test_every_figure_of_ours_that_is_told_is_shown(scrape, dashboard):
    shown = set().union(
        *(asked(target["expr"]) for panel in dashboard["panels"] for target in panel.get("targets", ()))
    )
    told = {re.sub("_(count|sum)$", "_bucket", name) for name in scrape if name.startswith("storycore_")}
    assert told - shown == set()


def test_what_lines_are_parted_by_are_labels_of_a_running_server(scrape, dashboard):
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            (name,) = asked(target["expr"])
            parted = {label for found in re.findall(r"by \(([^)]+)\)", target["expr"]) for label in found.split(", ")}
            assert parted <= scrape[name] or not scrape[name], target["expr"]


def test_the_dashboard_fits_any_grafana(dashboard):
    """No panel has another's number or place, and none names a data source of the one who made it."""
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    covered = [
        (place["x"] + x, place["y"] + y)
        for place in (panel["gridPos"] for panel in panels) for x in range(place["w"]) for y in range(place["h"])
    ]  # fmt: skip
    assert (len(set(covered)), max(x for x, _ in covered)) == (len(covered), 23)
    sources = re.findall(r'"uid": "([^"]+)"', json.dumps(dashboard["panels"]))
    assert set(sources) == {"${datasource}"}
    assert "datasource" in [variable["name"] for variable in dashboard["templating"]["list"]]


def test_a_panel_of_what_there_is_not_is_refused(monitoring):
    exports = monitoring.figures()["storycore_exports_total"]
    panel = monitoring.Panel(title="x", figure=exports.name, by="colour")
    with pytest.raises(ValueError, match="no label colour"):
        list(monitoring.expressions(panel, exports))


def test_commands_and_pages_that_alerts_advise_exist(rules):
    known = {operation.words for operation in OPERATIONS} | {("serve",), ("worker",), ("doctor",)}
    advised = [command for rule in rules for command in
               re.findall(r"`storycore ([^`]+)`", rule["annotations"]["description"])]  # fmt: skip
    assert len(advised) >= len(rules) - 2
    assert [command for command in advised if tuple(re.split(" -", command)[0].split()) not in known] == []


def test_the_page_tells_every_alert(rules):
    page = (ROOT / "docs/monitoring.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(StoryCore\w+)` \|", page, re.MULTILINE) == [rule["alert"] for rule in rules]


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed (Debian: prometheus)")
def test_prometheus_itself_takes_the_rules_and_the_expressions(dashboard, tmp_path):
    run = subprocess.run(["promtool", "check", "rules", FOLDER / "alerts.yml"], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    rules = [{"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m").replace("$job", ".*")}
             for number, expression in enumerate(expressions)]  # fmt: skip
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    run = subprocess.run(["promtool", "check", "rules", tmp_path / "panels.yml"], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
