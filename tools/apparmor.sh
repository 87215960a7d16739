#!/bin/sh
# Where AppArmor keeps ordinary users from making user namespaces (Ubuntu since 23.10): a profile that allows it to
# the program that this checkout's labs start from, and to nothing else. Whoever may write to this checkout may use it.
set -eu
cd -- "$(dirname -- "$0")/.."
switch=${LBCERT_APPARMOR_SWITCH:-/proc/sys/kernel/apparmor_restrict_unprivileged_userns}
folder=${LBCERT_APPARMOR_FOLDER:-/etc/apparmor.d}

say() { printf 'apparmor: %s\n' "$*" >&2; }

if [ ! -r "$switch" ] || [ "$(cat "$switch")" != 1 ]; then
    say 'nothing needs to be done: AppArmor does not keep users from making labs here'
    exit 0
fi
if [ "$(id -u)" != 0 ]; then
    say 'a profile can be installed by root only: sudo make apparmor'
    exit 1
fi
if ! command -v apparmor_parser >/dev/null; then
    say "apparmor_parser is missing: apt-get install apparmor"
    exit 1
fi

tools/setup.sh --launcher
path=$(pwd -P)/.venv/bin/lbcert-launcher
name=lbcert-launcher-$(printf %s "$path" | cksum | cut -d' ' -f1)
# Characters that mean something in a pattern of AppArmor's stand for themselves here.
quoted=$(printf %s "$path" | sed 's/[][\\"*?{}^]/\\&/g')
cat >"$folder/$name" <<END
# Written by lbcert (make apparmor). To remove: apparmor_parser -R $folder/$name && rm $folder/$name
abi <abi/4.0>,

profile $name "$quoted" flags=(unconfined) {
  userns,
}
END
apparmor_parser -r "$folder/$name"
say "$path may make user namespaces now ($folder/$name); labs start from it"
