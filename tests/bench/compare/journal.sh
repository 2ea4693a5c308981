# Proposing, numbering, verifying, replaying and asking, in cold processes.
# shellcheck shell=bash disable=SC2154

# The spaces of the parts: so many rows, or so many snapshots, and a thousand proposals that wait besides the one that
# is numbered first. The newest snapshots have one decision each, as in daily use: the rows came 100,000 in one.
rows_space() { made_space "rows-$1" rows="$1" pages=10 waiting=1001; }
log_space() { made_space "log-$1" rows=100 pages="$1" waiting=1001; }

git_commit="\`git -c core.fsync=all commit -S --allow-empty\`"

part_accept() {
  table 'One change'
  local count
  # Both are made before the first is measured: what is made, and verified, is in the way of what comes right after it.
  rows_space 100; rows_space "$rows"
  for count in 100 "$rows"; do
    rows_space "$count"
    copied "rows-$count" accept
    warm
    signed_by wanda
    turns "$times" "${signing[@]}" accept 'author-{a}/change-{i}' ::: "${commit[@]}"
    ratio_row "one accept in a cold process, $(thousands "$count") rows, 1,000 waiting" "${median[0]}" "${median[1]}" 0.7 \
      "\`folio accept AUTHOR/SLUG\`; $git_commit"
    row "the longest of $times" "$(ms "${most[0]}")" "$(ms "${most[1]}")" '' "$(asked "$(calc %.0f "${most[0]} / 1000")" '<=' 200 ms)" 'the same'
    eval "accept_$count=${median[0]}"
    if [ "$count" = 100 ]; then
      row 'syncs for one' "$(syncs "${signing[@]}" accept author-0000/change-000900)" "$(syncs "${commit[@]}")" '' '' \
        '`strace -f -e fsync,fdatasync` over both'
    fi
  done
  row "growth: an accept at $(thousands "$rows") rows" "$(eval "ms \$accept_$rows")" "$(ms "$accept_100") at 100 rows" \
    "$(eval "calc %.2f \"\$accept_$rows / $accept_100\"")" "$(asked "$(eval "calc %.2f \"\$accept_$rows / $accept_100\"")" '<=' 2.5)" 'as above'
}

# `unpacked`: gives each packed branch of the space in `dir` a file of its own, as it has until there are many.
unpacked() {
  local id name
  while read -r id name; do
    case $id in '#'*) continue ;; esac
    mkdir -p "$dir/${name%/*}"
    echo "$id" >"$dir/$name"
  done <"$dir/packed-refs"
  rm "$dir/packed-refs"
  sync -f "$dir"
}

# `queue_of NAME [unpacked]`: sets `each` and `theirs` to the microseconds of a page in a queue of 1,000, and of git's
# commit.
queue_of() {
  local ours=() others=()
  for _ in 1 2 3 4 5; do
    copied "$1" queue
    [ $# = 1 ] || "$2"
    warm
    signed_by wanda
    turns 1 "${signing[@]}" accept --all ::: "${commit_loop[@]}"
    ours+=("${median[0]}") others+=("${median[1]}")
  done
  each=$(calc %.3f "$(printf '%s\n' "${ours[@]}" | middle) / 1000")
  theirs=$(calc %.3f "$(printf '%s\n' "${others[@]}" | middle) / 50")
}

commits_in_a_loop() {
  commit_loop=(sh -c "for i in \$(seq 50); do git -C $work/git -c core.fsync=all commit -qS --allow-empty -m 'One change'; done")
}

part_queue() {
  table 'A queue of 1,000 proposals of one decision'
  local count target
  commits_in_a_loop
  for count in 100 "$rows"; do
    rows_space "$count"
    queue_of "rows-$count"
    target=9000
    [ "$count" = 100 ] || target=7000
    row "accept the queue, $(thousands "$count") rows" "$(rate 1 "$each")/s" "$(rate 1 "$theirs")/s" \
      "$(calc %.0f "$theirs / $each") times as many" "$(asked "$(rate 1 "$each")" '>=' "$target" a second)" \
      "\`folio accept --all\`; $git_commit, 50 in a loop"
    [ "$count" != 100 ] || row 'the same, as a ratio' '' '' '' "$(asked "$(calc %.0f "$theirs / $each")" '>=' 100 times)" 'as above'
  done
  # Last, for it removes a thousand files each time (see `copied`).
  for count in 100 "$rows"; do
    queue_of "rows-$count" unpacked
    row "the same, each branch still in a file of its own, $(thousands "$count") rows" "$(rate 1 "$each")/s" "$(rate 1 "$theirs")/s" \
      "$(calc %.0f "$theirs / $each") times as many" '' 'as above, without what `folio gc packs` did'
  done
}

part_many() {
  table 'Proposals of 100,000 decisions'
  local many=100000 words files speed fast=()
  made_space many rows=$many
  made_space small rows=100
  copied small many
  awk -v n=$many 'BEGIN {for (i = 0; i < n; i++) printf "{\"op\":\"alias.set\",\"alias\":\"registry.example.org/more/%08d\",\"target\":\"registry.example.org/works/of/%08d\"}\n", i, i / 8}' >"$work/decisions"
  awk -v n=$many 'BEGIN {
    print "commit refs/heads/main\ncommitter B <b@e> 1767225600 +0000\ndata 1\nx"
    for (i = 0; i < n; i++) printf "M 644 inline more/%04d/%08d\ndata 41\nregistry.example.org/works/of/%08d...\n", i / 100, i, i / 8
    print "done" }' >"$work/import"
  for at in 0 1 2; do
    new_git "$work/import-00000$at"
    cp -r "$dir" "$work/many-00000$at"
  done
  sync -f "$work"
  dir=$work/many-{i} signed_by alice
  words=("${signing[@]}")
  dir=$work/many-{i} signed_by wanda
  turns 3 "${words[@]}" propose -m Many --slug many -f "$work/decisions" ::: \
    sh -c "git -C $work/import-{i} fast-import --quiet --done <$work/import" ::: \
    "${signing[@]}" accept --all
  fast=("${median[@]}")
  files="\`git fast-import\` of as many small files in one unsigned commit"
  for at in 0 2; do
    speed=$(rate $many "${fast[at]}")
    words=('`folio propose -f FILE`' '' '`folio accept --all`')
    row "$([ $at = 0 ] && echo propose || echo accept) 100,000 decisions at once" "$(thousands "$speed")/s" \
      "$(thousands "$(rate $many "${fast[1]}")")/s" "$(calc %.2f "${fast[1]} / ${fast[at]}") times as many" \
      "$(asked "$speed" '>=' 100000 a second)" "${words[at]}; $files"
  done
  copied many many
  warm
  turns 3 "$folio" -C "$dir" -q replay ::: "$folio" -C "$dir" -q verify
  speed=$(rate $many "${median[0]}")
  row 'replay of 100,000 decisions in one page' "$(thousands "$speed")/s" '' '' "$(asked "$speed" '>=' 200000 a second)" '`folio replay` of what was verified before'
  row 'verify the same' "$(thousands "$(rate $many "${median[1]}")")/s" '' '' '' '`folio verify`'
}

# A copy of a space with a long log, its index built, and git told whose signatures are good: sets `dir`.
long_log() {
  copied "$1" long
  rm -f "$dir"/folio/{pages,counts,changes}
  turns 1 "$folio" -C "$dir" show 7
  indexed=${median[0]}
  "$folio" "${state[@]}" -C "$dir" -q status >/dev/null 2>&1
}

part_verify() {
  table 'The whole history'
  local some=400 other speed ratio all=$((pages + 3))
  log_space "$pages"
  long_log "log-$pages"
  row "the first question after a clone of $(thousands "$pages") snapshots: builds the index" "$(ms "$indexed")" '' '' '' '`folio show 7`'
  turns 3 "$folio" -C "$dir" -q verify ::: git -C "$dir" log --format=%G? -n $some main ::: \
    git -C "$work/git" verify-commit HEAD ::: "$folio" -C "$dir" -q replay ::: git -C "$dir" log --format=%B main
  speed=$(rate "$all" "${median[0]}")
  other=$(awk -v us="${median[1]}" -v n=$some 'BEGIN {printf "%.1f", n * 1e6 / us}')
  ratio=$(calc %.0f "2 * $speed / $other")
  row "verify: every rule of $(thousands "$pages") snapshots" "$(thousands "$speed")/s" '' '' "$(asked "$speed" '>=' 15000 a second)" '`folio verify`'
  row 'the same, in signed commits: a snapshot and its proposal' "$(thousands $((2 * speed)))/s" "$other/s" \
    "$(thousands "$ratio") times as many" "$(asked "$ratio" '>=' 150 times)" "\`folio verify\`; \`git log --format=%G? -n $some main\`, there"
  other=$(rate 1 "${median[2]}")
  row 'the same beside one signature alone' "$(thousands $((2 * speed)))/s" "$other/s" "$(calc %.0f "2 * $speed / $other") times as many" '' \
    '`folio verify`; `git verify-commit HEAD`'
  speed=$(rate "$all" "${median[3]}")
  row "replay from the decisions alone" "$(thousands "$speed")/s" "$(thousands "$(rate "$all" "${median[4]}")")/s" \
    "$(calc %.2f "${median[4]} / ${median[3]}") times as many" "$(asked "$speed" '>=' 70000 a second)" \
    '`folio replay` of what `folio verify` checked before; `git log --format=%B main`, which reads all messages and checks nothing'
}

part_ask() {
  table 'One question in a cold process'
  local name words at what
  rows_space 100; rows_space "$rows"; log_space "$pages"
  for name in "rows-100" "rows-$rows" "log-$pages"; do
    what="$(thousands "${name#*-}") ${name%-*}"
    what=${what/%log/snapshots}
    dir=$made/$name
    alias_there=$(awk '/^alias/ {print $2}' "$dir.made")
    copied "$name" ask
    words=(resolve group 'log -n 1')
    warm
    turns "$times" "$folio" -C "$dir" resolve "$alias_there" ::: "$folio" -C "$dir" group "$alias_there" ::: \
      "$folio" -C "$dir" log -n 1 ::: git -C "$dir" rev-parse main
    for at in 0 1 2; do
      ratio_row "${words[at]}, $what" "${median[at]}" "${median[3]}" 2 "\`folio ${words[at]}\`; \`git rev-parse main\`"
    done
  done
}

part_growth() {
  table 'Growth with the log'
  local first ratio words
  log_space 100; log_space "$pages"
  copied log-100 short; first=$dir
  warm
  long_log "log-$pages"
  dir=$first signed_by wanda
  words=("${signing[@]}")
  signed_by wanda
  turns "$times" "${signing[@]}" accept 'author-{a}/change-{i}' ::: "${words[@]}" accept 'author-{a}/change-{i}'
  ratio=$(calc %.2f "${median[0]} / ${median[1]}")
  row "one accept at $(thousands "$pages") snapshots" "$(ms "${median[0]}")" "$(ms "${median[1]}") at 100" "$ratio" "$(asked "$ratio" '<=' 1.2)" \
    '`folio accept AUTHOR/SLUG`, in turn'
  row "the longest of $times" "$(ms "${most[0]}")" "$(ms "${most[1]}")" '' "$(asked "$(calc %.0f "${most[0]} / 1000")" '<=' 200 ms)" 'the same'
  turns "$times" "$folio" -C "$dir" show 7 ::: "$folio" -C "$dir" show $((pages / 2)) ::: git -C "$dir" rev-parse main
  row "number to snapshot: the 7th of $(thousands "$pages")" "$(ms "${median[0]}")" "$(ms "${median[1]}") in the middle" "$(calc %.2f "${median[0]} / ${median[1]}")" '' \
    '`folio show 7`'
}

part_memory() {
  table 'The most memory of a process'
  local held old new
  rows_space "$rows"
  copied "rows-$rows" memory
  warm
  signed_by wanda
  mib_row() { [ -z "$2" ] || row "$1" "$2 MiB" '' '' "$(asked "$2" '<=' "$3" MiB)" "$4"; }
  old=$(git -C "$dir" rev-parse main)
  mib_row "one accept at $(thousands "$rows") rows" "$(peak "${signing[@]}" accept author-0000/change-000000)" 64 '`folio accept AUTHOR/SLUG`'
  new=$(git -C "$dir" rev-parse main)
  mib_row 'resolve' "$(peak "$folio" -C "$dir" resolve "$alias_there")" 64 '`folio resolve`'
  git -C "$dir" update-ref refs/heads/main "$old"
  echo "$old $new refs/heads/main" >"$work/pushed"
  mib_row 'the hook, told of a page' "$(peak sh -c "cd $dir && GIT_DIR=. $folio hook pre-receive <$work/pushed")" 64 '`folio hook pre-receive`'
  git -C "$dir" update-ref refs/heads/main "$new"
  held=$(peak "${signing[@]}" accept --all)
  [ -z "$held" ] || row 'the queue of 999' "$held MiB" '' '' '' '`folio accept --all`'
  log_space "$pages"
  long_log "log-$pages"
  mib_row "verify of $(thousands "$pages") snapshots" "$(peak "$folio" -C "$dir" -q verify)" 300 '`folio verify`'
  held=$(peak "$folio" -C "$dir" -q replay)
  [ -z "$held" ] || row 'replay of them' "$held MiB" '' '' '' '`folio replay` of what was verified before'
  [ -n "$held" ] || row 'not measured: neither /usr/bin/time nor python3 is here' ''
}
