#!/bin/sh
# store-medusa start | setup | wait: the three things this image does. /app/src/setup says what set-up and waiting mean.
set -eu
cd /app
case ${1:-start} in
    start)
        mkdir -p "$UPLOADS_DIR/public" "$UPLOADS_DIR/private"
        exec node node_modules/@medusajs/cli/cli.js start --host 0.0.0.0 --port "$PORT"
        ;;
    setup) exec node src/setup/main.js ;;
    wait) exec node src/setup/wait.js ;;
    *)
        echo "store-medusa: unknown command $1 (start, setup, wait)" >&2
        exit 64
        ;;
esac
