# The same costs at several sizes, for the pictures.
# shellcheck shell=bash disable=SC2154

point() { echo "$1,$2,$3,$4" >>"$plot/figures.csv"; }
named() { printf '%s,title,"%s"\n%s,x,%s\n%s,y,"%s"\n' "$1" "$2" "$1" "$3" "$1" "$4" >>"$plot/figures.csv"; }

# Sizes up to the largest of this run, ten times as many each.
sizes() { local n; for ((n = 100; n <= $1; n *= 10)); do echo "$n"; done; }

# What one accept and a page in a queue cost in a space.
accepting() {
  local name=$1 file=$2 x=$3
  copied "$name" plot
  warm
  signed_by wanda
  turns 11 "${signing[@]}" accept 'author-{a}/change-{i}' ::: "${commit[@]}"
  point "$file" 'one folio accept' "$x" "$(calc %.4f "${median[0]} / 1000")"
  point "$file" 'git commit -S' "$x" "$(calc %.4f "${median[1]} / 1000")"
  queue_of "$name"
  point "$file" 'a page of folio accept --all (1000 wait)' "$x" "$(calc %.4f "$each / 1000")"
}

plots() {
  local n
  : >"$plot/figures.csv"
  commits_in_a_loop
  named accept-rows 'Numbering one proposal, against the rows of the state' rows milliseconds
  named accept-log 'Numbering one proposal, against the length of the log' snapshots milliseconds
  named ask-rows 'One question in a cold process, against the rows of the state' rows milliseconds
  named ask-log 'One question in a cold process, against the length of the log' snapshots milliseconds
  named verify-log 'The whole history, against the length of the log' snapshots 'snapshots a second'
  for n in $(sizes "$rows"); do
    rows_space "$n"
    accepting "rows-$n" accept-rows "$n"
    asking "rows-$n" ask-rows "$n"
  done
  for n in $(sizes "$pages"); do
    log_space "$n"
    accepting "log-$n" accept-log "$n"
    asking "log-$n" ask-log "$n"
    long_log "log-$n"
    turns 3 "$folio" -C "$dir" -q verify ::: "$folio" -C "$dir" -q replay ::: git -C "$dir" log --format=%G? -n 100 main
    point verify-log 'folio verify' "$n" "$(rate "$((n + 3))" "${median[0]}")"
    point verify-log 'folio replay' "$n" "$(rate "$((n + 3))" "${median[1]}")"
    point verify-log 'git log --format=%G?' "$n" "$(rate 50 "${median[2]}")"
  done
  "$space" plot "$plot"
  printf '\nDrawn in %s: %s\n' "$(basename "$plot")" "$(cd "$plot" && echo *.svg)"
}

# What a question costs in a space.
asking() {
  local name=$1 file=$2 x=$3
  copied "$name" plot
  alias_there=$(awk '/^alias/ {print $2}' "$made/$name.made")
  warm
  turns 15 "$folio" -C "$dir" resolve "$alias_there" ::: git -C "$dir" rev-parse main
  point "$file" 'folio resolve' "$x" "$(calc %.4f "${median[0]} / 1000")"
  point "$file" 'git rev-parse main' "$x" "$(calc %.4f "${median[1]} / 1000")"
}
