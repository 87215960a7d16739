#!/bin/sh
# Makes this checkout ready: system packages (installed as root, named otherwise) and .venv with the Python packages
# that pyproject.toml pins. Called again it does nothing, and says nothing.
#
# PYTHON=...    the Python to use (3.11 or later, with venv and ensurepip)
# --launcher    also make .venv/bin/lbcert-launcher, which the AppArmor profile is about (see apparmor.sh)
set -eu
cd -- "$(dirname -- "$0")/.."
here=$(pwd -P)
stamp=.venv/lbcert-setup
launcher=.venv/bin/lbcert-launcher
me=$(id -un 2>/dev/null || id -u)
# Where the lab itself looks for programs; ordinary users' PATH may lack the sbin folders.
system=${LBCERT_SYSTEM_PATH:-/usr/sbin:/usr/bin:/sbin:/bin}
libraries=${LBCERT_SYSTEM_LIBRARIES:-/usr/lib}

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
is_root() { [ "$(id -u)" = 0 ]; }
on_system() { (PATH=$system; command -v "$1"); }

retry() { # WHAT COMMAND...: package look-ups fail now and then
    what=$1
    shift
    for pause in ${LBCERT_RETRY_PAUSES:-2 5 15} last; do
        if "$@"; then return 0; fi
        if [ "$pause" = last ]; then break; fi
        say "$what failed; trying again in $pause s"
        sleep "$pause"
    done
    return 1
}

# -- the choice of a Python -----------------------------------------------------------------------

answers() { [ "$("$1" -I -c "import sys$2; print(sys.version_info >= (3, 11))" 2>/dev/null)" = True ]; }
is_new() { answers "$1" ''; }
suits() { answers "$1" ', venv, ensurepip'; }

choose_python() {
    if [ -n "${PYTHON:-}" ]; then command -v "$PYTHON"; return; fi
    names='python3.13 python3.12 python3.11 python3'
    if is_root; then
        # The system's first: one below root's home is of no use to anybody else.
        for name in python3 $names; do
            found=$(on_system "$name") || continue
            if suits "$found"; then echo "$found"; return; fi
        done
    fi
    for name in $names; do
        if suits "$name"; then command -v "$name"; return; fi
    done
}

python_packages() {
    if ! found=$(on_system python3); then
        echo python3 python3-venv
    elif is_new "$found"; then
        echo python3-venv
    else
        echo python3.11 python3.11-venv
    fi
}

# -- what is missing ------------------------------------------------------------------------------

look() {
    missing='' packages=''
    lacks() { missing="$missing${missing:+, }$1" packages="$packages $2"; }
    on_system ip >/dev/null || lacks ip iproute2
    on_system nft >/dev/null || lacks nft nftables
    command -v newuidmap >/dev/null || { is_root && on_system newuidmap >/dev/null; } || lacks newuidmap uidmap
    python=
    if [ "$venv" = none ]; then
        python=$(choose_python)
        [ -n "$python" ] || lacks 'a Python 3.11 or later with venv' "$(python_packages)"
    fi
}

apt() {
    apt-get -qq -o DPkg::Lock::Timeout=120 update || say 'apt-get update failed; going on with the lists of last time'
    # shellcheck disable=SC2086
    apt-get -qq -y -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 install --no-install-recommends $packages >/dev/null 9<&-
}

install_packages() {
    command -v apt-get >/dev/null ||
        fail "missing: $missing. Install what this system calls$packages (Debian's names), then run make again"
    say "installing$packages"
    export DEBIAN_FRONTEND=noninteractive
    retry 'apt-get' apt || fail "apt-get could not install$packages; see above, and run make again"
    look
    [ -z "$packages" ] || fail "still missing: $missing"
}

name_command() {
    all="apt-get update && apt-get install -y$packages"
    if command -v sudo >/dev/null; then all="sudo sh -c '$all'"; else all="su - -c '$all'"; fi
    fail "missing: $missing. Install with this command, then run make again:
    $all"
}

has_faster_clock() {
    for file in "$libraries"/faketime/libfaketime*.so.1 "$libraries"/*/faketime/libfaketime*.so.1; do
        if [ -e "$file" ]; then return 0; fi
    done
    return 1
}

offer_faster_clock() { # nothing ends without it, so it is tried and spoken of with a new .venv only
    if has_faster_clock; then return 0; fi
    if is_root && command -v apt-get >/dev/null; then
        packages=' libfaketime'
        say "installing$packages"
        export DEBIAN_FRONTEND=noninteractive
        if apt; then return 0; fi
    fi
    say 'libfaketime is not there. It lets an hour of a product pass in a minute; rows that need it will be not-run. To have it:
    apt-get install libfaketime'
}

# -- .venv ----------------------------------------------------------------------------------------

identity() { # of the virtual environment: it cannot be moved, nor used with another version of Python
    .venv/bin/python -I -c 'import sys, pip; print(*sys.version_info[:2], sys.argv[1])' "$here" 2>/dev/null
}
contents() { cksum <pyproject.toml; }

judge_venv() { # sets venv to none, outdated or ready
    venv=none
    [ -e .venv ] || [ -L .venv ] || return 0
    if found=$(identity) && is_new .venv/bin/python; then
        venv=outdated
        if [ -r "$stamp" ]; then
            [ "$(sed -n 1p "$stamp")" = "$found" ] || venv=none
            [ "$(cat "$stamp")" != "$found
$(contents)" ] || venv=ready
        fi
    fi
    if [ -n "${PYTHON:-}" ] && [ "$(base "$PYTHON")" != "$(base .venv/bin/python)" ]; then
        venv=none
    fi
    if [ "$venv" != ready ] && ! is_root && [ ! -O .venv ]; then
        fail ".venv belongs to $(stat -c %U .venv) and is out of date or does not run for $me. Remove it, then run make again:
    sudo rm -rf '$here/.venv'"
    fi
}

base() { "$1" -I -c 'import os, sys; print(os.path.realpath(sys._base_executable))' 2>/dev/null || :; }

make_venv() {
    if [ -e .venv ] || [ -L .venv ]; then
        say 'the .venv here does not work (any more) and is made anew'
        rm -rf .venv
    fi
    say "making .venv with $python ($("$python" -I -c 'import platform; print(platform.python_version())'))"
    "$python" -m venv .venv >&2 || { rm -rf .venv; fail "$python -m venv failed; another Python: make setup PYTHON=..."; }
}

install_python_packages() {
    say 'installing Python packages into .venv'
    rm -f "$stamp"
    retry pip env PIP_USER=0 .venv/bin/python -m pip --disable-pip-version-check --no-input install -q -e . ||
        fail 'pip could not install what pyproject.toml names; see above, and run make again'
    found=$(identity)
    printf '%s\n%s\n' "$found" "$(contents)" >"$stamp"
}

make_launcher() { # a copy: AppArmor goes by the path of the program, and .venv/bin/python is a link to the system's
    source=$(base .venv/bin/python)
    if cmp -s "$source" "$launcher"; then return; fi
    if ! cp "$source" "$launcher.new" || ! mv -f "$launcher.new" "$launcher"; then
        fail "cannot renew $launcher; run: sudo make apparmor"
    fi
    "$launcher" -c 'import lbcert' || { rm -f "$launcher"; fail "a copy of $source does not run; try PYTHON=/usr/bin/python3"; }
}

# -------------------------------------------------------------------------------------------------

# Two at a time (make certify, make test) would be in each other's way. A lock on a file that is there anyway.
exec 9<pyproject.toml
if command -v flock >/dev/null; then
    flock -n 9 || { say 'waiting for another setup of this checkout'; flock 9; }
fi

if [ -n "${PYTHON:-}" ] && ! suits "$PYTHON"; then
    fail "PYTHON=$PYTHON is no Python 3.11 or later with the modules venv and ensurepip"
fi
wants_launcher=no
if [ "${1:-}" = --launcher ] || [ -e "$launcher" ]; then wants_launcher=yes; fi

judge_venv
look
if [ -n "$packages" ]; then
    if is_root; then install_packages; else name_command; fi
fi
if [ "$venv" != ready ]; then
    [ -w . ] || fail "$me may not write to $here; use a clone of your own"
    if [ "$venv" = none ]; then make_venv; fi
    install_python_packages
    offer_faster_clock
    say 'ready'
fi
if [ "$wants_launcher" = yes ]; then make_launcher; fi

tools/owned.sh true
