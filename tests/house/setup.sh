#!/usr/bin/env bash
# Fails when ops/lib/setup.sh would leave a machine without a package: on a new machine, where dpkg knows nothing of some of them,
# each must count as missing, and what is there must not. Usage: setup.sh REPO
set -euo pipefail
source "$1/ops/lib/setup.sh"

command -v dpkg-query >/dev/null || { say "dpkg is not here: nothing to look at"; exit 0; }
# Through a process substitution, as need_packages does it.
mapfile -t missing < <(missing_packages dpkg lotsen-no-such-package lotsen-nor-this)
[ "${missing[*]}" = "lotsen-no-such-package lotsen-nor-this" ] ||
  fail "missing_packages of one package that is there and two that are not gave: '${missing[*]}'"
mapfile -t missing < <(missing_packages dpkg)
[ "${#missing[@]}" -eq 0 ] || fail "missing_packages says that dpkg is missing, which is there"
