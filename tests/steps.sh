# What tests/run is made of: steps that are counted and timed, packages, and real nodes. Sourced.

work=$(mktemp -d)
results=()
passed=0 failed=0
versions="9.5.3 8.19.21 7.10.2"
preparing=
beside=

# step WORDS COMMAND…: runs a command under a banner. A failure is counted and the rest still runs;
# status 77 means that LACKS says what this machine doesn't have. NOTE is said beside a success.
step() {
  local words=$1 status=0 began=$SECONDS
  shift
  printf '\n=== %s\n' "$words"
  LACKS= NOTE=
  "$@" </dev/null || status=$?
  local took=$((SECONDS - began))
  if [ $status = 0 ]; then
    passed=$((passed + 1)); results+=("passed   $words ($took s)${NOTE:+: $NOTE}")
  elif [ $status = 77 ] && [ "${CI:-}" != true ]; then
    results+=("NOT RUN  $words: this machine lacks $LACKS")
  else
    failed=$((failed + 1)); results+=("FAILED   $words ($took s)${LACKS:+: this machine lacks $LACKS}")
  fi
  printf '=== %s\n' "${results[-1]}"
}

# begin_beside FUNCTION: runs steps in the background, which wait more than they work, while the processors do something
# else. end_beside waits for them, prints what they printed, and takes in their results.
begin_beside() {
  set -m # a process group of its own, which can be ended as a whole
  (
    results=() passed=0 failed=0
    # Also of what breaks off midway: what was run until then counts.
    trap 'printf "%s\n" "$passed $failed" "${results[@]}" >"$work/beside.results"' EXIT
    "$1"
  ) </dev/null >"$work/beside.log" 2>&1 &
  beside=$!
  set +m
}

end_beside() {
  local good=0 bad=1 lines=("FAILED   steps in the background: they broke off")
  [ -n "$beside" ] || return 0
  local ended=0
  wait "$beside" || ended=$?
  beside=
  cat "$work/beside.log"
  if [ -e "$work/beside.results" ]; then
    { read -r good bad; mapfile -t lines; } <"$work/beside.results"
  fi
  if [ $ended != 0 ] && [ "$bad" = 0 ]; then bad=1 lines+=("FAILED   steps in the background: they broke off"); fi
  passed=$((passed + good)) failed=$((failed + bad)) results+=("${lines[@]}")
}

lacks() { LACKS=$1; echo "this machine lacks $1"; return 77; }

summary() {
  printf '\n=== in all, after %s s\n' "$SECONDS"
  printf '%s\n' "${results[@]}"
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# install PACKAGE…: those that are missing. A command that is there by other means counts as its package.
install() {
  local missing=() package
  command -v apt-get >/dev/null || { lacks "apt-get (Debian or Ubuntu)"; return; }
  for package in "$@"; do
    case $package in
      maven) command -v mvn >/dev/null && continue ;;
      openssl) command -v openssl >/dev/null && continue ;;
    esac
    is_installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  echo "installing ${missing[*]}"
  apt_update || return
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}"
}

apt_update() {
  [ -e "$work/apt-updated" ] || as_root apt-get update -qq || return
  touch "$work/apt-updated"
}

install_jdk() {
  local package
  if has_jdk; then return; fi
  apt_update || return
  for package in openjdk-25-jdk-headless openjdk-21-jdk-headless; do
    if [ -n "$(apt-cache madison "$package")" ]; then
      as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$package" || return
      has_jdk; return
    fi
  done
  lacks "a JDK 21 or newer (this release has no package of it: unpack one below /usr/lib/jvm, or set JAVA_HOME)"
}

harness() { PYTHONPATH=tests/elasticsearch python3 -B -c "$@"; }
has_jdk() { harness 'import home; print("JDK:", home.find_jdk("9.5.3"))'; }

node_json() { echo "$work/nodes/$1/node.json"; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

node_start() {
  local more=()
  # It hashes the secrets of keys as slowly as passwords unless told otherwise.
  [ "$1" = 7.10.2 ] && more=(--setting xpack.security.authc.api_key.hashing.algorithm=bcrypt4)
  tests/elasticsearch/node start --version "$1" --port "$(free_port)" --tls --dir "$work/nodes/$1" "${more[@]}"
}

node_stop() { [ ! -e "$(node_json "$1")" ] || tests/elasticsearch/node stop --dir "$work/nodes/$1" >/dev/null; }

# Begins to download all versions and to start the first two, behind whatever else runs.
nodes_begin() {
  set -m # a process group of its own, which can be ended as a whole
  (
    node_start 9.5.3 && node_start 8.19.21 &&
      harness 'import home; home.prepare("7.10.2", home.find_jdk("7.10.2"))'
  ) </dev/null >"$work/nodes.log" 2>&1 &
  preparing=$!
  set +m
}

nodes_first() {
  local status=0
  wait "$preparing" || status=$?
  preparing=
  cat "$work/nodes.log"
  return $status
}

nodes_end() {
  local version
  if [ -n "$beside" ]; then
    kill -- "-$beside" 2>/dev/null || true
    wait "$beside" || true
    cat "$work/beside.log"
    beside=
  fi
  if [ -n "$preparing" ]; then
    kill -- "-$preparing" 2>/dev/null || true
    wait "$preparing" || true
    preparing=
  fi
  for version in $versions; do node_stop "$version" || true; done
}

# windows COMMAND…: what needs Rust's standard library for Windows. Where it can't be had nothing is wrong with the code, so
# that this one is said and not a failure, with CI=true either.
windows() {
  if ! (. packaging/common.sh && toolchain x86_64-pc-windows-gnu) >/dev/null 2>&1; then
    NOTE="NOT RUN, no standard library of Rust for Windows can be had"
    return
  fi
  "$@"
}

# Instructions, counted by valgrind. Where the baseline is of another compiler or machine they are not compared.
counts() {
  local status=0
  benches/counts/run || status=$?
  [ $status != 3 ] || { NOTE="NOT COMPARED, the baseline is of another compiler or machine"; status=0; }
  return $status
}

trap 'nodes_end; rm -rf "$work"' EXIT

# contract VERSION…: the suite on the sandbox and on these nodes, several cases at a time since most wait.
contract() {
  local nodes= version status=0
  for version in "$@"; do nodes+="${nodes:+:}$(node_json "$version")"; done
  KEYBEARER_CONTRACT_NODES=$nodes cargo test --test contract -- --test-threads 8 2>&1 | tee "$work/contract.log" || status=$?
  echo "questions that a version lacks, and which were not asked: $(grep -c ': not asked$' "$work/contract.log" || true)"
  return $status
}
