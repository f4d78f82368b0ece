# shellcheck shell=bash
# Reads the site's settings, for the batch scripts and for effuse-submit: all that slurm/sites/$EFFUSE_SITE.env sets goes into
# the environment, but options of the shell do not stay. To be sourced where there is a function fail EXIT-CODE MESSAGE; traps
# are to be set after it.

if [ -n "${EFFUSE_SITE:-}" ]; then
  site_file=$EFFUSE_HOME/slurm/sites/$EFFUSE_SITE.env
  [ -r "$site_file" ] || fail 2 "EFFUSE_SITE is $EFFUSE_SITE, but there is no $site_file. Write it, or name another."
  if grep -q $'\r' "$site_file"; then
    fail 2 "$site_file has line ends of Windows, which bash takes for text: sed -i 's/\\r\$//' FILE removes them."
  fi
  bash -n "$site_file" || fail 2 "$site_file cannot be read by bash: see above."
  typed=$(export -p | grep '^declare -x EFFUSE_')  # what was given with the command goes before the file
  options=$(set +o)
  trap 'fail 2 "$site_file ends the shell that reads it: it may set variables, but not call exit, nor fail under set -e."' EXIT
  set -a
  # shellcheck disable=SC1090  # chosen by the user
  source "$site_file"
  eval "$options"
  trap - EXIT ERR DEBUG
  eval "$typed"
fi
