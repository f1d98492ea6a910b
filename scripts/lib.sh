# Shared by the scripts: what they need and how they get it. Sourced, not run.

say() { printf '\n\033[1m==> %s\033[0m\n' "$*" >&2; }

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 2
}

# Installs the Debian packages that are missing, as root or through sudo.
need_packages() {
  local missing=() package
  command -v dpkg-query >/dev/null || return 0 # not Debian: the operator knows better
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  say "installing ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "these packages are missing and there is no sudo: ${missing[*]}"
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# Cargo, a linker, and OpenSSL, which multiplies.
need_rust() {
  [ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
  command -v cargo >/dev/null || die "cargo is not installed; see https://rustup.rs"
  need_packages gcc libc6-dev pkg-config libssl-dev ca-certificates
}

# The client's side of network-bound unlock, as the distribution has it.
need_clevis() {
  need_packages clevis clevis-luks cryptsetup-bin jose
  PATH="$PATH:/usr/sbin:/sbin" # where cryptsetup is, which is not in everybody's
}

# Targets that make Cargo give shared dependencies the features that the tests
# need of them (there are no examples in Rust): else serde_json, and with it
# Cedar, is compiled once for the tests and once more without them.
as_tested=(--lib --examples)

# Builds the binary and says where it is in `panopol`.
build_panopol() {
  cargo build --locked --bins "${as_tested[@]}"
  panopol="${CARGO_TARGET_DIR:-target}/debug/panopol"
}

# Starts a release server in "$work" whose limits are out of the way, so that
# nothing but the work limits, and says where it is.
start_server() {
  rm -f "$work/ready.json"
  "$panopol" serve --dev --policy "$work/policy" --state "$work/state" --ready-file "$work/ready.json" \
    --unlock-listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 \
    --rate-per-source 10000000 --rate-per-binding 10000000 >"$work/server.log" 2>&1 &
  server=$!
  until [ -e "$work/ready.json" ]; do
    kill -0 "$server" 2>/dev/null || { cat "$work/server.log" >&2; die "the server did not start"; }
    sleep 0.02
  done
  PANOPOL_URL=$(jq -r .admin "$work/ready.json")
  PANOPOL_TOKEN=$(jq -r .token "$work/ready.json")
  unlock=$(jq -r .unlock "$work/ready.json")
  export PANOPOL_URL PANOPOL_TOKEN no_proxy=127.0.0.1
}

stop_server() {
  [ -n "${server:-}" ] || return 0
  { kill "$server" && wait "$server"; } 2>/dev/null || true
  server=
}

# The exchange key of whoever advertises at a URL.
exchange_kid() {
  curl -fsS "$1/adv" | jose fmt -j- -Og payload -SyOo- |
    jq -c '.keys[] | select(.key_ops | index("deriveKey"))' | jose jwk thp -i- -a S256
}

# A client's request to recover, as Clevis makes one.
recovery_body() {
  jose jwk gen -i '{"alg":"ECMR"}' | jose jwk pub -i- -o- |
    jq -c '{alg, crv, kty, x, y, key_ops: ["deriveKey"]}'
}

# One call of the admin plane.
admin() { curl -fsS -H "Authorization: Bearer $PANOPOL_TOKEN" "$@"; }
