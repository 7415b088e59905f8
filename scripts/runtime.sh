# Sourced by ./kez and scripts/node.sh with $root set: leaves an installed tree and $node, the Node 24 to run.
# docs/decisions/runtime.md says why. POSIX sh only: dash, bash and busybox read this file.
#
# A start with everything in place takes one child process (cmp) and writes nothing. The stamp
# node_modules/.kez holds the package-lock.json that was installed and the path of the Node to use.

if ! [ -f "$root/node_modules/.kez/node" ] || ! read -r node <"$root/node_modules/.kez/node" ||
  ! cmp -s "$root/package-lock.json" "$root/node_modules/.kez/lock"; then
  node=
else
  case $node in node_modules/*) node=$root/$node ;; esac
fi

if [ -z "$node" ] || ! [ -x "$node" ]; then
  . "$root/scripts/install.sh"
  kez_install
fi

# Children (npm, test servers, git hooks) find the same Node first.
case $node in
  "$root"/*)
    case $PATH in
      "${node%/*}":*) ;;
      *)
        PATH=${node%/*}:$PATH
        export PATH
        ;;
    esac
    ;;
esac

# Node keeps the stripped and compiled form of every module here.
: "${NODE_COMPILE_CACHE:=$root/node_modules/.cache/v8}"
export NODE_COMPILE_CACHE
