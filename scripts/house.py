"""House rules that no other tool checks: what may not stand in a tracked file, and what must."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# the address of a package index, or a path of somebody's machine
FORBIDDEN = re.compile(r"index-url|\"resolved\": \"http|/home/[a-z]|/root/|/work/")
LOCKED_ADDRESS = re.compile(r"https?://")
MAX_LINES = 500


def tracked() -> list[Path]:
    out = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in out.decode().split("\0") if name]


def problems() -> list[str]:
    found = []
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        if not path.exists() or name == "scripts/house.py":
            continue
        if name == "uv.lock":
            found.append("uv.lock is tracked: it names an index host")
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            allowed = "--no-emit-index-url" in line or "global.index-url" in line
            locked = path.suffix == ".lock" and LOCKED_ADDRESS.search(line)
            if locked or (FORBIDDEN.search(line) and not allowed):
                found.append(f"{name}:{number}: machine path or registry address: {line.strip()[:80]}")
        if path.suffix == ".py" and len(text.splitlines()) > MAX_LINES:
            found.append(f"{name}: {len(text.splitlines())} lines; is it still one thing?")
    rooms = {p.parent.name for p in (ROOT / "src/wholedose").glob("*/__init__.py")}
    pages = {room: "validation-room" if room == "validation" else room for room in sorted(rooms)}
    missing = [room for room, page in pages.items() if not (ROOT / f"docs/{page}.md").exists()]
    return found + [f"room {room} has no page in docs/" for room in missing]


if __name__ == "__main__":
    found = problems()
    print("\n".join(found))
    sys.exit(1 if found else 0)
