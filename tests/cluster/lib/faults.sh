# shellcheck shell=bash
# What fault tests do to single processes of the cluster. Only processes that `start` started, never by name.

fault() {
  local verb=$1 process=$2 pid
  alive "$process" || die "$process does not run in $NAME"
  read -r pid _ <"$DIR/pid/$process"
  case $verb in
    kill) kill -KILL "$pid"; while alive "$process"; do sleep 0.02; done; rm -f "$DIR/pid/$process" ;;
    pause) kill -STOP "$pid" ;;
    resume) kill -CONT "$pid" ;;
  esac
}
