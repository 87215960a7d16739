#!/bin/sh
# Certifies $DUT (default: haproxy) into a fresh directory in reports/runs and compares the result with what is known
# of the product. Arguments go to pytest. Exit status: 0 if the run agrees.
set -eu
cd -- "$(dirname -- "$0")/.."
dut=${DUT:-haproxy}
runs=reports/runs

say() { printf 'certify: %s\n' "$*" >&2; }

mkdir -p "$runs" || { say "cannot make $runs; use a clone of your own, or: sudo chown -R $(id -un) reports"; exit 2; }
name=$(printf %s "$dut" | sed 's:/*$::; s:.*/::; s:[^A-Za-z0-9._-]:-:g; s:\.yaml$::')
first=$runs/$(date -u +%Y%m%dT%H%M%SZ)-$name
folder=$first number=2
until mkdir "$folder" 2>/dev/null; do
    [ -d "$folder" ] || { say "cannot write to $runs; use a clone of your own, or: sudo chown -R $(id -un) reports"; exit 2; }
    folder=$first-$number number=$((number + 1))
done

# Eight labs side by side, since most tests wait most of their time (with twelve, two cores make servers of ours stand still);
# of our own balancer, which waits for tenths of seconds, three.
case $dut in
ideal* | null* | mutants/* ) labs=3 ;;
*) labs=8 ;;
esac
case " $* " in
*' -n'* | *' --numprocesses'*) ;;
*) set -- -n $labs "$@" ;;
esac
status=0
.venv/bin/python -m pytest suites --dut "$dut" --report-dir "$folder" "$@" || status=$?
# A requirement that fails (1) may be a known result. Anything else is no result.
case $status in
0 | 1) status=0 ;;
2) say 'interrupted, or the tests could not be collected; nothing was compared' ;;
4) say 'wrong usage, see above; nothing was compared' ;;
5) say 'no test was selected; nothing was compared' ;;
*) say "pytest ended with status $status; nothing was compared" ;;
esac
rmdir "$folder" 2>/dev/null || :
if [ "$status" = 0 ]; then
    .venv/bin/python -m lbcert.cli verify "$folder" || status=$?
    printf 'report: %s\n' "$folder/report.html"
fi
exit "$status"
