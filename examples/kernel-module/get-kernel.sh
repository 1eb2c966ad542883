#!/bin/sh
# Downloads a Debian kernel with its headers, without root: ./get-kernel.sh [6.1.0-57-cloud-amd64]
set -eu
depends() { apt-cache depends "$1" | sed -n 's/.*Depends: \(linux-.*\)/\1/p'; }

headers=linux-headers-${1:-cloud-$(dpkg --print-architecture)}
# The package without a version depends on the current one.
[ $# -gt 0 ] || headers=$(depends "$headers")
version=${headers#linux-headers-}
folder=${KERNELS:-kernels}/$version
[ ! -e "$folder" ] || exit 0

mkdir -p "$folder.new" && cd "$folder.new"
apt-get -q download "linux-image-$version" "$headers" $(depends "$headers")
mv linux-image-*.deb image.deb
for package in linux-*.deb; do dpkg-deb --extract "$package" . && rm "$package"; done
# The headers refer to those of all architectures by an absolute path.
sed -i "s|^include /|include $(dirname "$PWD")/$version/|" "usr/src/$headers/Makefile"
cd .. && mv "$version.new" "$version"
