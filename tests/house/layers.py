#!/usr/bin/env python3
"""Fails when the tree breaks gateway/layers.txt: an include of a folder that is not allowed, a third-party header outside its one
folder, a folder without a row, a banned header, a file that has grown too long. Usage: layers.py REPO

It first plants breaches in a small tree of its own and demands that each is found: a check that cannot fail proves nothing.
"""

import re
import sys
import tempfile
from pathlib import Path

# Package (the names of layers.txt) -> how its headers begin. A package of layers.txt that is missing here is a fault.
PACKAGES = {
    "OpenSSL": ("openssl/",),
    "RapidJSON": ("rapidjson/",),
    "expat": ("expat.h",),
    "PocoNet": ("Poco/Net/",),
    "PocoUtil": ("Poco/Util/",),
    "SQLite": ("sqlite3.h",),
    "libpq": ("libpq-fe.h", "libpq/"),
    "zlib": ("zlib.h", "zconf.h"),
    "RE2": ("re2/",),
    "Pango": ("pango/", "cairo", "hb.h", "hb-", "fontconfig/", "ft2build.h", "freetype/", "glib", "gio/"),
    "qpdf": ("qpdf/",),
    "cmark": ("cmark-gfm",),
    "ICU": ("unicode/",),
    "libcurl": ("curl/",),
}
# Poco's Foundation (streams, threads, pointers) comes with any Poco package and only there.
POCO_FOUNDATION = "Poco/"

BANNED = {
    "rapidjson/document.h": "recurses for ever on `value == 1` in C++20 mode: use Reader and Writer",
    "Poco/Net/HTTPServer.h": "mis-frames messages: the gateway has its own HTTP loop",
    "regex": "std::regex overflows the stack on long input: use RE2",
}

STANDARD = set(
    """algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes climits clocale cmath
    codecvt compare complex concepts condition_variable coroutine csetjmp csignal cstdarg cstddef cstdint cstdio cstdlib cstring ctime
    cwchar cwctype deque exception execution filesystem format forward_list fstream functional future initializer_list iomanip ios
    iosfwd iostream istream iterator latch limits list locale map memory memory_resource mutex new numbers numeric optional ostream
    queue random ranges ratio scoped_allocator semaphore set shared_mutex source_location span sstream stack stdexcept stop_token
    streambuf string string_view strstream syncstream system_error thread tuple type_traits typeindex typeinfo unordered_map
    unordered_set utility valarray variant vector version""".split()
)
SYSTEM = set(
    """dirent.h errno.h fcntl.h malloc.h poll.h pthread.h pwd.h sched.h signal.h stdint.h sys/file.h sys/mman.h sys/random.h sys/resource.h
    sys/stat.h sys/statvfs.h sys/time.h sys/types.h sys/uio.h sys/wait.h time.h unistd.h""".split()
)
# The network is a door too: only these folders may open one.
SOCKETS = ("sys/socket.h", "sys/un.h", "sys/epoll.h", "sys/eventfd.h", "netinet/", "arpa/", "netdb.h")
SOCKET_FOLDERS = {"crypto", "inbound", "outbound", "app"}

# Folders without a row of their own: generated tables, data of the folder above.
GENERATED = {"fhir/r4", "definitions/r4"}
MAX_LINES = 600
EMBEDDED = {"gateway/inbound/openapi.cc"}  # a document that is served as it stands
SOURCES = {".h", ".cc"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
# Test folders that may see more than the gateway folder of the same name; support is linked by each that uses it.
TEST_EXTRA = {"store": {"store/memory", "store/sqlite", "store/postgres"}, "queue": {"store/memory"}}
TEST_SEES_ALL = {"fuzz", "bench", "support"}


def read_table(path):
    """folder -> (direct dependencies, packages), in the order of the file."""
    table, faults = {}, []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) != 3:
            faults.append(f"{path.name}:{number}: a row is `folder | depends on | third party`")
            continue
        folder, needs, packages = cells[0], cells[1].split(), cells[2].split()
        # Rows stand below what they depend on: so there can be no cycle.
        for need in needs:
            if need not in table:
                faults.append(f"{path.name}:{number}: {folder} depends on {need}, which has no row above it")
        for package in packages:
            if package not in PACKAGES:
                faults.append(f"{path.name}:{number}: tests/house/layers.py does not know the headers of {package}")
            owners = [other for other, (_, theirs) in table.items() if package in theirs]
            if owners:
                faults.append(f"{path.name}:{number}: {package} belongs to {owners[0]} already")
        table[folder] = (needs, packages)
    return table, faults


def closure(table, folder):
    seen, todo = set(), [folder]
    while todo:
        at = todo.pop()
        if at not in seen:
            seen.add(at)
            todo.extend(table[at][0] if at in table else [])
    return seen


def folder_of(relative, table):
    """The folder of layers.txt that a path below gateway/ belongs to; None if it has no row."""
    parent = "/".join(relative.parts[:-1])
    if parent in GENERATED:
        parent = parent.rsplit("/", 1)[0]
    return parent if parent in table else None


def third_party_fault(header, folder, packages):
    """What is wrong with `#include <header>` in this folder; None if nothing."""
    if header in BANNED:
        return BANNED[header]
    if header in STANDARD or header in SYSTEM:
        return None
    if header.startswith(SOCKETS):
        return None if folder in SOCKET_FOLDERS else "sockets are opened by " + ", ".join(sorted(SOCKET_FOLDERS)) + " only"
    for package, prefixes in PACKAGES.items():
        if header.startswith(prefixes):
            return None if package in packages else f"{package} is not this folder's: see layers.txt"
    if header.startswith(POCO_FOUNDATION):
        return None if any(name.startswith("Poco") for name in packages) else "no Poco package is this folder's: see layers.txt"
    return "nobody knows this header: give it to a package in tests/house/layers.py"


def includes(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1), found.group(2)


def check_gateway(repo, table):
    gateway = repo / "gateway"
    for path in sorted(gateway.rglob("*")):
        if path.suffix not in SOURCES or not path.is_file():
            continue
        relative = path.relative_to(gateway)
        where = path.relative_to(repo)
        folder = folder_of(relative, table)
        if folder is None:
            yield f"{where}: its folder has no row in gateway/layers.txt"
            continue
        allowed = closure(table, folder)
        for number, own, foreign in includes(path):
            if own is not None:
                if not own.startswith("gateway/"):
                    yield f'{where}:{number}: write "{own}" from the root of the repository: "gateway/…"'
                    continue
                target = folder_of(Path(own).relative_to("gateway"), table)
                if target not in allowed:
                    yield f"{where}:{number}: {folder} may not include {own}: see gateway/layers.txt"
            else:
                fault = third_party_fault(foreign, folder, table[folder][1])
                if fault:
                    yield f"{where}:{number}: <{foreign}>: {fault}"


def check_tests(repo, table):
    """tests/<folder> sees what gateway/<folder> sees: an include of more would not link, this says why."""
    tests = repo / "tests"
    for path in sorted(tests.rglob("*")):
        if path.suffix not in SOURCES or not path.is_file():
            continue
        folder = "/".join(path.relative_to(tests).parts[:-1])
        if folder in TEST_SEES_ALL:
            continue
        allowed = closure(table, folder)
        for extra in TEST_EXTRA.get(folder, ()):
            allowed |= closure(table, extra)
        for number, own, _ in includes(path):
            if own is None or not own.startswith("gateway/"):
                continue
            target = folder_of(Path(own).relative_to("gateway"), table)
            if target not in allowed:
                yield f"{path.relative_to(repo)}:{number}: tests/{folder} may not include {own}: see gateway/layers.txt"


def check_lengths(repo):
    for top in ("gateway", "tests", "ops"):
        for path in sorted((repo / top).rglob("*")):
            if path.suffix not in SOURCES | {".py"} or not path.is_file():
                continue
            where = path.relative_to(repo).as_posix()
            if "/".join(path.relative_to(repo / top).parts[:-1]) in GENERATED or where in EMBEDDED:
                continue
            lines = path.read_bytes().count(b"\n")
            if lines > MAX_LINES:
                yield f"{path.relative_to(repo)}: {lines} lines; split it (at most {MAX_LINES})"


def check(repo):
    table, faults = read_table(repo / "gateway" / "layers.txt")
    return faults + [*check_gateway(repo, table), *check_tests(repo, table), *check_lengths(repo)]


def self_test():
    """Each planted breach must be found, and the tree without them must be clean."""
    table = "base | |\njson | base | RapidJSON\nstore | base |\nservice | json store |\napp | service | PocoUtil\n"
    clean = {
        "gateway/layers.txt": table,
        "gateway/base/a.h": "#include <string>\n",
        "gateway/json/a.h": '#include "gateway/base/a.h"\n#include <rapidjson/reader.h>\n',
        "gateway/service/a.cc": '#include "gateway/base/a.h"\n#include "gateway/json/a.h"\n#include <unistd.h>\n',
        "gateway/fhir.md": "",
        "tests/json/a_test.cc": '#include "gateway/json/a.h"\n',
    }
    breaches = {
        "an upward include": {"gateway/json/b.cc": '#include "gateway/service/a.h"\n'},
        "a sideways include": {"gateway/store/b.cc": '#include "gateway/json/a.h"\n'},
        "an include without its folder": {"gateway/json/b.cc": '#include "a.h"\n'},
        "somebody else's library": {"gateway/service/b.cc": "#include <rapidjson/reader.h>\n"},
        "Poco outside its folders": {"gateway/json/b.cc": "#include <Poco/Thread.h>\n"},
        "a banned header": {"gateway/json/b.cc": "#include <rapidjson/document.h>\n"},
        "a header nobody knows": {"gateway/base/b.cc": "#include <boost/asio.hpp>\n"},
        "a socket in the wrong place": {"gateway/service/b.cc": "#include <sys/socket.h>\n"},
        "a folder without a row": {"gateway/wire/b.cc": "\n"},
        "a package that two folders own": {"gateway/layers.txt": table + "xml | base | RapidJSON\n"},
        "a package without known headers": {"gateway/layers.txt": table + "xml | base | libxml2\n"},
        "a dependency below": {"gateway/layers.txt": "base | json |\n" + table[8:]},
        "a test that reaches up": {"tests/json/b_test.cc": '#include "gateway/service/a.h"\n'},
        "a file that is too long": {"gateway/base/b.cc": "\n" * (MAX_LINES + 1)},
    }
    faults = []
    for name, planted in {"nothing": {}, **breaches}.items():
        with tempfile.TemporaryDirectory() as scratch:
            for path, text in {**clean, **planted}.items():
                target = Path(scratch) / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
            found = check(Path(scratch))
        if bool(found) != bool(planted):
            faults.append(f"self-test: planted {name}, found {found or 'nothing'}")
    return faults


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: layers.py REPO")
    faults = self_test() + check(Path(sys.argv[1]).resolve())
    for fault in faults:
        print(fault)
    print(f"{len(faults)} breaches of the layers" if faults else "the layers hold")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
