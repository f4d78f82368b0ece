# shellcheck shell=bash
# What the batch scripts share: the site's settings, the launch over the ranks, and what follows from how a job ended.
#
# A script sets EFFUSE_HOME, sources this file, and calls  begin OUTCOME-FILE [RESULT],  launch PROGRAM ARGUMENTS...  and
# end_job.
# Settings of the site come from slurm/sites/$EFFUSE_SITE.env or the environment; slurm/sites/README.md lists them.

warned=no      # by USR1, of the time limit
terminated=no  # by TERM; Slurm sends it to the ranks too, and this script has to live until they have saved
launcher=""
trap 'warned=yes; [ -z "$launcher" ] || kill -USR1 "$launcher" 2>/dev/null' USR1
trap 'terminated=yes' TERM

say() { printf '%s slurm: %s\n' "$(date +%FT%T)" "$*"; }
fail() {  # EXIT-CODE MESSAGE
  say "$2" >&2
  exit "$1"
}

# --- The site --------------------------------------------------------------------------------------------------------
if [ -n "${EFFUSE_SITE:-}" ]; then
  site_file=$EFFUSE_HOME/slurm/sites/$EFFUSE_SITE.env
  [ -r "$site_file" ] || fail 2 "EFFUSE_SITE is $EFFUSE_SITE, but there is no $site_file. Write it, or name another."
  bash -n "$site_file" || fail 2 "$site_file cannot be read by bash: see above."
  typed=$(export -p | grep '^declare -x EFFUSE_')  # what was given with the command goes before the file
  set -a
  # shellcheck disable=SC1090  # chosen by the user
  source "$site_file"
  set +a
  eval "$typed"
fi
for module in ${EFFUSE_MODULES:-}; do
  module load "$module" || fail 2 "EFFUSE_MODULES: module load $module failed."
done
case ${EFFUSE_LAUNCHER:=srun} in
  srun | mpirun | none) ;;
  *) fail 2 "EFFUSE_LAUNCHER is $EFFUSE_LAUNCHER, but has to be srun or mpirun." ;;
esac
PATH=${EFFUSE_BIN:-$EFFUSE_HOME/build/release/bin}:$PATH
container=()
if [ -n "${EFFUSE_CONTAINER:-}" ]; then
  # shellcheck disable=SC2206  # a list of words
  container=(apptainer exec ${EFFUSE_CONTAINER_FLAGS:-} "$EFFUSE_CONTAINER")
fi

# Runs a program once, on this node.
run_here() { "${container[@]}" "$@"; }

scratch=$(mktemp -d "${TMPDIR:-/tmp}/effuse-XXXXXX") || fail 1 "no scratch folder can be made (TMPDIR)."
trap 'rm -rf "$scratch"' EXIT

# --- Beginning -------------------------------------------------------------------------------------------------------
# OUTCOME-FILE: where the program will write how it ended; if "", its exit code says it. RESULT: the folder or file that it
# makes, if what it has made so far is not told by its outcome.
begin() {  # OUTCOME-FILE [RESULT]
  outcome_file=$1
  result=${2:-}
  attempts_before=$(outcome_field attempt)
  files_before=$(files_of_result)
  say "job $(job_name) on $SLURM_JOB_NODELIST, ranks: $SLURM_NTASKS, restarts: ${SLURM_RESTART_COUNT:-0}"
  refuse_endless_restarts
}

# As scontrol names it; of an array the one element.
job_name() {
  if [ -n "${SLURM_ARRAY_JOB_ID:-}" ]; then echo "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"; else echo "$SLURM_JOB_ID"; fi
}

# I/N: the part of the work that this element of the array is to do.
array_part() {
  local parts=${EFFUSE_PARTS:-${SLURM_ARRAY_TASK_MAX:-1}}
  if [ -z "${EFFUSE_PARTS:-}" ] && [ "${SLURM_ARRAY_TASK_COUNT:-1}" -ne "$parts" ]; then
    fail 2 "this array is not 1-N, so it is not known how many parts there are. To do some of N parts, set EFFUSE_PARTS=N."
  fi
  echo "${SLURM_ARRAY_TASK_ID:-1}/$parts"
}

# A field of the outcome, which has one a line; nothing where there is none.
outcome_field() {
  [ ! -r "$outcome_file" ] || sed -n "s/^ *\"$1\": \"\{0,1\}\(.*[^\",]\)\"\{0,1\},\{0,1\}\$/\1/p" "$outcome_file"
}

# How many there are, with those of a result that is not complete, which lie beside it.
files_of_result() { [ -z "$result" ] || find "$result"* -type f 2>/dev/null | wc -l; }

refuse_endless_restarts() {
  local in_a_row
  in_a_row=$(outcome_field began_there)
  if [ "${SLURM_RESTART_COUNT:-0}" -gt 3 ] && [ "${in_a_row:-0}" -gt 3 ]; then
    fail 1 "three restarts have brought no checkpoint after step $(outcome_field began_after): this is not tried again.
The log above says how they ended. Lower checkpoint.every_steps or raise --time if it was too short, and submit anew."
  fi
}

# --- The ranks -------------------------------------------------------------------------------------------------------
launch() {  # PROGRAM ARGUMENTS...: over all tasks of the allocation. Sets launcher_code.
  launcher_code=75  # as if stopped, where no time is left to begin
  if [ "$warned" = yes ]; then return; fi
  start_ranks "$@" &
  launcher=$!
  wait_for_ranks
  wait "$launcher"
  launcher_code=$?
  launcher=""
}

# A signal ends `wait`, but not the launcher. The warning is passed on again until the ranks have ended: launchers lose it
# while they start.
wait_for_ranks() {
  while kill -0 "$launcher" 2>/dev/null; do
    if [ "$warned" = no ]; then
      wait "$launcher"
    else
      sleep 10 &
      wait -n "$launcher" $!
      kill -USR1 "$launcher" 2>/dev/null
    fi
  done
}

start_ranks() {
  local flags
  case $EFFUSE_LAUNCHER in
    srun)
      read -ra flags <<<"${EFFUSE_SRUN_FLAGS:-}"
      if [ -n "${SLURM_CPUS_PER_TASK:-}" ]; then flags+=(--cpus-per-task="$SLURM_CPUS_PER_TASK"); fi
      exec srun --mpi=pmix --kill-on-bad-exit=1 "${flags[@]}" "${container[@]}" "$@" ;;
    mpirun)
      # Told to end, mpirun kills its ranks this much later: by itself after a second, too soon for a checkpoint.
      export OMPI_MCA_odls_base_sigkill_timeout=${OMPI_MCA_odls_base_sigkill_timeout:-3}
      read -ra flags <<<"${EFFUSE_MPIRUN_FLAGS:---bind-to none}"
      exec mpirun "${flags[@]}" "${container[@]}" "$@" ;;
    none) exec "${container[@]}" "$@" ;;
  esac
}

# With EFFUSE_PREFLIGHT=yes: is this allocation fit? It is not changed: what is unfit is named, and the job ends.
preflight() {  # ARGUMENTS of effuse-preflight
  if [ "${EFFUSE_PREFLIGHT:-no}" != yes ]; then return; fi
  launch effuse-preflight "$@"
  if [ "$launcher_code" -ne 0 ] && [ "$warned" = no ]; then
    fail "$launcher_code" "effuse-preflight finds this allocation unfit: see above. Leave out nodes with sbatch \
--exclude=NODES, or submit without EFFUSE_PREFLIGHT."
  fi
}

# --- The end ---------------------------------------------------------------------------------------------------------
# Launchers blur exit codes, so what the program wrote decides.
how_it_ended() {
  if [ -n "$outcome_file" ]; then
    # Another job may have begun this run just then.
    if [ "$(outcome_field attempt)" != "$attempts_before" ] && [ "$(outcome_field slurm_job)" = "$SLURM_JOB_ID" ]; then
      outcome_field outcome
    else
      echo "not begun"
    fi
    return
  fi
  case $launcher_code in
    0) echo "done" ;;
    1 | 2 | 3) echo "failure" ;;
    75) echo "stopped" ;;
    *) echo "running" ;;
  esac
}

# Does not return.
end_job() {
  local outcome code
  outcome=$(how_it_ended)
  case $outcome in
    "done") say "done"; exit 0 ;;
    failure | "bad configuration" | "bad data")
      code=$(outcome_field exit_code)
      fail "${code:-$launcher_code}" "$outcome: see above" ;;
  esac
  # Stopped with a checkpoint, killed before it could say so, or refused before there was a run.
  if [ "$warned" = yes ] && [ "$terminated" = no ]; then requeue "$outcome"; fi
  stay_while_preempted
  if [ "$launcher_code" -eq 0 ]; then launcher_code=1; fi
  case $outcome in
    stopped) fail 75 "stopped: $(outcome_field reason)" ;;
    running) fail "$launcher_code" "killed: see above, where a launcher names the rank. Submitted again, it continues." ;;
    *) fail "$launcher_code" "ended before it began: see above." ;;
  esac
}

# Before this script ends: jobs that wait for this one go on waiting.
requeue() {  # OUTCOME
  if [ "${SLURM_RESTART_COUNT:-0}" -ge 3 ]; then
    if [ -n "$result" ] && [ "$(files_of_result)" -eq "$files_before" ]; then
      fail 1 "three restarts, and again nothing was saved before the time limit: this is not tried again. Raise --time."
    elif [ "$1" = "not begun" ] && [ -z "$result" ]; then
      fail 1 "three restarts, and still nothing had begun when the time limit was near: this is not tried again. Raise --time."
    fi
  fi
  say "the time limit is near: back into the queue, to continue from here"
  scontrol requeue "$(job_name)" || fail 75 "Slurm refuses to requeue this job. Submitted again, it continues."
  exit 75
}

# Slurm requeues a preempted job at the end of its grace time, but takes one that has left before for failed.
stay_while_preempted() {
  while [ $terminated = no ] && scontrol show job "$SLURM_JOB_ID" | grep -q 'PreemptTime=[0-9]'; do
    sleep 2 &
    wait $!
  done
}
