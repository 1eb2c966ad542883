#!/bin/sh
# Downloads the headers and the start-up code of UEFI applications from Debian, without root.
set -eu
folder=${GNU_EFI:-gnu-efi}
[ ! -e "$folder" ] || exit 0

mkdir -p "$folder.new" && cd "$folder.new"
apt-get -q download gnu-efi
dpkg-deb --extract gnu-efi_*.deb . && rm gnu-efi_*.deb
cd "$OLDPWD" && mv "$folder.new" "$folder"
