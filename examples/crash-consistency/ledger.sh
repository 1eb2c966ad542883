#!/bin/sh
# Stores records in the current directory until it is ended. Acknowledges each record that is on the disk.
number=$(find . -name 'record-*' | wc -l)
while number=$((number + 1)); do
  echo "paid $number: the end of record $number" >new
  sync new
  mv new "record-$number"
  sync .
  echo "stored $number"
done
