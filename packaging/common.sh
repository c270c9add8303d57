# shellcheck shell=bash disable=SC2034
# What the scripts here share: names, versions, pinned tools. Sourced, with the repository's root as the current folder.

ID=org.keybearer.Keybearer DOMAIN=keybearer.org
VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
TOOLCHAIN=1.95.0      # of the packages; anything from `rust-version` on builds the program
GLIBC=2.28            # the oldest: Debian 10, RHEL 8
NFPM=2.48.0 ZIG=0.17.1 ZIGBUILD=0.24.1 AUDITABLE=0.7.7 ABOUT=0.9.3 CYCLONEDX=0.5.9 DENY=0.20.2
APPIMAGE=0.4.0        # the crate that holds the runtime

export CARGO_HOME=${CARGO_HOME:-$HOME/.cargo} RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
# One folder for builds and tools, kept between runs; the packages themselves go to target/packages.
BUILD=${KEYBEARER_BUILD_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/keybearer/packages}
TOOLS=$BUILD/tools
OUT=${KEYBEARER_PACKAGES:-$PWD/target/packages}
mkdir -p "$BUILD" "$TOOLS" "$OUT"
export PATH=$TOOLS/bin:$TOOLS/venv/bin:$PATH

# Two builds of one commit are the same byte by byte: nothing takes its time from the clock.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Cargo.lock)}
export SOURCE_DATE_EPOCH TZ=UTC LC_ALL=C.UTF-8
umask 022

say() { printf '%s\n' "--- $*"; }
fail() { printf 'packaging: %s\n' "$*" >&2; exit 1; }

# cargo_tool NAME VERSION: a program of the crates' registry, built once for each version.
cargo_tool() {
  [ "$(cat "$TOOLS/$1.version" 2>/dev/null)" = "$2" ] && return
  say "installing $1 $2"
  cargo "+$TOOLCHAIN" install --quiet --locked --root "$TOOLS" --version "$2" "${@:3}" "$1" || fail "$1 $2 can't be installed"
  echo "$2" >"$TOOLS/$1.version"
}

# python_tools: those that come as Python packages, in an environment of their own.
python_tools() {
  local wanted="nfpm==$NFPM ziglang==$ZIG cargo-zigbuild==$ZIGBUILD"
  [ "$(cat "$TOOLS/venv.version" 2>/dev/null)" = "$wanted" ] && return
  say "installing $wanted"
  python3 -m venv --clear "$TOOLS/venv"
  # shellcheck disable=SC2086
  "$TOOLS/venv/bin/pip" --quiet --disable-pip-version-check install $wanted || fail "$wanted can't be installed"
  echo "$wanted" >"$TOOLS/venv.version"
}

toolchain() {
  rustup toolchain list | grep -q "^$TOOLCHAIN" || rustup toolchain install "$TOOLCHAIN" --profile minimal
  if [ -n "${1:-}" ]; then rustup target add --toolchain "$TOOLCHAIN" "$1" || return; fi
  export RUSTUP_TOOLCHAIN=$TOOLCHAIN
}

# The commit that `--version` tells; nothing where there is no repository.
KEYBEARER_COMMIT=${KEYBEARER_COMMIT:-$(git rev-parse --short=12 HEAD 2>/dev/null || true)}
export KEYBEARER_COMMIT
# No path of the machine that built it is in a program.
export RUSTFLAGS="--remap-path-prefix=$CARGO_HOME=/cargo --remap-path-prefix=$PWD=/keybearer --remap-path-prefix=$BUILD=/build"
