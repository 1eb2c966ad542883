#!/bin/sh
# Builds the root file system of an installer, and the system that it installs, from Debian packages, without root.
set -eu
folder=${MEDIUM:-medium}
start=$PWD
[ ! -e "$folder" ] || exit 0
depends() { apt-cache depends --important --no-conflicts --no-breaks --no-replaces --no-enhances "$@"; }

rm -rf "$folder.new" && mkdir -p "$folder.new/root" && cd "$folder.new"
kernel=$(depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-.*\)/\1/p')
apt-get -q download "$kernel"
mv "$kernel"_*.deb linux.deb

cd root
for name in bin sbin lib lib64; do mkdir -p "usr/$name" && ln -s "usr/$name" "$name"; done
apt-get -q download $(depends --recurse whiptail fdisk extlinux busybox-static ncurses-base |
  grep '^[a-z]' | grep -v : | sort -u)
for package in *.deb; do
  dpkg-deb --fsys-tarfile "$package" | tar --extract --keep-directory-symlink && rm "$package"
done
for command in $(bin/busybox --list); do [ -e "bin/$command" ] || [ -e "sbin/$command" ] || ln -s busybox "bin/$command"; done
rm -r usr/share/doc usr/share/man usr/share/locale
mkdir -p dev proc sys tmp mnt
cd "$start" && mv "$folder.new" "$folder"
