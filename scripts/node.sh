#!/bin/sh
# Runs a script with the project's own Node: sh scripts/node.sh FILE [ARGUMENT...]

case $0 in
  scripts/node.sh | ./scripts/node.sh) root=$PWD ;;
  /*/scripts/node.sh) root=${0%/scripts/node.sh} ;;
  */*) root=$PWD/${0%/*}/.. ;;
  *) root=$PWD/.. ;;
esac

. "$root/scripts/runtime.sh"
exec "$node" "$@"
