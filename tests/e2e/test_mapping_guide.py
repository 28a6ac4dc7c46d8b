#!/usr/bin/env python3
"""Runs the commands of docs/mapping-guide.md on its example and compares what they print with what the guide says.

    ```console            "$ command", then what it prints; the commands run in order in a copy of mappings/ with the example in it
    ```command            a command that needs a running gateway: its verb must know the options
    ```WORD FILE          lines that must stand so in docs/mapping-guide/FILE

usage: test_mapping_guide.py            LOTSEN_BINARY is the binary
       test_mapping_guide.py --accept   writes what the commands print into the guide: read the diff
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs/mapping-guide.md"
EXAMPLE = ROOT / "docs/mapping-guide"


def world(folder):
    """A copy of the mappings with the example as mappings/clinic, and the demo's configuration."""
    shutil.copytree(ROOT / "mappings", folder / "mappings")
    shutil.copytree(EXAMPLE, folder / "mappings/clinic")
    text = (ROOT / "ops/demo/gateway.conf.in").read_text()
    for number, file in enumerate(sorted(set(re.findall(r"token_file = (.*)", text)))):
        token = folder / f"{number}.token"
        token.write_text(f"{number}" * 40 + "\n")
        token.chmod(0o600)
        text = text.replace(file, str(token))
    text = text.replace("@ROOT@/mappings", "mappings").replace("@ROOT@", str(ROOT)).replace("@OUT@", str(folder))
    text = text.replace("@PORT_FILE@", str(folder / "port")).replace("@PORT@", "0")
    text = re.sub(r"@(\w+)_URL@", r"http://127.0.0.1:9/\1", text)
    (folder / "gateway.conf").write_text(text)
    (folder / "bin").mkdir()
    (folder / "bin/lotsen").symlink_to(os.environ["LOTSEN_BINARY"])
    return {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}


def run(command, folder, environment):
    done = subprocess.run(["bash", "-c", command], cwd=folder / "mappings/clinic", env=environment, text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.stdout.replace(str(folder) + "/", "")


def main():
    accept = sys.argv[1:] == ["--accept"]
    faults, out, commands = [], [], 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        environment = world(folder)
        blocks = re.split(r"^(```.*)$", GUIDE.read_text(), flags=re.MULTILINE)
        # text, fence, content, closing fence, text, …
        for at in range(0, len(blocks), 4):
            out.append(blocks[at])
            if at + 3 >= len(blocks):
                break
            fence, content = blocks[at + 1], blocks[at + 2]
            word, _, file = fence[3:].partition(" ")
            if word == "console":
                printed = "\n"
                for command in re.findall(r"^\$ (.*)$", content, flags=re.MULTILINE):
                    printed += f"$ {command}\n" + run(command, folder, environment)
                    commands += 1
                if printed != content:
                    faults.append(f"the guide says\n{content}\nbut what is printed is\n{printed}")
                content = printed
            elif word == "command":
                knows = run(" ".join(content.split()[:2]) + " --help", folder, environment)
                faults += [f"{option} is no option of: {content}" for option in re.findall(r"--[a-z-]+", content) if f"  {option}" not in knows]
            elif content[1:] not in (EXAMPLE / file).read_text():
                faults.append(f"{file} does not hold what the guide shows of it:\n{content}")
            out += [fence, content, blocks[at + 3]]
    if accept:
        GUIDE.write_text("".join(out))
    for fault in faults:
        print(fault)
    print(f"{commands} commands, {len(faults)} blocks that differ")
    if commands < 15:
        print("the guide has hardly any commands: was it read?")
    return 1 if faults or commands < 15 else 0


if __name__ == "__main__":
    sys.exit(main())
