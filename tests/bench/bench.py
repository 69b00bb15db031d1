"""What all benchmarks share: our tools built, peers installed, runs interleaved, medians, a table, dated raw results.

Used by the `run` programs beside it; needs Python 3.11 alone. A benchmark never judges: it prints what it measured.

    from bench import Bench
    bench = Bench("kmeans")
    python = bench.peers("faiss-cpu==1.12.0")          # an environment of its own, kept from run to run
    ours = bench.tool("rs-kmeans")                      # built in release mode
    runs = bench.measure({"rs": [ours, ...], "faiss": [python, "peer.py", ...]}, repeat=5)
    bench.table("k-means, one thread", runs, against="rs")
    bench.save()
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


class Bench:
    """One benchmark: what it measures ends in results/DATE-NAME.jsonl, a line for each run of each command."""

    def __init__(self, name: str) -> None:
        self.name = name
        cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
        #: Environments and data that may be kept from run to run.
        self.cache = cache / "realsyn" / "bench" / name
        self.cache.mkdir(parents=True, exist_ok=True)
        self.lines: list[dict] = [{"benchmark": name, **machine()}]

    def peers(self, *packages: str) -> Path:
        """The Python of an environment that holds exactly these packages (each as NAME==VERSION)."""
        home = self.cache / "peers"
        said = home / "packages.json"
        if not said.is_file() or json.loads(said.read_text()) != sorted(packages):
            venv.EnvBuilder(with_pip=True, clear=True).create(home)
            command = [home / "bin" / "python", "-m", "pip", "install", "--quiet", *packages]
            subprocess.run(command, check=True, stdout=sys.stderr)
            said.write_text(json.dumps(sorted(packages)))
        self.lines[0].setdefault("peers", sorted(packages))
        return home / "bin" / "python"

    def tool(self, name: str) -> Path:
        """The path of one of our tools, built in release mode."""
        command = ["cargo", "build", "--release", "--locked", "--quiet", "-p", name]
        subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
        target = os.environ.get("CARGO_TARGET_DIR", ROOT / "target")
        return Path(target) / "release" / name

    def corpora(self, *packages: str) -> list[Path]:
        """The folders of unpacked Debian packages."""
        into = self.cache.parent.parent / "corpora"
        subprocess.run([ROOT / "bin" / "fetch-corpus", *packages, "--into", into], check=True, stdout=sys.stderr)
        return [into / package for package in packages]

    def measure(
        self,
        commands: dict[str, list],
        repeat: int = 5,
        warmup: int = 1,
        env: dict[str, str] | None = None,
        **facts,
    ) -> dict[str, dict]:
        """Runs the commands in turn, A B A B ..., and gives for each the median wall and CPU seconds and peak memory.

        A command whose last line of standard output is a JSON object has that object's numbers added (their medians):
        so a peer can say how long its work took without its imports. A command that fails ends the benchmark.
        """
        taken: dict[str, list[dict]] = {name: [] for name in commands}
        for round_ in range(-warmup, repeat):
            for name, command in commands.items():
                figures = once([str(word) for word in command], {**os.environ, **(env or {})})
                if round_ >= 0:
                    taken[name].append(figures)
                    self.lines.append({"command": name, "round": round_, **facts, **figures})
        return {name: medians(runs) for name, runs in taken.items()}

    def note(self, **facts) -> None:
        """Keeps other figures (recall, quality) among the raw results."""
        self.lines.append(facts)

    def table(self, title: str, runs: dict[str, dict], against: str, key: str = "wall_s") -> None:
        """Prints the medians as a Markdown table with each command's `key` as a multiple of `against`'s."""
        keys = list(dict.fromkeys(key for figures in runs.values() for key in figures))
        print(f"\n{title}\n")
        print("| command | " + " | ".join(keys) + f" | {key} / {against}'s |")
        print("|---" * (len(keys) + 2) + "|")
        for name, figures in runs.items():
            cells = [f"{figures[k]:.4g}" if k in figures else "–" for k in keys]
            ratio = figures.get(key, float("nan")) / runs[against][key]
            print(f"| {name} | " + " | ".join(cells) + f" | {ratio:.2f} |")
        sys.stdout.flush()

    def save(self) -> Path:
        """Writes the raw results and says where."""
        path = HERE / "results" / f"{datetime.date.today().isoformat()}-{self.name}.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in self.lines))
        print(f"\nraw results: {path.relative_to(ROOT)}", file=sys.stderr)
        return path


def once(command: list[str], env: dict[str, str]) -> dict:
    """One run: wall seconds, the CPU seconds and the peak memory in MB of the largest process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=env)
    last = b""
    for line in process.stdout:
        last = line
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    # Our tools say 1 when some records were rejected; a peer that says so has failed.
    program = command[3] if command[0] == "taskset" else command[0]
    is_ours = Path(program).name.startswith("rs-")
    if process.returncode not in ((0, 1) if is_ours else (0,)):
        sys.exit(f"bench: exit status {process.returncode}: {' '.join(command)}")
    figures = {"wall_s": wall, "cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024}
    if last.startswith(b"{"):
        try:
            said = json.loads(last)
        except ValueError:
            said = {}
        figures |= {key: value for key, value in said.items() if type(value) in (int, float)}
    return figures


def medians(runs: list[dict]) -> dict:
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def machine() -> dict:
    """Where and when this was measured."""
    model = platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(pages / 2**30),
        "python": platform.python_version(),
        "commit": commit.strip(),
    }


