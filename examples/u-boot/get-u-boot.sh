#!/bin/sh
# Downloads U-Boot of Debian for QEMU's boards, without root.
set -eu
folder=${U_BOOT:-u-boot}
[ ! -e "$folder" ] || exit 0

mkdir -p "$folder.new" && cd "$folder.new"
apt-get -q download u-boot-qemu
dpkg-deb --extract u-boot-qemu_*.deb . && rm u-boot-qemu_*.deb
cd "$OLDPWD" && mv "$folder.new" "$folder"
