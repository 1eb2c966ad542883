#!/bin/sh
# Prints TAP, as many test programs do.
echo 1..2
if ip link show lo | grep -q LOOPBACK,UP; then echo ok 1 - loopback is up; else echo not ok 1 - loopback is up; fi
if grep -qw tmpfs /proc/filesystems; then echo ok 2 - tmpfs is there; else echo not ok 2 - tmpfs is there; fi
