#!/usr/bin/env bash
# Fetches a commit of the repository into FOLDER/repo.git, as the site's own user.
#
# Environment: FOLDER, URL, REF, BRANCH (the site's), and for a repository read over SSH: DEPLOY_KEY, HOST, PORT,
# HOST_KEY (`type base64`, empty at first contact).
# Leaves: the commit as refs/deploynix/next; the host key of first contact in repo.git/host_key.
# Exit codes: 3 the ref is not there; 4 the host key is another one, which is in repo.git/presented_key.
set -euo pipefail

# Nothing that is configured on the server, or left running, plays a part.
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_TERMINAL_PROMPT=0 GIT_ALLOW_PROTOCOL=https:git:ssh

use_deploy_key() { # KEY
    local work
    work=$(mktemp -d)
    trap 'kill "$SSH_AGENT_PID"; rm -rf "${KNOWN_HOSTS%/*}"' EXIT
    export KNOWN_HOSTS=$work/known_hosts CHECKING=accept-new
    # The key stays in the agent's memory; it is in no file.
    eval "$(ssh-agent -s -a "$work/agent")" >/dev/null
    printf '%s\n' "$1" | ssh-add -q -
    if [[ -n $HOST_KEY ]]; then
        echo "repository $HOST_KEY" >"$KNOWN_HOSTS"
        CHECKING=yes
    fi
    # shellcheck disable=SC2016  # git gives this to a shell, which fills the variables in.
    export GIT_SSH_COMMAND='ssh -F /dev/null -o BatchMode=yes -o PreferredAuthentications=publickey
        -o IdentityFile=none -o ConnectTimeout=15 -o ServerAliveInterval=15 -o LogLevel=ERROR
        -o UserKnownHostsFile="$KNOWN_HOSTS" -o GlobalKnownHostsFile=/dev/null -o HostKeyAlias=repository
        -o CheckHostIP=no -o HashKnownHosts=no -o UpdateHostKeys=no -o StrictHostKeyChecking="$CHECKING"'
    GIT_SSH_COMMAND=${GIT_SSH_COMMAND//$'\n'/ }
}

remember_host_key() {
    [[ -n ${KNOWN_HOSTS:-} && -z $HOST_KEY && -s $KNOWN_HOSTS ]] || return 0
    cut -d ' ' -f 2,3 "$KNOWN_HOSTS" | head -n 1 >host_key
}

fetch() { git -c gc.autoDetach=false fetch --quiet --no-tags --force "$URL" "$@"; } # REFSPEC...

explain() { # The fetch failed: is it the host key, or has the branch gone?
    local status=0
    if [[ -n ${KNOWN_HOSTS:-} && -n $HOST_KEY ]]; then
        ssh-keyscan -T 15 -p "$PORT" "$HOST" 2>/dev/null | cut -d ' ' -f 2,3 >presented || true
        if [[ -s presented ]] && ! grep -qxF -- "$HOST_KEY" presented; then
            # Of the same type as the pinned one, where the server has one.
            { grep -F -- "${HOST_KEY%% *} " presented || cat presented; } | head -n 1 >presented_key
            exit 4
        fi
    fi
    git ls-remote --exit-code --heads "$URL" "refs/heads/$REF" >/dev/null 2>&1 || status=$?
    ((status != 2)) || exit 3
    exit 1
}

resolve() { # The commit that REF names, by what was fetched.
    local name
    for name in "refs/heads/$REF" "refs/tags/$REF" "$REF"; do
        git rev-parse --verify --quiet --end-of-options "$name^{commit}" && return
    done
    exit 3
}

main() {
    local key=${DEPLOY_KEY:-} commit
    unset DEPLOY_KEY
    cd "$FOLDER/repo.git"
    rm -f host_key presented presented_key
    [[ -f HEAD ]] || git init --quiet --bare .
    [[ -z $key ]] || use_deploy_key "$key"
    if [[ $REF == "$BRANCH" ]]; then
        fetch "+refs/heads/$REF:refs/heads/$REF" || explain
    else
        fetch --prune '+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*' || explain
    fi
    remember_host_key
    commit=$(resolve)
    git update-ref refs/deploynix/next "$commit"
    git log -1 --format='Commit %h by %an: %s' "$commit"
}

main
