# shellcheck shell=bash
# What the batch scripts share: the site's settings, the launch over the ranks, and what follows from how a job ended.
#
# A script sets EFFUSE_HOME, sources this file, and calls  begin OUTCOME-FILE RESULT [KEPT],  launch PROGRAM ARGUMENTS...  and
# end_job.
# Settings of the site come from slurm/sites/$EFFUSE_SITE.env or the environment; slurm/sites/README.md lists them.

say() { printf '%s slurm: %s\n' "$(date +%FT%T)" "$*"; }
fail() {  # EXIT-CODE MESSAGE
  say "$2" >&2
  exit "$1"
}

# --- Signals ---------------------------------------------------------------------------------------------------------
warned=no      # by USR1, of the time limit
terminated=no  # by TERM; Slurm sends it to the ranks too, and this script has to live until they have saved
requeued=no    # by itself
launcher=""
scratch=""
restarts_file=""
set_traps() {
  trap 'warned=yes; [ -z "$launcher" ] || kill -USR1 "$launcher" 2>/dev/null' USR1
  trap 'terminated=yes' TERM
  trap leave EXIT
}
set_traps

leave() {
  rm -rf "$scratch"
  if [ -n "$restarts_file" ] && ! is_to_return; then rm -f "$restarts_file"; fi
}

# Whether Slurm will start this job again: it counts that as soon as it is decided.
is_to_return() {
  [ $requeued = yes ] || { [ $terminated = yes ] &&
    ! scontrol show job "$(job_name)" | grep -q " Restarts=${SLURM_RESTART_COUNT:-0} "; }
}

# --- The site --------------------------------------------------------------------------------------------------------
# shellcheck source=slurm/site.sh
source "$EFFUSE_HOME/slurm/site.sh"
set_traps
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

# --- Beginning -------------------------------------------------------------------------------------------------------
# OUTCOME-FILE: where the program will write how it ended; if "", its exit code says it. RESULT: the folder or file that it
# makes. KEPT: where it keeps what it has made so far; the same unless given.
begin() {  # OUTCOME-FILE RESULT [KEPT]
  outcome_file=$1
  kept=${3:-$2}
  restarts_file=$(dirname -- "$2")/.$(basename -- "$2").restarts-$(job_name)
  attempts_before=$(outcome_field attempt)
  say "job $(job_name) on $SLURM_JOB_NODELIST, ranks: $SLURM_NTASKS, restarts: ${SLURM_RESTART_COUNT:-0}"
  count_restarts_in_vain
}

# As scontrol names it; of an array the one element.
job_name() {
  if [ -n "${SLURM_ARRAY_JOB_ID:-}" ]; then echo "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"; else echo "$SLURM_JOB_ID"; fi
}

# I/N: the part of the work that this element of the array is to do.
array_part() {
  local parts=${EFFUSE_PARTS:-${SLURM_ARRAY_TASK_MAX:-1}}
  if [ -z "${EFFUSE_PARTS:-}" ] && [ "${SLURM_ARRAY_TASK_MIN:-1}-${SLURM_ARRAY_TASK_COUNT:-1}" != "1-$parts" ]; then
    fail 2 "this array is not 1-N, so it is not known how many parts there are. To do some of N parts, set EFFUSE_PARTS=N."
  fi
  echo "${SLURM_ARRAY_TASK_ID:-1}/$parts"
}

# A field of the outcome, which has one a line; nothing where there is none.
outcome_field() {
  [ ! -r "$outcome_file" ] || sed -n "s/^ *\"$1\": \"\{0,1\}\(.*[^\",]\)\"\{0,1\},\{0,1\}\$/\1/p" "$outcome_file"
}

# --- Restarts in vain ------------------------------------------------------------------------------------------------
# Whatever restarts a job, after three in a row without headway it is given up. What was there at the last start is kept beside
# the result for as long as the job may be started again.
count_restarts_in_vain() {
  local count made_then
  in_vain=0
  made_before=$(made_so_far)
  if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ] && read -r count made_then 2>/dev/null <"$restarts_file" &&
    [ "$made_then" = "$made_before" ]; then
    in_vain=$((count + 1))
  fi
  if [ "$in_vain" -gt 3 ]; then give_up; fi
  mkdir -p -- "$(dirname -- "$restarts_file")" && echo "$in_vain $made_before" >"$restarts_file"
}

# One word for the names and sizes of all files there, but for hidden ones, which are temporary.
made_so_far() { find "$kept" -type f -printf '%P %s\n' 2>/dev/null | grep -Ev '(^|/)[.]' | LC_ALL=C sort | cksum | tr ' ' -; }

give_up() {
  fail 1 "three restarts have brought nothing new in $kept: this is not tried again. The log above says how they ended.
Raise --time if it was too short for the next thing to be saved, or let it be saved sooner, and submit anew."
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
    1) echo "failure" ;;
    2) echo "bad configuration" ;;
    3) echo "bad data" ;;
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
  if [ "$warned" = yes ] && [ "$terminated" = no ]; then requeue; fi
  stay_while_preempted
  if [ "$launcher_code" -eq 0 ]; then launcher_code=1; fi
  case $outcome in
    stopped) fail 75 "stopped: $(outcome_field reason)" ;;
    running) fail "$launcher_code" "killed: see above, where a launcher names the rank. Submitted again, it continues." ;;
    *) fail "$launcher_code" "ended before it began: see above." ;;
  esac
}

# Before this script ends: jobs that wait for this one go on waiting.
requeue() {
  if [ "$in_vain" -ge 3 ] && [ "$(made_so_far)" = "$made_before" ]; then give_up; fi
  say "the time limit is near: back into the queue, to continue from here"
  scontrol requeue "$(job_name)" || fail 75 "Slurm refuses to requeue this job. Submitted again, it continues."
  requeued=yes
  exit 75
}

# Slurm requeues a preempted job at the end of its grace time, but takes one that has left before for failed.
stay_while_preempted() {
  while [ $terminated = no ] && scontrol show job "$SLURM_JOB_ID" | grep -q 'PreemptTime=[0-9]'; do
    sleep 2 &
    wait $!
  done
}
