#!/bin/sh
# git_serve.sh REPOSITORIES NAME: what a deploy key may do, whatever its owner asks for: fetch that one repository.
set -eu
if [ "${SSH_ORIGINAL_COMMAND:-}" != "git-upload-pack '/$2.git'" ]; then
    echo 'ERROR: Repository not found, or this deploy key has no access to it.' >&2
    exit 1
fi
exec git -c safe.directory='*' upload-pack "$1/$2.git"
