#!/bin/sh
# Downloads the database server of Open vSwitch from Debian, with its libraries, to ovsdb/, without root.
set -eu
folder=${OVSDB:-ovsdb}
[ ! -e "$folder" ] || exit 0

libraries=$(apt-cache depends --important openvswitch-switch | sed -n 's/.*Depends: \(lib.*\)/\1/p')
libraries=$(apt-cache depends --recurse --important $libraries | grep -E '^z?lib' | sort -u)
mkdir -p "$folder.new" && cd "$folder.new"
apt-get -q download openvswitch-switch openvswitch-common $libraries
for package in *.deb; do dpkg-deb --extract "$package" . && rm "$package"; done
rm -rf etc usr/share usr/lib/openvswitch* usr/lib/*/gconv
find usr/bin usr/sbin -type f ! -name 'ovsdb-[st]*' -delete
# Newer versions of Debian have all libraries in /usr.
for directory in lib lib64; do [ -e $directory ] || [ ! -e usr/$directory ] || ln -s usr/$directory $directory; done
mkdir -p dev tmp
cd "$OLDPWD" && mv "$folder.new" "$folder"
