#!/usr/bin/env bash
# Everything that can be said about the code without running it for real. All checks run, also after one has failed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
PATH=$PWD/.venv/bin:$PATH
DATA=$(mktemp -d)
export DATA
trap 'rm -rf "$DATA"' EXIT
failed=()

check() { # NAME COMMAND...
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        printf 'ok      %s\n' "$name"
    else
        printf 'FAILED  %s\n%s\n' "$name" "$output"
        failed+=("$name")
    fi
}

tracked() { git ls-files --cached --others --exclude-standard -z -- "$@"; }
templates_formatted() { tracked '*.html' ':!static' | xargs -0 -r djade --check --target-version 5.2; }
templates_lint() { tracked 'templates/*.html' | xargs -0 -r djlint --lint --quiet; }
scripts_lint() { tracked '*.sh' .ci/run | xargs -0 -r shellcheck; }
as_production() {
    PRODUCTION=1 BASE_URL=https://deploynix.invalid SECRET_KEY=$(openssl rand -hex 32) \
        TOKEN_PEPPERS=$(openssl rand -hex 32) FERNET_KEYS=$(openssl rand -base64 32 | tr '+/' '-_') "$@"
}

check 'code style' ruff check --quiet .
check 'code format' ruff format --check --output-format concise .
check 'types' mypy --no-error-summary .
check 'layers' lint-imports --no-logo
check 'template format' templates_formatted
check 'template lint' templates_lint
check 'shell scripts' scripts_lint
check 'production settings' as_production python manage.py check --deploy --fail-level WARNING
check 'migrations' python manage.py makemigrations --check --dry-run
check 'API description' python manage.py spectacular --validate --fail-on-warn --file /dev/null
check 'generated documents' python -m tools.generate_docs --check

((${#failed[@]} == 0)) || { printf '\n%s failed: %s\n' "${#failed[@]}" "${failed[*]}" && exit 1; }
