#!/usr/bin/env bash
# Folio beside plain git, beside what the machine can do at all, and beside the peers that are installed: measured in
# one run, printed as Markdown tables of ratios, each line with its commands. docs/performance.md says how to read them.
#
#   bash tests/bench/compare.sh            100 and 10,000 rows, 2,000 snapshots; a few minutes
#   bash tests/bench/compare.sh --large    100 and 1,000,000 rows, 100,000 snapshots
#
#   --only A,B      these parts alone: accept queue many verify ask growth memory disk travel bytes peers limits
#   --plot DIR      measures at several sizes, keeps DIR/figures.csv and draws DIR/*.svg; alone with --only plot
#   --out FILE      writes the tables to a file too
#   --work DIR      keeps the spaces that are made in DIR, and takes those that are there
#   --profile NAME  builds with this profile of cargo (release)
#
# Times are medians of processes from their start to their end; what is compared with each other runs in turn, since
# machines are noisy. Both sides sync what they write. Nothing is installed; what is missing is left out and named.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD

only='' plot='' out='' work='' profile=release
pages=2000 rows=10000 more=500 times=15 mib=64 files=2000 keys=5000
while [ $# -gt 0 ]; do
  case $1 in
    --large) pages=100000 rows=1000000 more=10000 times=30 mib=256 keys=100000 ;;
    --only) only=$2; shift ;;
    --plot) mkdir -p "$2"; plot=$(cd "$2" && pwd); shift ;;
    --out) out=$(realpath "$2"); shift ;;
    --work) mkdir -p "$2"; work=$(cd "$2" && pwd); shift ;;
    --profile) profile=$2; shift ;;
    *) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;;
  esac
  shift
done
[ -z "$out" ] || exec > >(tee "$out")

for part in lib journal travel bytes peers plots; do
  # shellcheck source=/dev/null
  . "$root/tests/bench/compare/$part.sh"
done

setup
heading
for part in accept queue many verify ask growth memory disk travel bytes peers limits; do
  case ",${only:-$part}," in *",$part,"*) "part_$part" ;; esac
done
[ -z "$plot" ] || plots
footing
