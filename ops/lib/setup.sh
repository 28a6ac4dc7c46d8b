# Shared by ops/build, ops/test and ops/run: the packages of Debian 12 that we need, the plain messages, the build steps.
# Sourced, not run. Expects `set -euo pipefail`. Everything here may be called again: what is done already is not done twice.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
jobs=${LOTSEN_JOBS:-$(nproc)}

# What the compiler and linker need, what the product needs to run (fonts), what the demo needs (python3).
packages_build=(
  build-essential cmake ninja-build ccache pkg-config git ca-certificates
  libpoco-dev libexpat1-dev libcurl4-openssl-dev rapidjson-dev libsqlite3-dev libssl-dev libre2-dev zlib1g-dev libicu-dev
  libpango1.0-dev libcairo2-dev libharfbuzz-dev libcmark-gfm-dev libcmark-gfm-extensions-dev
  libgtest-dev libgmock-dev
  fonts-noto-core fonts-liberation python3
)
packages_test=("${packages_build[@]}" libbenchmark-dev poppler-utils curl clang-format-16)
packages_fuzz=(clang-16 libclang-rt-16-dev)
packages_full=("${packages_fuzz[@]}" clang-tidy-16 wrk)

say() { printf '%s\n' "$*"; }
heading() { printf '\n== %s\n' "$*"; }
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}
# Prints the command, then runs it: whoever wants only this step can copy the line.
run() {
  printf '+ %s\n' "$*"
  "$@"
}

# dpkg-query fails if it knows nothing of one of them, which is an answer here: without `|| true` the caller's errexit would
# end this function, and nothing would count as missing.
missing_packages() {
  local wanted installed
  wanted=$(printf '%s\n' "$@" | sort -u)
  installed=$({ dpkg-query -W -f='${db:Status-Abbrev}|${Package}\n' "$@" 2>/dev/null || true; } | sed -n 's/^ii *|//p' | sort -u)
  comm -23 <(printf '%s\n' "$wanted") <(printf '%s\n' "$installed")
}

# need_packages NAME…: installs those that are missing, as root or through sudo. Nothing missing: no apt call, some milliseconds.
need_packages() {
  local missing as_root=()
  command -v dpkg-query >/dev/null || fail "These scripts set up Debian 12; dpkg is not here. Build by hand as in ops/README.md."
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      fail "Missing packages: ${missing[*]}. Run this as root, or have them installed with: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "Installing ${#missing[@]} packages: ${missing[*]}"
  run "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q
  run "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" -eq 0 ] || fail "apt-get ended well, but these packages are still missing: ${missing[*]}"
}

# build_preset PRESET [TARGET…]: configures once (CMake configures again by itself when its files change), then builds.
build_preset() {
  local preset=$1
  shift
  # Objects of another checkout of the same commit can be reused.
  export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$root} CCACHE_NOHASHDIR=1
  cd "$root"
  [ -f "build/$preset/build.ninja" ] || run cmake --preset "$preset"
  if [ "$#" -gt 0 ]; then
    run cmake --build "build/$preset" -j "$jobs" --target "$@"
  else
    run cmake --build "build/$preset" -j "$jobs"
  fi
}
