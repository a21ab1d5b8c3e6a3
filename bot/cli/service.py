"""What starts the bot with the machine: a systemd unit for a person or for the system, or a Compose file."""

import os
import pwd
import sys
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

from bot.cli.setup_files import NewFile
from melodify_core.config import files
from melodify_core.data_files import read_text

Service = Literal["none", "user", "system", "compose"]
SERVICES: tuple[Service, ...] = get_args(Service)
# A paid call is waited for: `work.drain_s` and the longest call, as in compose.yaml.
STOP_S = 210
SYSTEM_UNITS = Path("/etc/systemd/system")


def service_file(service: Service, config: Path, data: Path) -> NewFile | None:
    """Return the file that starts the bot with `config`, whose data is in `data`; None for "none"."""
    folder = config.parent
    match service:
        case "none":
            return None
        case "user":
            home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
            hint = "systemctl --user daemon-reload && systemctl --user enable --now melodify && loginctl enable-linger"
            return NewFile(home / "systemd/user/melodify.service", _unit(config), 0o644, hint=hint)
        case "system":
            user = pwd.getpwuid(os.getuid()).pw_name
            more = _template("system").format(user=_escaped(user), data=_quoted(str(data)))
            text = _unit(config, more, "multi-user.target")
            hint = "sudo systemctl daemon-reload && sudo systemctl enable --now melodify"
            return NewFile(SYSTEM_UNITS / "melodify.service", text, 0o644, hint=hint)
        case "compose":
            names = {"config": config, "folder": folder, "data": data}
            text = _template("compose.yaml").format(uid=os.getuid(), gid=os.getgid(), stop_s=STOP_S, **names)
            return NewFile(folder / "compose.yaml", text, 0o644, hint=f"cd {folder} && docker compose up -d")


def moved_compose(config: Path, old: Path, new: Path) -> list[NewFile]:
    """Return the Compose file beside `config` for a data folder that was `old`, where there is one that says so."""
    file = service_file("compose", config, new)
    if file is None or old == new or not file.path.exists():
        return []
    before = after = files.read_text(file.path)
    for place in ("{0}/files", "sqlite:///{0}/melodify.db", "- {0}:{0}"):
        after = after.replace(place.format(old), place.format(new))
    return [replace(file, text=after)] if after != before else []


def _unit(config: Path, more: str = "", target: str = "default.target") -> str:
    words = (sys.executable, "-m", "bot", "--config", str(config), "run")
    command = " ".join(_quoted(word) for word in words)
    folder = _escaped(str(config.parent))
    return _template("melodify.service").format(folder=folder, command=command, stop_s=STOP_S, more=more, target=target)


def _template(name: str) -> str:
    return read_text("bot.cli", f"templates/{name}.txt")


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(word: str) -> str:
    """Return the word as systemd reads it in a command: one word, whatever is in it."""
    text = _escaped(word).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{text}"' if set(text) & set(" \t'\"\\;") else text
