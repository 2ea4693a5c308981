# Disk, clones, and one page that travels.
# shellcheck shell=bash disable=SC2154

# A space with rows and a log, for what is left after collecting.
both_space() { made_space "both-$rows-$more" rows="$rows" pages="$more" waiting=$((times + 11)); }

# `only_main NAME DEPTH`: a new repository in `dir` with `main` as it was so many pages before, collected.
only_main() {
  dir=$work/$3
  git init -q --bare -b main "$dir"
  git -C "$dir" fetch -q "$made/$1" "$(git -C "$made/$1" rev-parse "main~$2"):refs/heads/main"
  turns 1 "$folio" -q "${state[@]}" -C "$dir" gc
  collected=${median[0]}
}

part_disk() {
  table 'Disk'
  local before after each tip packed pack clone
  both_space
  only_main "both-$rows-$more" "$more" before
  before=$(bytes_in "$dir/objects")
  rm -rf "$dir"
  only_main "both-$rows-$more" 0 after
  after=$(bytes_in "$dir/objects")
  each=$(calc %.2f "($after - $before) / $more / 1024")
  row "a snapshot of one decision, $(thousands "$rows") rows, after a collection" "$each KiB" '' '' "$(asked "$each" '<=' 1.2 KiB)" \
    "\`folio gc\`, the bytes in \`objects/\` with and without the last $(thousands "$more") snapshots"
  row "that collection" "$(ms "$collected")" '' '' '' '`folio gc`, with all there is loose or in one fetched pack'
  tip=$(git -C "$dir" rev-parse 'main^{tree}')
  turns 1 sh -c "git -C $dir rev-list --objects --no-walk $tip | cut -c1-40 | git -C $dir pack-objects -q --stdout >$work/state.pack" ::: \
    git clone -q --bare --depth 1 "file://$dir" "$work/clone-{i}" ::: git clone -q --bare "file://$dir" "$work/whole-{i}"
  packed=$(stat -c %s "$work/state.pack")
  clone=$(find "$work/clone-000000/objects" -name '*.pack' -printf '%s\n' | awk '{n += $1} END {printf "%d", n}')
  pack=$(calc %.2f "$clone / $packed")
  row "a clone of depth 1" "$(calc %.1f "$clone / 1048576") MiB" "$(calc %.1f "$packed / 1048576") MiB, the state" "$pack" "$(asked "$pack" '<=' 1.1)" \
    '`git clone --depth 1`; `git rev-list --objects --no-walk main^{tree}`, `git pack-objects --stdout`'
  row 'the time of it' "$(ms "${median[1]}")" "$(ms "${median[2]}") for a whole one" '' '' 'the same, `git clone`'
  rm -rf "$work"/clone-* "$work"/whole-* "$work/state.pack"
  row 'the whole, after a collection' "$(calc %.1f "$after / 1048576") MiB" '' '' '' '`objects/`'
  rm -rf "$dir"
  log_space "$pages"
  only_main "log-$pages" 0 long
  each=$(calc %.2f "$(bytes_in "$dir/objects") / $pages / 1024")
  row "a snapshot of one decision, $(thousands "$pages") of them" "$each KiB" '' '' '' '`folio gc`, all bytes in `objects/`'
  turns 1 "$folio" -q "${state[@]}" clone --bare --space "$(space_id)" "$dir" "$work/clone-{i}" ::: git clone -q --bare "file://$dir" "$work/whole-{i}"
  ratio_row "a clone of $(thousands "$pages") snapshots, verified from the first on" "${median[0]}" "${median[1]}" '' '`folio clone`; `git clone file://...`, which checks no signature'
  rm -rf "$dir" "$work"/clone-* "$work"/whole-*
}

# `set_up DIR...`: gives bare repositories the settings of a space that Folio makes: all is synced and checked that
# arrives, and git collects nothing by itself.
set_up() {
  local to
  [ -e "$work/new" ] || "$folio" -q "${state[@]}" --key "$work/key" init --bare --handle bench --user-name Bench --email bench@example.org "$work/new" >/dev/null
  for to in "$@"; do cp "$work/new/config" "$to/config"; done
}

# The id of the space in `dir`.
space_id() { "$folio" -C "$dir" status --json | sed -n 's/.*"space":"\([0-9a-f]*\)".*/\1/p'; }

part_travel() {
  table "One page between two repositories as \`folio init\` sets them up, $(thousands "$rows") rows, over a local path"
  local here there hooked reader plain alone
  both_space
  copied "both-$rows-$more" here; here=$dir
  "$folio" -q "${state[@]}" -C "$here" gc >/dev/null
  set_up "$here"
  # What one of them fetched is nothing new to another command there, so each has a place of its own.
  for there in there hooked hub reader plain; do shared "$here" "$work/$there"; done
  hooked=$work/hooked reader=$work/reader plain=$work/plain there=$work/there
  "$folio" -q "${state[@]}" -C "$hooked" hook install >/dev/null 2>&1
  git -C "$here" remote add origin "$work/hub"
  git -C "$reader" remote add origin "$work/hub"
  sync -f "$work"
  signed_by wanda
  # Somebody who gets nothing but pages: all that is in one is new there.
  only_main "both-$rows-$more" 0 alone
  alone=$dir dir=$here
  set_up "$alone"
  warm
  memory_of_a_page "$times" ', the first after a collection'
  turns "$times" "${signing[@]}" accept 'author-{a}/change-{i}' ::: \
    "${signing[@]}" push ::: "$folio" -q "${state[@]}" -C "$reader" fetch ::: \
    git -C "$here" push -q "$there" main ::: git -C "$here" push -q "$hooked" main ::: \
    git -C "$plain" fetch -q "$there" +main:refs/seen/main ::: git -C "$here" push -q "$alone" main
  row 'git pushes it' "$(ms "${median[3]}")" '' '' "$(asked "$(calc %.1f "${median[3]} / 1000")" '<=' 50 ms)" '`git push DIR main`, no hooks there'
  row 'git pushes it where nobody had the proposal' "$(ms "${median[6]}")" "$(ms "${median[3]}")" "$(calc %.2f "${median[6]} / ${median[3]}")" '' '`git push DIR main`, where `main` alone was ever fetched'
  row 'git pushes it, and hooks judge it' "$(ms "${median[4]}")" "$(ms "${median[3]}")" "$(calc %.2f "${median[4]} / ${median[3]}")" '' '`git push DIR main`, after `folio hook install` there'
  row 'git fetches it' "$(ms "${median[5]}")" '' '' "$(asked "$(calc %.1f "${median[5]} / 1000")" '<=' 50 ms)" '`git fetch DIR main`'
  row 'folio pushes it' "$(ms "${median[1]}")" "$(ms "${median[3]}")" "$(calc %.2f "${median[1]} / ${median[3]}")" '' '`folio push`; `git push DIR main`'
  row 'folio fetches and verifies it' "$(ms "${median[2]}")" "$(ms "${median[5]}")" "$(calc %.2f "${median[2]} / ${median[5]}")" '' '`folio fetch`; `git fetch DIR main`'
  memory_of_a_page "$((times + 1))" ", after $times more"
}

# `memory_of_a_page N WHEN`: numbers the nth proposal and brings it everywhere, for `part_travel`.
memory_of_a_page() {
  local held
  "${signing[@]}" accept "$(printf 'author-%04d/change-%06d' $(($1 % 10)) "$1")" >/dev/null
  held=$(peak git -C "$here" push -q "$there" main)
  [ -z "$held" ] || row "memory of git push, the largest process$2" "$held MiB" '' '' "$(asked "$held" '<=' 32 MiB)" '`git push DIR main`'
  held=$(peak git -C "$here" push -q "$alone" main)
  [ -z "$held" ] || row "the same, where nobody had the proposal$2" "$held MiB" '' '' '' '`git push DIR main`'
  held=$(peak git -C "$here" push -q "$hooked" main)
  [ -z "$held" ] || row "the same, where hooks judge$2" "$held MiB" '' '' "$(asked "$held" '<=' 64 MiB)" '`git push DIR main`'
  held=$(peak git -C "$plain" fetch -q "$there" +main:refs/seen/main)
  [ -z "$held" ] || row "memory of git fetch$2" "$held MiB" '' '' "$(asked "$held" '<=' 32 MiB)" '`git fetch DIR main`'
  held=$(peak "${signing[@]}" push)
  [ -z "$held" ] || row "memory of folio push$2" "$held MiB" '' '' "$(asked "$held" '<=' 32 MiB)" '`folio push`'
  held=$(peak "$folio" -q "${state[@]}" -C "$reader" fetch)
  [ -z "$held" ] || row "memory of folio fetch$2" "$held MiB" '' '' "$(asked "$held" '<=' 32 MiB)" '`folio fetch`'
}
