# The peers that are installed. Each has other aims; what was run is shown, and so is how often it synced to the disk.
# shellcheck shell=bash disable=SC2154,SC2016

# `peer NAME PROGRAM PREPARE CHANGE MANY BIG SMALL CHECK`: shell words, run in a directory of its own; `$n` is the
# number of the turn. MANY is one change more than once in one process of a shell; what is empty is left out.
peer() {
  local name=$1 program=$2 prepare=$3 change=$4 loop=$5 big=$6 small_ones=$7 check=$8 at where cells=()
  if ! command -v "$program" >/dev/null; then missing+=("$name"); return; fi
  copies=$((copies + 1)) where=$work/peer-$copies
  mkdir "$where"
  if ! ( cd "$where" && sh -c "$prepare" ) >"$work/said" 2>&1; then
    missing+=("$name (does not start: $(tail -n 1 "$work/said"))")
    return
  fi
  sync -f "$work"
  if ! measured 2>"$work/said"; then
    missing+=("$name (failed: $(grep -m 1 -i error "$work/said" || tail -n 1 "$work/said"))")
  else
    printf '| %s ' "$name" "${cells[@]}"
    printf '|\n'
    shown+="- **$name**: $(for at in "$change" "$big" "$small_ones" "$check"; do [ -z "$at" ] || printf '`%s`; ' "$at"; done)"$'\n'
  fi
}

# What one peer takes, in `cells`.
measured() {
  turns 7 sh -c "$(in_peer '{i}' "$change")" || return 1
  cells=("$(ms "${median[0]}")" "$(syncs sh -c "$(in_peer 900000 "$change")")")
  turns 1 sh -c "$(in_peer 0 "for n in \$(seq 20); do $loop; done")" || return 1
  cells+=("$(rate 20 "${median[0]}")/s")
  for at in "$big" "$small_ones" "$check"; do
    if [ -z "$at" ]; then cells+=(''); continue; fi
    turns 1 sh -c "$(in_peer 0 "$at")" || return 1
    cells+=("$(ms "${median[0]}")")
  done
}
in_peer() { echo "cd $where && payload=$payload small=$small && n=$1 && $2"; }

part_peers() {
  local missing=() shown='' alias='{\"op\":\"alias.set\",\"alias\":\"a$n\",\"target\":\"b\"}' f run
  payloads
  printf '\n### Peers\n\nOne change that is kept (the median of 7), the same in a loop of 20; a file of %s MiB of noise; %s files of 2 KiB; and what looks at all of it again.\n\n' \
    "$mib" "$(thousands "$files")"
  printf '| program | one change | syncs for it | changes in a loop | large file | small files | check |\n|---|---|---|---|---|---|---|\n'
  made_space small rows=100
  f="$folio -q --state-dir outside -C space"
  run="echo \"$alias\" >line && $f --key keys/alice propose -m x --slug n\$n -f ../line && $f --key keys/wanda accept alice/n\$n"
  peer folio "$folio" "cp -r $made/small space" "$run" "$run" "$f artifact add \$payload" "$f artifact add \$small" "$f verify && $f artifact verify"
  run='echo $n >f$n && git add f$n && git commit -qS -m x'
  peer git git "git init -q && git config gc.auto 0 && git config gpg.format ssh && git config user.signingkey $work/key.pub && git config core.fsync all && git config core.fsyncMethod batch" \
    "$run" "$run" 'cp $payload big && git -c core.compression=0 -c core.bigFileThreshold=8m add big && git commit -qS -m x' 'cp -r $small small && git add small && git commit -qS -m x' 'git fsck --full'
  run='echo $n >f$n && fossil add f$n && fossil commit -m x --no-warnings --no-prompt'
  peer fossil fossil 'export USER=bench; fossil init r.fossil && fossil open -f r.fossil' "export USER=bench; $run" "USER=bench; export USER; $run" \
    'export USER=bench; cp $payload big && fossil add big && fossil commit -m x --no-warnings --no-prompt' \
    'export USER=bench; cp -r $small small && fossil add small && fossil commit -m x --no-warnings --no-prompt' 'fossil test-integrity -R r.fossil'
  run='echo $n >f$n && git annex add -q f$n && git commit -qm x'
  peer git-annex git-annex 'git init -q && git config gc.auto 0 && git config core.fsync all && git annex init' "$run" "$run" \
    'cp $payload big && git annex add -q big && git commit -qm x' 'cp -r $small small && git annex add -q small && git commit -qm x' 'git annex fsck -q'
  run='echo $n >f$n && restic -q -r repo backup f$n'
  export RESTIC_PASSWORD=x
  peer restic restic 'restic init -r repo' "$run" "$run" 'restic -q -r repo backup $payload' 'restic -q -r repo backup $small' 'restic -q -r repo check --read-data'
  run="echo \$n >f\$n && $dvc add -q f\$n && git commit -qm x"
  peer dvc "${dvc:-dvc}" "git init -q && git config gc.auto 0 && git config core.fsync all && $dvc init -q && $dvc config core.analytics false && $dvc config core.autostage true && git commit -qm x" "$run" "$run" \
    "cp \$payload big && $dvc add -q big && git commit -qm x" "cp -r \$small small && $dvc add -q small && git commit -qm x" ''
  run='git commit -q --allow-empty -m x && gittuf rsl record HEAD'
  peer gittuf gittuf 'git init -q' "$run" "$run" '' '' 'gittuf verify-ref HEAD'
  peer Radicle rad 'rad auth --alias bench && git init -q && git commit -q --allow-empty -m x && rad init --name bench --no-confirm' \
    'rad issue open --title x$n --description x' 'rad issue open --title x$n --description x' '' '' ''
  printf '\nThe commands, of which `folio` signs and syncs everything, git what `core.fsync=all` covers, and each other program what it does by itself:\n\n%s' \
    "${shown//"$work/"/}" | sed "s#$folio#folio#g; s#${dvc:-dvc}#dvc#g; s#; \$##"
  printf '\nNot here: %s.\n' "$(IFS=,; echo "${missing[*]:-nothing}" | sed 's/,/, /g')"
}
