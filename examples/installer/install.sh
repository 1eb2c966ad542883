#!/bin/sh
# The installer: asks for a disk and a name, creates a partition with a file system, and copies the system in /payload to it.
set -eu
export TERM=linux
ask() { whiptail --title Installer "$@" 3>&1 1>&2 2>&3; }

for disk in /sys/block/vd*; do
  set -- "$@" "${disk##*/}" "$(($(cat "$disk/size") / 2048)) MB"
done
disk=$(ask --menu 'Install to which disk?' 12 40 3 "$@")
name=$(ask --inputbox 'Name of the machine' 8 40)
ask --yesno "Erase everything on $disk?" 8 40

clear
echo 'start=2048, type=83, bootable' | sfdisk --quiet "/dev/$disk"
mke2fs "/dev/${disk}1" >/dev/null
mount -t ext2 "/dev/${disk}1" /mnt
mkdir /mnt/boot
cp /payload/* /mnt/boot/
echo "$name" >/mnt/name
cat >/mnt/boot/extlinux.conf <<END
serial 0
default linux
label linux
  linux vmlinuz
  initrd initramfs
  append $(cat /payload/arguments) name=$name
END
extlinux --install /mnt/boot
umount /mnt
dd if=/usr/lib/EXTLINUX/mbr.bin of="/dev/$disk" bs=440 count=1 conv=notrunc 2>/dev/null
whiptail --title Installer --msgbox "The system is on $disk. Remove the medium and press Enter." 8 40
poweroff -f
