#!/bin/bash
# prepare.sh: installs what the cluster and the driver's image are made of, and is not built.
set -e
export DEBIAN_FRONTEND=noninteractive
packages="runc busybox-static iproute2 util-linux mount kmod coreutils diffutils
  e2fsprogs xfsprogs btrfs-progs cryptsetup-bin"
missing=
for package in $packages; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
apt-get update -q >/dev/null
# shellcheck disable=SC2086 # a list of packages
apt-get install -y -q --no-install-recommends $missing >/dev/null
