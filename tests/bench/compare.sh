#!/usr/bin/env bash
# Folio beside plain git, beside what the machine can do at all, and beside the peers that are installed: measured in
# one run, printed as a Markdown table of ratios, each line with its commands.
#
#   bash tests/bench/compare.sh            100 and 10,000 rows, 2,000 snapshots; a few minutes
#   bash tests/bench/compare.sh --large    100 and 1,000,000 rows, 100,000 snapshots; much longer
#
# Times are medians; what is compared with each other runs in turn, since machines are noisy. Nothing is installed,
# and what is missing is left out and named.
set -euo pipefail
cd "$(dirname "$0")/../.."

pages=2000 rows=10000 times=15
[ "${1:-}" = --large ] && pages=100000 rows=1000000 times=30

export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 LC_ALL=C.UTF-8
export GIT_AUTHOR_NAME=Bench GIT_AUTHOR_EMAIL=bench@example.org
export GIT_COMMITTER_NAME=Bench GIT_COMMITTER_EMAIL=bench@example.org

cargo build --release --quiet
cargo bench --quiet --no-run --bench space
folio=$PWD/${CARGO_TARGET_DIR:-target}/release/folio
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work
space() { cargo bench --quiet --bench space -- "$@"; }

now() { local t=${EPOCHREALTIME/[.,]/}; echo "$t"; }
# Microseconds that a command takes; what it prints goes nowhere.
took() { local from; from=$(now); "$@" >/dev/null 2>&1 || { echo "failed: $*" >&2; exit 1; }; echo $(($(now) - from)); }
median() { sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", a / b}'; }
per_second() { awk -v n="$1" -v s="$2" 'BEGIN {printf "%.0f", n / s}'; }
ms() { awk -v us="$1" 'BEGIN {printf "%.2f ms", us / 1000}'; }
row() { printf '| %s | %s | %s | %s | `%s` | `%s` |\n' "$@"; }

# What two commands take, in turn: sets `ours` and `theirs`.
beside() {
  local n=$1 a=$2 b=$3 i
  : >"$work/a"; : >"$work/b"
  for ((i = 0; i < n; i++)); do
    eval "$a" >>"$work/a"
    eval "$b" >>"$work/b"
  done
  ours=$(median <"$work/a") theirs=$(median <"$work/b")
}

echo "made: $(date -u +%F), $(nproc) cores, $(awk -F': ' '/model name/ {print $2; exit}' /proc/cpuinfo), Linux $(uname -r)"
echo "$(git --version), $(rustc --version), load $(cut -d' ' -f1 /proc/loadavg) at the start"
echo
echo '| what | folio | beside it | folio / other | command | beside it |'
echo '|---|---|---|---|---|---|'

# A repository with git's own signed commits, everything synced.
ssh-keygen -q -t ed25519 -N '' -f "$work/key"
git init -q "$work/git"
git -C "$work/git" config gpg.format ssh
git -C "$work/git" config user.signingkey "$work/key.pub"
git -C "$work/git" config core.fsync all
echo "bench@example.org $(cat "$work/key.pub")" >"$work/signers"
git -C "$work/git" config gpg.ssh.allowedSignersFile "$work/signers"
commit() { git -C "$work/git" commit -qS --allow-empty -m 'One change'; }

for count in 100 "$rows"; do
  dir=$work/accept-$count
  space make "$dir" rows="$count" waiting=$((times + 2)) >/dev/null
  ( cd "$dir" && "$folio" -q verify >/dev/null )
  at=0
  one() {
    local branch
    branch=$(printf 'author-%04d/change-%06d' $((at % 10)) "$at")
    took "$folio" -C "$dir" -q --offline --state-dir "$work/state" --key "$dir/keys/wanda" accept "$branch"
  }
  : >"$work/a"; : >"$work/b"
  for ((at = 0; at < times; at++)); do one >>"$work/a"; took commit >>"$work/b"; done
  ours=$(median <"$work/a") theirs=$(median <"$work/b")
  row "one accept, cold, $count rows" "$(ms "$ours")" "$(ms "$theirs")" "$(ratio "$ours" "$theirs")" \
    "folio accept AUTHOR/SLUG" "git -c core.fsync=all commit -S"
  eval "accept_$count=$ours"
done

for count in 100 "$rows"; do
  space make "$work/queue-$count" rows="$count" waiting=1000 >/dev/null
  line=$(space accept "$work/queue-$count")
  ours=$(awk '{print $4}' <<<"$line")
  each=$(awk -v s="$ours" 'BEGIN {printf "%d", s * 1000}')
  row "accept, queue of 1,000, $count rows" "$(per_second 1000 "$ours")/s" "$(per_second 1000000 "$theirs")/s" \
    "$(ratio "$theirs" "$each") times as many" "folio accept --all" "git commit -S, in a loop"
done

history=$work/history
space make "$history" rows=100 pages="$pages" >/dev/null
space verify "$history" >/dev/null # builds the index
ours=$(space verify "$history" | awk '{print $4}')
some=200
theirs=$(took git -C "$history" -c gpg.ssh.allowedSignersFile="$work/signers" log --format=%G? -n "$some" main)
speed=$(per_second "$pages" "$ours") other=$(awk -v n="$some" -v us="$theirs" 'BEGIN {printf "%.1f", n * 1e6 / us}')
row "verify, every rule of $pages snapshots" "$speed/s" "$other/s" "$(ratio "$speed" "$other") times as many" \
  "folio verify" "git log --format=%G?"
other=$(took git -C "$work/git" verify-commit HEAD | awk '{printf "%.1f", 1e6 / $1}')
row "the same beside one signature alone" "$speed/s" "$other/s" "$(ratio "$speed" "$other") times as many" \
  "folio verify" "git verify-commit, in a loop"
ours=$(space replay "$history" | awk '{print $4}')
theirs=$(took sh -c "git -C '$history' rev-list --objects main | cut -c1-40 | git -C '$history' cat-file --batch" | awk '{print $1 / 1e6}')
row "replay of $pages snapshots" "$(per_second "$pages" "$ours")/s" "$(per_second "$pages" "$theirs")/s" \
  "$(ratio "$theirs" "$ours") times as many" "folio replay" "git rev-list --objects, git cat-file --batch"

many=100000
space make "$work/many" rows=100 >/dev/null
ours=$(space propose "$work/many" $many | awk '{print $4}')
files=1000
mkdir "$work/blobs"
for ((i = 0; i < files; i++)); do echo "$i" >"$work/blobs/$i"; done
blobs() { find "$work/blobs" -type f | git -C "$work/git" hash-object -w --stdin-paths; }
theirs=$(took blobs)
speed=$(per_second $many "$ours") other=$(awk -v n=$files -v us="$theirs" 'BEGIN {printf "%.0f", n * 1e6 / us}')
row "propose $many decisions at once" "$speed/s" "$other files/s" "$(ratio "$speed" "$other") times as many" \
  "folio propose -f FILE" "git -c core.fsync=all hash-object -w --stdin-paths"
ours=$(space accept "$work/many" | awk '{print $4}')
speed=$(per_second $many "$ours")
row "accept them" "$speed/s" "$other files/s" "$(ratio "$speed" "$other") times as many" "folio accept --all" "the same"

for count in 100 "$rows"; do
  dir=$work/accept-$count
  name=$(cd "$dir" && "$folio" state aliases --limit 1 | sed 's/.*"alias":"\([^"]*\)".*/\1/')
  for ask in "resolve $name" "group $name" "log -n 1"; do
    read -ra words <<<"$ask"
    # shellcheck disable=SC2034
    ask_ours=(took "$folio" -C "$dir" "${words[@]}")
    beside "$times" '"${ask_ours[@]}"' 'took git -C "$dir" rev-parse main'
    row "${words[0]}, cold, $count rows" "$(ms "$ours")" "$(ms "$theirs")" "$(ratio "$ours" "$theirs")" \
      "folio ${words[0]}" "git rev-parse main"
  done
done

one=accept_100 large=accept_$rows
echo
echo "Growth: one accept at $rows rows costs $(ratio "${!large}" "${!one}") times one at 100 rows."
echo
echo '| the machine, one core | a second |'
echo '|---|---|'
space limits "$work" | awk '/^limit/ {printf "| %s | %s %s |\n", $2, $3, $4}'

# What the peers take for one small change that is kept. Each has other aims; the table says what was run.
echo
echo '| peer | one change |'
echo '|---|---|'
missing=()
peer() {
  local name=$1 program=$2 prepare=$3 change=$4 i
  if ! command -v "$program" >/dev/null; then missing+=("$name"); return; fi
  mkdir "$work/$name"
  ( cd "$work/$name" && eval "$prepare" ) >/dev/null 2>&1 || { missing+=("$name (does not start)"); return; }
  : >"$work/a"
  for ((i = 0; i < 10; i++)); do
    ( cd "$work/$name"; echo "$i" >"file$i"; took sh -c "n=$i; $change" ) >>"$work/a"
  done
  echo "| $name: \`$change\` | $(ms "$(median <"$work/a")") |"
}
peer fossil fossil 'fossil new ../fossil.db && fossil open -f ../fossil.db' 'fossil add file$n && fossil commit -m x --no-warnings'
peer git-annex git-annex 'git init -q && git annex init' 'git annex add file$n && git commit -qm x'
peer dvc dvc 'git init -q && dvc init' 'dvc add file$n'
peer restic restic 'export RESTIC_PASSWORD=x; restic init -r repo' 'RESTIC_PASSWORD=x restic -r repo backup file$n'
peer radicle rad 'false' ':'
peer gittuf gittuf 'git init -q' 'git add file$n && git commit -qm x && gittuf rsl record HEAD'
echo
echo "Not installed here: ${missing[*]:-none}."
