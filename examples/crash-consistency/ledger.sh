#!/bin/sh
# Writes records to the current directory until it is killed. Prints an acknowledgement for each record that is on the disk.
number=$(find . -name 'record-*' | wc -l)
while number=$((number + 1)); do
  echo "paid $number: the end of record $number" >new
  sync new
  mv new "record-$number"
  sync .
  echo "stored $number"
done
