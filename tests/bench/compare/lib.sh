# What the parts of compare.sh share: spaces, clocks, and lines of tables.
# shellcheck shell=bash disable=SC2154

# Folio, the program that makes spaces, a directory, and a repository of git's own that syncs everything.
setup() {
  export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 LC_ALL=C.UTF-8
  export GIT_AUTHOR_NAME=Bench GIT_AUTHOR_EMAIL=bench@example.org
  export GIT_COMMITTER_NAME=Bench GIT_COMMITTER_EMAIL=bench@example.org
  unset GIT_DIR FOLIO_KEY SSH_AUTH_SOCK
  dvc=$(command -v dvc || true)
  case $dvc in */shims/dvc) dvc=$(pyenv which dvc) ;; esac
  cargo build --profile "$profile" --quiet --bin folio
  # What cargo says of a binary: `Executable tests/bench/space.rs (target/...)`.
  space=$(cargo bench --profile "$profile" --no-run --bench space 2>&1 | sed -n 's/.*Executable.*(\(.*\))$/\1/p')
  space=$(realpath "$space")
  made=${work:-}
  work=$(mktemp -d -p "${made:-${TMPDIR:-/tmp}}")
  # Installed, as the others are: what a linker wrote lies in the page cache in small pieces, and takes longer to start.
  folio=$work/folio
  cp "${CARGO_TARGET_DIR:-target}/$profile/folio" "$folio"
  # Beside the copies of them, which have names of their own.
  made=${made:-$work/made}
  mkdir -p "$made"
  # What git does in the background may still write.
  trap 'rm -rf "$work" 2>/dev/null || { sleep 2; find "$work" -type d -exec chmod u+w {} +; rm -rf "$work"; }' EXIT
  versions="$(git --version), $(rustc --version)"
  export HOME=$work/home
  mkdir "$HOME"
  state=(--state-dir "$work/state") # of what signs nothing
  ssh-keygen -q -t ed25519 -N '' -f "$work/key"
  echo "bench@example.org $(cat "$work/key.pub")" >"$work/signers"
  copies=0
  new_git "$work/git"
  commit=(git -C "$work/git" -c core.fsync=all commit -qS --allow-empty -m 'One change')
  "${commit[@]}"
}

# A repository of git's own that signs and syncs.
new_git() {
  git init -q -b main "$1"
  git -C "$1" config gpg.format ssh
  git -C "$1" config user.signingkey "$work/key.pub"
  git -C "$1" config gpg.ssh.allowedSignersFile "$work/signers"
  git -C "$1" config core.fsync all
}

# `made_space NAME SIZES...`: sets `dir` to a made space that is not to be changed, made once.
made_space() {
  local last recipe="recipe 3: ${*:2}"
  dir=$made/$1
  if ! grep -qsxF "$recipe" "$dir.made"; then
    rm -rf "$dir" "$dir.made"
    "$space" make "$dir" "${@:2}" >"$dir.new"
    echo "$recipe" >>"$dir.new"
    # As in daily use: nobody numbers on top of what they have never verified, and the witness remembers what was numbered
    # before: the last of the proposals is the first that this witness numbers here.
    "$folio" -q -C "$dir" verify >/dev/null
    last=$(sed -n 's/.*waiting=\([0-9]*\).*/\1/p' <<<"$*")
    if [ -n "$last" ]; then
      last=$((last - 1))
      signed_by wanda
      # What it starts in the background would still be at work while the space is copied.
      git -C "$dir" config folio.housekeeping false
      "${signing[@]}" accept "$(printf 'author-%04d/change-%06d' $((last % 10)) $last)" >/dev/null
      git -C "$dir" config --unset folio.housekeeping
    fi
    # And what commands start in the background has been done: it is not what is measured.
    "$folio" -q -C "$dir" gc packs >/dev/null
    [ -z "$last" ] || [ "$(git -C "$dir" for-each-ref --format=x | wc -l)" = $((last + 1)) ]
    sync -f "$dir"
    mv "$dir.new" "$dir.made"
  fi
  alias_there=$(awk '/^alias/ {print $2}' "$dir.made")
}

# `shared FROM TO`: a new copy of a space. Objects and packs are never changed where they lie, so both have them, as after
# `git clone` of a path: in memory once, too.
shared() {
  local entry
  mkdir "$2"
  for entry in "$1"/*; do
    case $entry in
      */objects) cp -rl "$entry" "$2/" ;;
      *) cp -r "$entry" "$2/" ;;
    esac
  done
}

# `copied NAME COPY`: sets `dir` to a new copy of a made space, to be changed, with nothing left to be written.
#
# Copies stay until the end of the script. On ext4 without a journal whoever makes a file looks at each inode of the group
# that was given up in the last minute, or in the last six where that is not yet on the disk (`recently_deleted` of Linux):
# to remove a copy made each new file of the next one cost up to 0.3 ms instead of 0.01.
copied() {
  copies=$((copies + 1))
  dir=$work/$2-$copies
  shared "$made/$1" "$dir"
  sync -f "$dir"
}

# `signed_by WHO`: sets `signing` to the program, with the key of somebody of the space in `dir`. What was signed is
# remembered beside each copy: they all are the same space, and a page that one of them has must not bind the others.
signed_by() { signing=("$folio" -q --state-dir "$dir/outside" --key "$dir/keys/$1" -C "$dir"); }

# `turns N A ::: B`: sets `median`, `least` and `most` to the microseconds of each command.
turns() {
  local line fields
  median=() least=() most=()
  "$space" turns "$@" >"$work/turns" || return 1
  while read -r line; do
    read -ra fields <<<"$line"
    median+=("${fields[0]}") least+=("${fields[1]}") most+=("${fields[2]}")
  done <"$work/turns"
}

middle() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
calc() { awk "BEGIN {printf \"$1\", $2}"; }
ms() { awk -v us="$1" 'BEGIN {if (us < 1e6) printf "%.2f ms", us / 1e3; else printf "%.2f s", us / 1e6}'; }
# The index is there, as in daily use, and the packs are in memory.
warm() {
  cat "$dir"/objects/pack/*.pack "$dir"/objects/pack/*.idx >/dev/null
  "$folio" -C "$dir" -q show 1 >/dev/null
}

# `rate COUNT MICROSECONDS`: how many in a second.
rate() { awk -v n="$1" -v us="$2" 'BEGIN {r = n * 1e6 / us; printf r < 100 ? "%.1f" : "%.0f", r}'; }
thousands() { sed -E ':a; s/^([0-9]+)([0-9]{3})/\1,\2/; ta' <<<"$1"; }

# The most memory that any one process of a command holds, in MiB; nothing where nobody can tell.
peak() {
  if [ -x /usr/bin/time ]; then
    /usr/bin/time -f %M -o "$work/peak" "$@" >/dev/null 2>"$work/said" || { cat "$work/said" >&2; return 1; }
    awk 'END {printf "%.1f", $1 / 1024}' "$work/peak"
  elif command -v python3 >/dev/null; then
    python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, 1))' "$@"
  fi
}

# How often a command syncs something to the disk; nothing where nobody can tell.
syncs() {
  command -v strace >/dev/null || return 0
  strace -f -qq -e trace=fsync,fdatasync,syncfs,sync_file_range -e signal=none -o "$work/strace" "$@" \
    >/dev/null 2>&1 || { echo "failed: $*" >&2; return 1; }
  # One that is interrupted has two lines, and its name with a bracket in the first.
  grep -c 'sync(' "$work/strace" || true
}

# Bytes of all files below.
bytes_in() { find "$1" -type f -printf '%s\n' | awk '{n += $1} END {printf "%d", n}'; }

table() {
  printf '\n### %s\n\n%s\n%s\n' "$1" '| what | folio | beside it | folio / other | asked | commands: folio, the other |' \
    '|---|---|---|---|---|---|'
}
row() { printf '| %s | %s | %s | %s | %s | %s |\n' "$1" "$2" "${3:-}" "${4:-}" "${5:-}" "${6:-}"; }
# `asked VALUE <=|>= TARGET UNIT`: what was asked for, and whether it is so.
asked() {
  awk -v v="$1" -v op="$2" -v t="$(thousands "$3")" -v n="$3" -v unit="${4:+ ${*:4}}" 'BEGIN {
    good = op == "<=" ? v <= n : v >= n
    printf "%s %s%s: %s", op == "<=" ? "at most" : "at least", t, unit, good ? "ok" : "**missed**" }'
}
# `ratio_row WHAT OURS THEIRS TARGET COMMANDS`: microseconds of both, and how many times theirs ours may be.
ratio_row() {
  local ratio target=''
  ratio=$(calc %.2f "$2 / $3")
  [ -z "$4" ] || target=$(asked "$ratio" '<=' "$4")
  row "$1" "$(ms "$2")" "$(ms "$3")" "$ratio" "$target" "$5"
}

heading() {
  echo "Measured: $(date -u +%F), $(nproc) cores, $(awk -F': ' '/model name/ {print $2; exit}' /proc/cpuinfo)," \
    "$(awk '/MemTotal/ {printf "%.0f GiB", $2 / 1048576}' /proc/meminfo), Linux $(uname -r)," \
    "$(stat -f -c %T "$work"), profile \`$profile\`."
  echo "$versions, load $(cut -d' ' -f1 /proc/loadavg) at the start."
}

footing() {
  printf '\nLoad %s at the end, %s s in all.\n' "$(cut -d' ' -f1 /proc/loadavg)" "$SECONDS"
}
