#!/bin/bash
# prepare.sh CACHE_DIR FLAVOUR: what the virtual machine needs, from Debian's packages. The kernel is unpacked, not installed.
set -e
cache=$1
# cloud: small, and enough for most; generic: also has software RDMA.
flavour=$2
here=$(dirname "$(realpath "$0")")
mkdir -p "$cache"
export DEBIAN_FRONTEND=noninteractive

packages="qemu-system-x86 qemu-system-common busybox-static zstd xz-utils kmod udev nvme-cli keyutils
  open-iscsi e2fsprogs xfsprogs btrfs-progs cryptsetup-bin dmsetup iproute2 util-linux"
missing=
for package in $packages; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing="$missing $package"
done
if [ -n "$missing" ]; then
  apt-get update -q >/dev/null
  # shellcheck disable=SC2086 # a list of packages
  apt-get install -y -q --no-install-recommends $missing >/dev/null
fi

kernel=$cache/kernel-$flavour
case $flavour in cloud) meta=linux-image-cloud-amd64 ;; *) meta=linux-image-amd64 ;; esac
if ! ls "$kernel"/boot/vmlinuz-* >/dev/null 2>&1; then
  apt=$cache/apt
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
  # The mirror that this machine already uses.
  # shellcheck disable=SC2016 # a format of apt's
  mirror=$(apt-get indextargets --format '$(REPO_URI)' "Codename: bookworm" 2>/dev/null | head -1)
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  echo "deb [signed-by=$keyring] $mirror bookworm-backports main" > "$apt/sources.list"
  options=(-o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$apt/lists"
    -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update -q >/dev/null
  package=$(apt-cache "${options[@]}" depends "$meta" | awk '/Depends: linux-image-/ { print $2; exit }')
  (cd "$apt" && apt-get "${options[@]}" download -q "$package" >/dev/null && dpkg-deb -x linux-image-*.deb "$kernel" &&
    rm linux-image-*.deb)
  depmod -b "$kernel" "$(ls "$kernel/lib/modules")"
fi
[ -f "$cache/initrd-$flavour.cpio" ] || "$here/make-initrd.sh" "$kernel" "$cache/initrd-$flavour.cpio"
