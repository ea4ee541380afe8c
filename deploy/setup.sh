#!/usr/bin/env bash
# Makes a Debian machine ready for Patchpanel's one-machine cluster, its demo and its tests: installs the Debian
# packages that are missing, the npm packages, and builds the programs. Safe to run again: what is there is left alone.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Each Debian package and what for.
packages=(
  docker.io           # the Docker Engine; where none runs, the cluster starts a private one
  openvswitch-switch  # ovsdb-server and ovs-vswitchd: one pair for each host
  dnsmasq-base        # names and leases on a host
  iproute2            # ip: namespaces, links, routes
  ethtool             # checksum offload of container links, which the userspace switch needs off
  nftables            # nft: NAT and published ports; keeps a dev host's kernel from answering what belongs to the switch
  busybox-static      # the content of the demo and test images
  openssl             # certificates, in the tests
  python3-marathon    # a client written for Marathon, in the tests
  default-jre-headless # ZooKeeper runs on it
  libzookeeper-java   # a ZooKeeper server, for the dev cluster and the tests
  iputils-ping        # ping, in the tests
  systemd             # systemd-analyze checks the units of deploy/systemd, in the tests
  ruby                # checks deploy/vagrant/Vagrantfile, in the tests
  python3-jinja2      # render the Salt states, in the tests
  python3-yaml        #
)

say() { echo "setup: $*"; }
fail() {
  echo "setup: $*" >&2
  exit 1
}

require_machine() {
  [ "$(id -u)" -eq 0 ] || fail 'run this as root: it installs packages, and the cluster needs network namespaces'
  command -v node >/dev/null || fail 'Node.js is missing: install version 20.19 or later'
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' \
    || fail "Node.js $(node --version) is too old: install version 20.19 or later"
  command -v dpkg-query >/dev/null \
    || fail "this is no Debian: install ${packages[*]} (or what they are called here) and run npm ci && npm run build"
}

installed() {
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

install_packages() {
  local missing=()
  local package
  for package in "${packages[@]}"; do
    installed "$package" || missing+=("$package")
  done
  if [ "${#missing[@]}" -eq 0 ]; then
    say 'Debian packages: all there'
    return
  fi
  say "Debian packages: installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  # The package lists may be missing or old: try with what is there, then fetch them.
  apt_install "${missing[@]}" >/dev/null 2>&1 || { apt-get update -qq && apt_install "${missing[@]}"; }
}

apt_install() {
  apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "$@"
}

# npm writes its own lock file into node_modules when it has finished.
install_modules() {
  if [ node_modules/.package-lock.json -nt package-lock.json ]; then
    say 'npm packages: all there'
    return
  fi
  say 'npm packages: installing (npm ci)'
  npm ci --no-audit --no-fund --loglevel=error
}

# Built again when a source file has changed, appeared or gone since.
build_programs() {
  local stamp=dist/.sources
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(sources_hash)" ]; then
    say 'programs: built already'
    return
  fi
  say 'programs: building (npm run build)'
  npm run --silent build
  sources_hash >"$stamp"
}

sources_hash() {
  find proto src scheduler executor deploy package-lock.json -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum
}

require_machine
install_packages
install_modules
build_programs
say 'done'
