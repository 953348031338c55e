#!/usr/bin/env python3
"""Compares the bot under its two locking strategies.

Builds the bot with and without the feature `single-writer`, writes a seeded input, and lets several processes at once
replay the same posts into one database, under each strategy in turn; readers can run `status` and `search` meanwhile.
Prints a table, the medians of all rounds, and fails if a post is missing or stands twice, an operation failed, or several
processes decided anything else than one does.

Needs cargo and Python's standard library.
"""

import argparse
import hashlib
import itertools
import json
import os
import pathlib
import platform
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Strategy, as the bot names it, and what builds it. The default build comes last, so that it is what stays in the target
# folder.
STRATEGIES = {"single-writer": ["--features", "single-writer"], "timeout-retry": []}


def main():
    options = arguments()
    binaries = {name: build(name, flags) for name, flags in STRATEGIES.items()}
    with tempfile.TemporaryDirectory(prefix="firsthand-compare-") as name:
        folder = pathlib.Path(name)
        posts = write_input(folder / "posts.jsonl", options.posts, options.seed)
        say(f"{len(posts):,} posts, seed {options.seed}; {options.processes} processes on one database, "
            f"{options.batch} posts a write, {options.readers} readers, {options.rounds} rounds of each strategy")
        # What one process decides alone is what any number of them must decide.
        alone, faults = run(binaries["timeout-retry"], folder, "alone", posts, options.batch, processes=1, readers=0)
        rounds = {strategy: [] for strategy in STRATEGIES}
        for number in range(1, options.rounds + 1):
            # Interleaved, and the first one changes, so that a busy minute of the machine hits both.
            order = list(STRATEGIES) if number % 2 else list(STRATEGIES)[::-1]
            for strategy in order:
                measured, found = run(binaries[strategy], folder, strategy, posts, options.batch,
                                      options.processes, options.readers)
                if measured["decisions"] != alone["decisions"]:
                    found.append("several processes decided otherwise than one alone")
                faults += [f"{strategy}, round {number}: {fault}" for fault in found]
                rounds[strategy].append(measured)
                say(f"round {number}, {strategy}: {measured['posts_per_second']:,.0f} posts/s")
    medians = {strategy: median(measured) for strategy, measured in rounds.items()}
    if options.json:
        print(json.dumps({"machine": machine(), "posts": len(posts), "rounds": options.rounds, "batch": options.batch,
                          "processes": options.processes, "readers": options.readers, "seed": options.seed, "medians": medians, "faults": faults}, indent=2))
    else:
        print(table(medians, options.readers > 0))
        print(f"Medians of {options.rounds} rounds on {machine()}. Latencies are those of the slowest process, from the "
              "call of a write until it is durable; a read's is that of a whole command. Retries and failures are sums; "
              "fairness is the slowest process's speed over the fastest's.")
        print("Nothing is missing: every post is archived once, and decided as one process alone decides it."
              if not faults else "FAULTS:\n" + "\n".join(f"  {fault}" for fault in faults))
    return 1 if faults else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--posts", type=int, help="posts in the input (default 50000; with --quick 4000)")
    parser.add_argument("--rounds", type=int, help="rounds of each strategy (default 3; with --quick 1)")
    parser.add_argument("--batch", type=int, default=20, help="posts that share a write transaction (default 20)")
    parser.add_argument("--processes", type=int, default=2, help="processes that replay at once (default 2)")
    parser.add_argument("--readers", type=int, default=0,
                        help="readers that meanwhile run `status` and `search` in turn (default 0)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the input (default 1)")
    parser.add_argument("--quick", action="store_true", help="one small round: does it work at all?")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    options = parser.parse_args()
    if options.posts is None:
        options.posts = 4_000 if options.quick else 50_000
    if options.rounds is None:
        options.rounds = 1 if options.quick else 3
    if min(options.posts, options.rounds, options.batch, options.processes, options.readers + 1) < 1:
        parser.error("posts, rounds, batch and processes must be positive, readers not negative")
    return options


def say(text):
    """Progress goes to standard error, so that standard output holds the result alone."""
    print(text, file=sys.stderr, flush=True)


def build(name, flags):
    """Builds the bot and puts the binary where the next build does not replace it."""
    say(f"building with {name} …")
    command = ["cargo", "build", "--release", "--locked", "--bin", "firsthand", "--message-format=json", *flags]
    built = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    if built.returncode != 0:
        sys.exit(f"compare_bot: `{' '.join(command)}` failed")
    messages = (json.loads(line) for line in built.stdout.splitlines() if line.startswith("{"))
    executables = [message["executable"] for message in messages if message.get("executable")]
    kept = pathlib.Path(executables[-1]).parent.parent / "compare-bot" / name / "firsthand"
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(executables[-1], kept)
    return kept


def run(binary, folder, name, posts, batch, processes, readers):
    """One round: the processes start together. Returns what was measured, and what went wrong."""
    database = folder / f"{name}.db"

    def command(*arguments):
        return [str(binary), *arguments[:1], "--database", str(database), *arguments[1:]]

    # A configuration of whoever runs this would change what is compared.
    environment = {key: value for key, value in os.environ.items()
                   if not key.startswith("FIRSTHAND_") and key != "CREDENTIALS_DIRECTORY"}
    how = {"cwd": folder, "env": environment, "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
           "stderr": subprocess.PIPE, "text": True}
    # So that readers find a database from the start.
    subprocess.run(command("migrate"), check=True, **how)
    over = threading.Event()
    reading = [Reader([command("status", "--json"), command("search", "tides")], how, over) for _ in range(readers)]
    running = [subprocess.Popen(command("replay", "--json", "--batch", str(batch), str(folder / "posts.jsonl")), **how)
               for _ in range(processes)]
    for reader in reading:
        reader.start()
    faults, results = [], []
    for process in running:
        out, err = process.communicate()
        if process.returncode != 0:
            faults.append(f"a process ended with exit code {process.returncode}: {err.strip() or out.strip()}")
        else:
            results.append(json.loads(out))
    over.set()
    for reader in reading:
        reader.join()
    if len(results) < processes:
        sys.exit("compare_bot: " + "; ".join(faults))
    locks = [result["lock"] for result in results]
    reads = sorted(latency for reader in reading for latency in reader.latencies_ms)
    failures = sum(lock["busy"] + lock["failures"] for lock in locks)
    if failures:
        faults.append(f"{failures} operations failed")
    faults += [f"a reader failed: {fault}" for reader in reading for fault in reader.faults]
    wanted = "timeout-retry" if name == "alone" else name
    faults += [f"ran on {lock['strategy']}" for lock in locks if lock["strategy"] != wanted]
    decisions, found = inspect(database, posts)
    speeds = [result["posts"] / result["seconds"] for result in results]
    measured = {
        "posts_per_second": sum(result["posts"] for result in results) / max(result["seconds"] for result in results),
        **{f"write_{which}_ms": max(lock["write_latency"][f"{which}_us"] for lock in locks) / 1000
           for which in ["p50", "p99", "p999", "max"]},
        "retries": sum(lock["retries"] for lock in locks),
        "failures": failures + sum(len(reader.faults) for reader in reading),
        "fairness": min(speeds) / max(speeds),
        "reads_per_second": len(reads) / max(result["seconds"] for result in results),
        "read_p50_ms": percentile(reads, 0.5),
        "read_p99_ms": percentile(reads, 0.99),
        "decisions": decisions,
    }
    for rest in folder.glob(f"{name}.db*"):
        rest.unlink()
    return measured, faults + found


class Reader(threading.Thread):
    """Runs commands that only read, in turn, until it is over."""

    def __init__(self, commands, how, over):
        super().__init__()
        self.commands, self.how, self.over = commands, how, over
        self.latencies_ms, self.faults = [], []

    def run(self):
        for command in itertools.cycle(self.commands):
            if self.over.is_set():
                return
            began = time.monotonic()
            done = subprocess.run(command, **self.how)
            self.latencies_ms.append((time.monotonic() - began) * 1000)
            # 3: nothing found, which is true until the first posts are there.
            if done.returncode not in (0, 3):
                self.faults.append(f"exit code {done.returncode}: {done.stderr.strip()}")


def percentile(values, share):
    """Of sorted values; 0 of none."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def inspect(database, posts):
    """Reads the archive: what was decided, as one hash, and whether every post stands in it once."""
    faults = []
    with sqlite3.connect(database) as connection:
        archived = [row[0] for row in connection.execute("SELECT remote_id FROM posts")]
        decided = connection.execute(
            "SELECT p.remote_id, v.action, v.rule, m.remote_id, o.remote_id FROM verdicts v"
            " JOIN posts p ON p.id = v.post_id LEFT JOIN posts m ON m.id = v.matched_post_id"
            " JOIN things t ON t.id = v.thing_id LEFT JOIN posts o ON o.id = t.original_post_id"
            " ORDER BY p.remote_id").fetchall()
        waiting = connection.execute("SELECT count(*) FROM outbox").fetchone()[0]
    connection.close()
    missing = len(set(posts) - set(archived))
    if missing:
        faults.append(f"{missing} posts are missing from the archive")
    if len(archived) != len(set(archived)) or set(archived) - set(posts):
        faults.append("posts stand in the archive twice, or were never in the input")
    if len(decided) != len(posts):
        faults.append(f"{len(decided)} verdicts on {len(posts)} posts")
    if waiting:
        faults.append(f"{waiting} rows in the outbox, where a replay puts none")
    return hashlib.sha256(json.dumps(decided).encode()).hexdigest(), faults


def median(measured):
    numbers = [key for key in measured[0] if key != "decisions"]
    return {key: statistics.median(one[key] for one in measured) for key in numbers}


def table(medians, reads):
    """Markdown, aligned."""
    columns = [("posts/s", "posts_per_second", ",.0f"), ("write p50 ms", "write_p50_ms", ",.2f"),
               ("p99 ms", "write_p99_ms", ",.1f"), ("p99.9 ms", "write_p999_ms", ",.1f"),
               ("longest ms", "write_max_ms", ",.1f"), ("retries", "retries", ",.0f"),
               ("failures", "failures", ",.0f"), ("fairness", "fairness", ".2f")]
    if reads:
        columns += [("reads/s", "reads_per_second", ",.1f"), ("read p50 ms", "read_p50_ms", ",.1f"),
                    ("p99 ms", "read_p99_ms", ",.1f")]
    rows = [["strategy", *(title for title, _, _ in columns)]]
    rows += [[name, *(format(row[key], form) for _, key, form in columns)] for name, row in medians.items()]
    widths = [max(map(len, column)) for column in zip(*rows)]
    rows.insert(1, ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    return "\n".join("| " + " | ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) + " |"
                     for row in rows)


def machine():
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


# The input: invented words and people, and copies in every form that people use.

ONSETS = "b c d f g h k l m n p r s t v w z br dr fl gr kl pr st tr sh".split()
VOWELS = "a e i o u ai ea oo".split()
ENDS = ["", "", "", "n", "r", "s", "l", "th", "nd"]


def write_input(path, count, seed):
    """Writes `count` posts and returns their ids. The same seed gives the same file."""
    rng = random.Random(seed)
    words = list(dict.fromkeys("".join(rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(ENDS)
                                       for _ in range(rng.randint(1, 3))) for _ in range(20_000)))
    weights = list(itertools.accumulate(1 / (rank + 2.7) for rank in range(1, len(words) + 1)))
    people = [f"{words[-n]}_{n}" for n in range(1, 2_000)]
    posts, originals = [], []
    for number in range(count):
        author = rng.choice(people)
        kind = rng.random()
        if kind < 0.30 and originals:
            # Mostly of what is fresh, as people do.
            recent = originals[-400:] if rng.random() < 0.8 else originals
            text = copy(rng, *rng.choice(recent), people, words)
        elif kind < 0.32:
            text = (f"Harbour report number {rng.randint(1, 10**6)}: wind {rng.randint(1, 90)} knots from the "
                    f"{rng.choice(words)}, {rng.randint(0, 400)} boats in, next report at {rng.randint(0, 23)}:00 #tides")
        else:
            text = " ".join(rng.choices(words, cum_weights=weights, k=rng.randint(6, 24))) + " #tides"
            originals.append((author, text))
        posts.append({"id": str(10**15 + number * 7), "author": author, "text": text, "lang": "en"})
    # Some copies come before what they are copies of.
    for at in range(0, len(posts) - 50, 97):
        other = at + rng.randint(1, 49)
        posts[at], posts[other] = posts[other], posts[at]
    start = 1_750_000_000
    with open(path, "w", encoding="utf-8") as file:
        for number, post in enumerate(posts):
            moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start + number * 2))
            file.write(json.dumps({**post, "created_at": moment}, ensure_ascii=False) + "\n")
    return [post["id"] for post in posts]


def copy(rng, author, text, people, words):
    """One of the forms in which people pass on what others wrote."""
    other = rng.choice(people)
    plain = text.removesuffix(" #tides")
    split = plain.split()
    dropped = rng.randrange(len(split))
    forms = [
        f"RT @{author}: {text}",
        f"rt @{author} {text}",
        f"RT @{other}: RT @{author}: {text}",
        f"{rng.choice(words)} indeed! RT @{author}: {text}",
        f"MT @{author}: {text}",
        f"{text} (via @{author})",
        f"{text} via @{author}",
        f"“{text}” @{author}",
        f"\"@{author}: {text}\" so true",
        f"RT @{author}: {text[:max(30, len(text) * 2 // 3)]}…",
        text,
        f"{plain.upper()} #tides #{rng.choice(words)}",
        f"{text} https://t.example/{rng.randrange(10**8):x}",
        " ".join(split[:dropped] + split[dropped + 1:]) + " #tides",
    ]
    return rng.choice(forms)


if __name__ == "__main__":
    sys.exit(main())
