# Artifacts beside git's objects.
# shellcheck shell=bash disable=SC2154

# A file that no program can make smaller, and a directory of small ones, made once.
payloads() {
  payload=$work/payload small=$work/small
  [ -e "$payload" ] || head -c "${mib}M" /dev/urandom >"$payload"
  [ -e "$small" ] && return
  mkdir "$small"
  # 2 KiB each, of lines that differ.
  seq "$((files * 128))" | awk '{printf "%015d\n", $1}' | split -l 128 -a 5 - "$small/f"
  sync -f "$work"
}

# New copies of the smallest space, and as many new repositories of git's own: sets `ours` and `theirs` to what their
# names begin with.
beginnings() {
  local at
  made_space small rows=100
  copies=$((copies + 1)) ours=$work/ours-$copies theirs=$work/theirs-$copies
  for at in 0 1 2; do
    cp -r "$made/small" "$ours-00000$at"
    new_git "$theirs-00000$at"
  done
  sync -f "$work"
}

part_bytes() {
  table 'Bytes by their key'
  local size=$((mib * 1048576)) key id list
  payloads
  beginnings
  turns 3 "$folio" -C "$ours-{i}" artifact add "$payload" ::: git -C "$theirs-{i}" -c core.compression=0 -c core.bigFileThreshold=8m hash-object -w "$payload" ::: \
    git -C "$work/git" hash-object "$payload"
  mib_a_second() { echo "$(rate "$mib" "$1") MiB/s"; }
  row "add a file of $mib MiB of noise" "$(mib_a_second "${median[0]}")" "$(mib_a_second "${median[1]}")" "$(calc %.2f "${median[0]} / ${median[1]}")" '' \
    '`folio artifact add`; `git -c core.fsync=all -c core.compression=0 -c core.bigFileThreshold=8m hash-object -w`'
  row 'the same beside hashing alone' "$(mib_a_second "${median[0]}")" "$(mib_a_second "${median[2]}")" "$(calc %.2f "${median[0]} / ${median[2]}")" '' '`folio artifact add`; `git hash-object`'
  key=$("$folio" -C "$ours-000000" artifact ls | awk '{print $1}')
  id=$(git -C "$work/git" hash-object "$payload")
  turns 3 "$folio" -C "$ours-000000" artifact cat "$key" ::: git -C "$theirs-000000" cat-file blob "$id"
  row 'read it, each byte compared with its key' "$(mib_a_second "${median[0]}")" "$(mib_a_second "${median[1]}")" "$(calc %.2f "${median[0]} / ${median[1]}")" '' \
    '`folio artifact cat`; `git cat-file blob`'
  [ "$size" -gt 0 ]
  beginnings
  find "$small" -type f >"$work/list"
  turns 3 "$folio" -C "$ours-{i}" artifact add "$small" ::: \
    sh -c "git -C $theirs-{i} -c core.fsyncMethod=batch hash-object -w --stdin-paths <$work/list"
  row "add a directory of $(thousands "$files") files of 2 KiB" "$(rate "$files" "${median[0]}") files/s" "$(rate "$files" "${median[1]}") files/s" \
    "$(calc %.2f "${median[0]} / ${median[1]}")" '' '`folio artifact add DIR`; `git -c core.fsync=all -c core.fsyncMethod=batch hash-object -w --stdin-paths`'
  list=$work/keys-list
  mkdir "$work/many-keys"
  seq "$keys" | split -l 1 -a 5 - "$work/many-keys/k"
  "$folio" -q -C "$ours-000000" artifact add "$work/many-keys" >/dev/null
  "$folio" -C "$ours-000000" artifact ls >"$list"
  key=$(sed -n "$((keys / 2)){s/ .*//p;q}" "$list")
  id=$(git -C "$theirs-000000" hash-object "$(sed -n 7p "$work/list")")
  git -C "$theirs-000000" gc -q
  turns "$times" "$folio" -C "$ours-000000" artifact stat "$key" ::: git -C "$theirs-000000" cat-file -s "$id"
  ratio_row "look up one of $(thousands "$(wc -l <"$list")") keys, cold" "${median[0]}" "${median[1]}" '' \
    "\`folio artifact stat KEY\`; \`git cat-file -s ID\` among $(thousands "$files")"
}

part_limits() {
  printf '\n### What the machine does at all, on one core\n\n| what | a second |\n|---|---|\n'
  "$space" limits "$work" | awk '/^limit/ {printf "| %s | %s %s |\n", $2, $3, $4}'
}
