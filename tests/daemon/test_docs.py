# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation names is there: files, keys with their defaults, commands with their options, pages."""
import glob
import os
import re
import subprocess

import pytest

from installed import BUILD, TOP

GUIDES = ("*.md", "docs/*.md", "tests/**/README.md")
PAGES = ("docs/*.[1-9]",)
EXAMPLES = ("packaging/*",)
FOLDERS = ("agents", "backends", "cluster", "control", "docs", "libswnclient", "ocf", "opener", "packaging", "rpc", "swn", "tests",
           "util", "witnessctl", "witnessd")


def lines(*patterns):
    """(file:line, folder, text) of what the project itself has."""
    for pattern in patterns:
        found = glob.glob(os.path.join(TOP, pattern), recursive=True)
        assert found, pattern
        for path in sorted(found):
            with open(path, encoding="utf-8") as f:
                for number, text in enumerate(f, 1):
                    yield f"{os.path.relpath(path, TOP)}:{number}", os.path.dirname(path), text.rstrip("\n")


def keys():
    """Keys of the configuration with their defaults."""
    with open(os.path.join(TOP, "witnessd/config_keys.c"), encoding="utf-8") as f:
        found = dict(re.findall(r'\{"([a-z]+\.[a-z_]+)", CONFIG_[A-Z]+,\s+"([^"]*)"', f.read()))
    assert len(found) > 70
    return found


def test_links():
    for where, folder, text in lines(*GUIDES):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
            assert "://" in target or os.path.exists(os.path.join(folder, target)), f"{where}: {target}"


def test_files():
    """Paths of the source tree, from its top or from witnessd/; NAME stands for anything."""
    path = re.compile(rf"(?<![\w/.-])((?:{'|'.join(FOLDERS)})/[\w./*-]*[\w*])")
    seen = 0
    for where, folder, text in lines(*GUIDES, *EXAMPLES):
        for name in path.findall(text):
            seen += 1
            found = [base for base in (TOP, os.path.join(TOP, "witnessd"), folder)
                     if glob.glob(os.path.join(base, name.replace("NAME", "*")))
                     or glob.glob(os.path.join(base, name + ".c"))]  # a program that is built of it
            assert found, f"{where}: no {name}"
    assert seen > 60


def test_make():
    """Goals of the Makefile."""
    with open(os.path.join(TOP, "Makefile"), encoding="utf-8") as f:
        goals = set(re.findall(r"^([a-z][a-z%-]*):", f.read(), re.M))
    seen = 0
    for where, _, text in lines(*GUIDES):
        for goal in re.findall(r"(?:`|^    )make ([a-z][a-zA-Z-]*)", text):
            seen += 1
            assert goal in goals or re.sub(r"-.*", "-%", goal) in goals, f"{where}: make {goal}"
    assert seen > 20


def test_pages():
    """References to our pages, in guides and in what programs print."""
    for where, _, text in lines(*GUIDES, *EXAMPLES, "witnessd/*.c", "witnessctl/*.c"):
        for name, section in re.findall(r"\b((?:witness|libswnclient|ctdb-witnessd|ocf_samba)[\w.-]*)\((\d)\)", text):
            assert os.path.exists(os.path.join(TOP, f"docs/{name}.{section}")), f"{where}: {name}({section})"


def counted():
    """Names in brackets in docs/limits.md: no keys, but the daemon counts what they limit."""
    with open(os.path.join(TOP, "docs/limits.md"), encoding="utf-8") as f:
        found = set(re.findall(r"\(`([a-z]+\.[a-z_]+)`\)", f.read())) - set(keys())
    sources = "".join(text for _, _, text in lines("witnessd/**/*.c"))
    for name in found:
        assert f'"{name.split(".")[1]}"' in sources, f"nothing counts {name}"
    return found


def test_keys():
    known, named = keys(), counted()
    sections = "|".join({key.split(".")[0] for key in known})
    seen = 0
    for where, _, text in lines("README.md", "docs/*.md", *PAGES, *EXAMPLES):
        # in backquotes, or as the macros of a page have them
        for key in re.findall(rf"(?:`|Ic |Ql )((?:{sections})\.[a-z_]+\*?)(?=[` ,]|$)", text):
            seen += 1
            assert key in known or key in named or (
                key.endswith("*") and any(k.startswith(key[:-1]) for k in known)), f"{where}: {key}"
    assert seen > 50


def number(text):
    """What a default of docs/limits.md is in the words of the configuration."""
    amount, unit = re.match(r"(?:asked after )?([\d,]+) ?(KiB|MiB|min)?", text).groups()
    return int(amount.replace(",", "")) * {None: 1, "KiB": 1024, "MiB": 1024 * 1024, "min": 60}[unit]


def test_limits():
    """docs/limits.md has the defaults of the keys, and all keys that limit something."""
    known, seen = keys(), set()
    for where, _, text in lines("docs/limits.md"):
        row = re.match(r"\| [^|]*\| `([a-z]+\.[a-z_]+)` \| ([^|]*)\|", text)
        if row:
            seen.add(row[1])
            unit = 1024 * 1024 if row[1] == "rpc.max_buffered" else 1
            assert number(row[2]) == int(known[row[1]]) * unit, f"{where}: {row[1]} is {known[row[1]]}"
    assert {key for key in known if key.split(".")[1].startswith("max_")} <= seen


def configurations():
    """(file, text) of the examples of witnessd.conf: what is indented, or literal, from a section on."""
    ours = {f"[{key.split('.')[0]}]" for key in keys()}
    for pattern in ("README.md", "docs/*.md", "docs/witnessd.conf.5"):
        for path in sorted(glob.glob(os.path.join(TOP, pattern))):
            with open(path, encoding="utf-8") as f:
                text = f.read()
            blocks = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", text, re.M | re.S) if path[-1] == "5" else [
                re.sub("^    ", "", block, flags=re.M) for block in re.findall(r"(?:^(?:    .*)?\n)+", text, re.M)]
            for block in blocks:
                end = re.search(r"^(?!\[|#|$|[a-z_]+ = |\s)", block, re.M)
                block = (block[:end.start()] if end else block).strip("\n")
                if re.search(r"^\[", block, re.M) and set(re.findall(r"^\[.*\]$", block, re.M)) <= ours and "netbios name" not in block:
                    yield os.path.relpath(path, TOP), block + "\n"
    with open(os.path.join(TOP, "packaging/witnessd.conf.example"), encoding="utf-8") as f:
        text = f.read()
    yield "packaging/witnessd.conf.example", text
    yield "packaging/witnessd.conf.example", re.sub(r"^#(?=[a-z_]+ = )", "", text, flags=re.M)


def test_configurations(tmp_path):
    """witnessd takes them."""
    seen = list(configurations())
    assert {where for where, _ in seen} >= {"README.md", "docs/ctdb.md", "docs/witnessd.conf.5"} and len(seen) >= 7
    for where, text in seen:
        path = tmp_path / "witnessd.conf"
        path.write_text(text, encoding="utf-8")
        done = subprocess.run([os.path.join(BUILD, "witnessd"), "--check", "-c", str(path), "-o", f"global.module_dir={BUILD}"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
                              check=False)
        assert done.returncode == 0, f"{where}:\n{text}\n{done.stdout}"


@pytest.fixture(scope="module")
def options():
    """The commands of witnessctl, with the options that their --help names."""
    def say(*words):
        done = subprocess.run([os.path.join(BUILD, "witnessctl"), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{words}: {done.stdout}"
        return done.stdout

    names = re.findall(r"^  ([a-z][a-z-]*)", say("help"), re.M)
    assert len(names) > 25
    return {name: set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", say(name, "--help"))) for name in names}


def commands(text):
    """Command lines of witnessctl: in backquotes, as a line of an example, or as .Ql has them."""
    yield from re.findall(r"`witnessctl ([^`]*)`", text)
    yield from re.findall(r"^(?:    |\.Ql )?witnessctl ([^|#`]*)", text)


def test_command_lines(options):
    """Each is one of a command that there is, with options that it has."""
    front = {"--socket", "--timeout", "--json", "--version", "--help"}
    seen = 0
    for where, _, text in lines("README.md", "docs/*.md", *PAGES):
        for line in commands(text):
            words = line.replace("\\(dq", " ").split()
            while words and words[0].startswith("--"):
                option = words.pop(0)
                named = not words and any(option in own for own in options.values())  # without a command: it is spoken of
                assert option in front or named, f"{where}: witnessctl {line}"
                if option in ("--socket", "--timeout"):
                    words.pop(0)
            if not words or words[0] == "...":
                continue
            name = words[0].rstrip(".,:;)")
            assert name in options, f"{where}: witnessctl {line}"
            seen += 1
            own = words[1:words.index("--")] if "--" in words else words[1:]
            for word in own:
                option = re.match(r"\[?(--[a-z0-9-]+)", word)
                assert not option or option[1] in options[name] | {"--json", "--help"}, f"{where}: witnessctl {line}"
    assert seen > 40
