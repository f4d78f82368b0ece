"""A real Slurm cluster on one machine, for tests: a controller and nodes, each in namespaces of its own.

Every node has its own address, hostname, process table, /dev/shm and temporary folder, and is linked to the others by a
bridge, so that ranks talk over a network that can be cut. All files lie below one temporary folder; killing the namespaces'
first processes ends everything in them, and links and mounts vanish with the namespaces. Needs root and Debian's packages
slurmctld, slurmd, slurm-client, munge and iproute2.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

CONTROLLER = "ctl"
TIMEOUT_S = 120
NETWORK = "10.77.0"  # inside the controller's namespace, so two clusters do not meet
CPUS = 4
GPUS = 2

# Failures are detected in seconds, and jobs start at once.
SLURM_CONF = """
ClusterName=effuse-test
SlurmctldHost={controller}({network}.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge/socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0,sched_min_interval=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
SlurmctldTimeout=10
SlurmdTimeout=6
MessageTimeout=5
TCPTimeout=2
KillWait=8
JobRequeue=1
BatchStartTimeout=10
UnkillableStepTimeout=30
EpilogMsgTime=100
CompleteWait=0
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MailProg=/bin/true
GresTypes=gpu
"""

# The first process of a node: it takes in orphans, as init does, until it is killed.
INIT = """
hostname {name}
ip link set lo up
mount -t tmpfs -o mode=1777 shm /dev/shm
mount --bind {folder}/etc/hosts /etc/hosts
mount --bind {folder}/tmp-{name} {folder}/tmp
touch {folder}/{name}.up
while :; do sleep 3600 & wait $!; done
"""


class Cluster:
    """`with Cluster(nodes=3) as cluster:` starts it, and takes it away."""

    def __init__(self, nodes=3):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="slurm-"))
        self.folder.chmod(0o755)  # munged wants its socket where all can reach it
        self.nodes = [f"n{i}" for i in range(1, nodes + 1)]
        self._inits = {}  # name: (process outside, id of the first process inside)

    def __enter__(self):
        try:
            self._write_files()
            for name in (CONTROLLER, *self.nodes):
                self._start_namespaces(name)
            self._link_nodes()
            self._start_daemons()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    # --- What is run on it ---------------------------------------------------------------------------

    def run(self, *command, node=CONTROLLER, check=True, cwd="/", env=None):
        """A command on a node; its output. With check=False the finished process."""
        done = subprocess.run(self._inside(node, *command, cwd=cwd), capture_output=True, text=True, timeout=TIMEOUT_S,
                              env=env or self.environment())
        if not check:
            return done
        assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
        return done.stdout.strip()

    def environment(self, **variables):
        """What a user has who is logged in to the cluster, and nothing of the launcher of the tests."""
        kept = ("PATH", "HOME", "LANG", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
        return {**{name: os.environ[name] for name in kept if name in os.environ},
                "SLURM_CONF": str(self.folder / "etc/slurm.conf"), "TMPDIR": str(self.folder / "tmp"),
                "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                "OMPI_MCA_mpi_yield_when_idle": "1", "OMP_NUM_THREADS": "1", **variables}

    def submit(self, *arguments, cwd, **variables):
        """The id of a job submitted by sbatch."""
        answer = self.run("sbatch", "--parsable", *arguments, cwd=cwd, env=self.environment(**variables))
        return answer.split(";")[0]

    def job(self, job):
        """What Slurm knows of a job (of an array: "7_1"): JobState, Restarts, BatchHost, …"""
        text = self.run("scontrol", "--oneliner", "show", "job", str(job))
        return dict(word.split("=", 1) for word in text.split() if "=" in word)

    # --- Waiting for events --------------------------------------------------------------------------

    def wait(self, what, condition, timeout_s=TIMEOUT_S):
        """Asks again until `condition()` holds. Returns its value."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            value = condition()
            if value:
                return value
            time.sleep(0.05)
        raise AssertionError(f"waited in vain until {what}\n" + self.run("squeue", "-t", "all", check=False).stdout)

    def wait_for_state(self, job, *states, timeout_s=TIMEOUT_S):
        """Returns what Slurm knows of the job once it is in one of the states."""
        def reached():
            record = self.job(job)
            return record if record.get("JobState") in states else None
        return self.wait(f"job {job} is {' or '.join(states)}", reached, timeout_s)

    def wait_for_end(self, job, timeout_s=TIMEOUT_S):
        return self.wait_for_state(job, "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED",
                                   timeout_s=timeout_s)

    def wait_until_gone(self, job):
        """Until nothing of the job is waiting, running or ending."""
        self.wait(f"job {job} has left", lambda: not self.run("squeue", "--noheader", "--jobs", job))

    def start_again(self, job, restarts=1):
        """Spares a requeued job the two minutes that Slurm lets it wait, and waits until it runs."""
        self.wait(f"job {job} was requeued {restarts} times",
                  lambda: int(self.job(job).get("Restarts", 0)) >= restarts)
        # Slurm refuses a start in the two seconds after a job became pending.
        since = self.wait_for_state(job, "PENDING", "RUNNING")
        pending_s = time.monotonic()
        if since["JobState"] == "PENDING":
            self.wait("the job may start", lambda: time.monotonic() > pending_s + 2.5)
            self.run("scontrol", "update", f"jobid={job}", "StartTime=now")
        return self.wait_for_state(job, "RUNNING", "COMPLETED", "FAILED")

    def wait_for_nodes(self):
        """Until all are idle."""
        self.wait("all nodes are idle", lambda: self.run(
            "sinfo", "-h", "-N", "-p", "normal", "-t", "idle", "-o", "%N", check=False).stdout.split() == self.nodes)

    # --- What may befall it --------------------------------------------------------------------------

    def cut_link(self, node):
        self.run("ip", "link", "set", f"to-{node}", "down")

    def mend_link(self, node):
        self.run("ip", "link", "set", f"to-{node}", "up")

    def bytes_received(self, node):
        devices = self.run("cat", "/proc/net/dev", node=node)
        return int(devices.split("eth0:")[1].split()[0])

    def processes(self, node, program):
        """Ids, inside the node, of the processes of that name there."""
        return self.run("pgrep", "-x", program[:15], node=node, check=False).stdout.split()

    def kill_controller(self, job):
        """Not before it has saved that the job runs: it would be forgotten."""
        state = self.folder / "state/job_state"
        before = state.stat().st_mtime_ns if state.exists() else 0
        self.run("scontrol", "update", f"jobid={job}", "comment=to-be-saved")  # else there may be nothing left to save
        self.wait("the controller has saved its state", lambda: state.exists() and state.stat().st_mtime_ns > before)
        self.run("pkill", "-KILL", "-x", "slurmctld")
        self.wait("the controller is dead", lambda: self.run("scontrol", "ping", check=False).returncode != 0)

    def start_controller(self):
        self._start_daemon(CONTROLLER, "slurmctld", "-D")
        self.wait("the controller answers", lambda: self.run("scontrol", "ping", check=False).returncode == 0)

    def stop(self):
        for outside, _ in self._inits.values():
            outside.send_signal(signal.SIGKILL)
        for outside, inside in self._inits.values():
            outside.wait()
            while pathlib.Path(f"/proc/{inside}").exists():
                time.sleep(0.01)
        self._inits.clear()
        shutil.rmtree(self.folder)

    # --- Its parts -----------------------------------------------------------------------------------

    def _inside(self, node, *command, cwd="/"):
        first = self._inits[node][1]
        return ["nsenter", "-t", str(first), "-m", "-u", "-i", "-n", "-p", f"--wd={cwd}", "--", *map(str, command)]

    def _write_files(self):
        for name in ("etc", "munge", "state", "tmp", *(f"tmp-{node}" for node in (CONTROLLER, *self.nodes)),
                     *(f"spool-{node}" for node in self.nodes)):
            (self.folder / name).mkdir()
        key = self.folder / "munge/key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        addresses = {CONTROLLER: f"{NETWORK}.1", **{node: f"{NETWORK}.{10 + i}" for i, node in enumerate(self.nodes)}}
        self.addresses = addresses
        etc = self.folder / "etc"
        (etc / "hosts").write_text("127.0.0.1 localhost\n" + "".join(f"{a} {n}\n" for n, a in addresses.items()))
        lines = [f"NodeName={node} NodeAddr={addresses[node]} CPUs={CPUS} RealMemory=4000 Gres=gpu:{GPUS} State=UNKNOWN"
                 for node in self.nodes]
        lines += ["PartitionName=normal Nodes=ALL Default=YES PriorityTier=1 GraceTime=10 State=UP",
                  "PartitionName=urgent Nodes=ALL PriorityTier=9 PreemptMode=off State=UP"]
        (etc / "slurm.conf").write_text(
            SLURM_CONF.format(controller=CONTROLLER, network=NETWORK, folder=self.folder) + "\n".join(lines) + "\n")
        (etc / "gres.conf").write_text(f"Name=gpu File=/dev/tty[0-{GPUS - 1}]\n")
        # All nodes name the same folder, which is another one on each.
        (etc / "mpi.conf").write_text(f"PMIxCliTmpDirBase={self.folder}/tmp\n")

    def _start_namespaces(self, name):
        up = self.folder / f"{name}.up"
        outside = subprocess.Popen(
            ["unshare", "--net", "--uts", "--ipc", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL",
             "bash", "-ec", INIT.format(name=name, folder=self.folder)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while not up.exists():
            assert outside.poll() is None, f"namespaces need root: {outside.stderr.read()}"
            time.sleep(0.005)
        inside = subprocess.run(["ps", "-o", "pid=", "--ppid", str(outside.pid)], capture_output=True, text=True, check=True)
        self._inits[name] = (outside, int(inside.stdout))

    def _link_nodes(self):
        self.run("ip", "link", "add", "bridge", "type", "bridge")
        self.run("ip", "addr", "add", f"{NETWORK}.1/24", "dev", "bridge")
        self.run("ip", "link", "set", "bridge", "up")
        for node in self.nodes:
            # From outside, where the ids of both first processes are known.
            subprocess.run(["nsenter", "-t", str(self._inits[CONTROLLER][1]), "-n", "ip", "link", "add", f"to-{node}",
                            "type", "veth", "peer", "name", "eth0", "netns", str(self._inits[node][1])], check=True)
            self.run("ip", "link", "set", f"to-{node}", "master", "bridge", "up")
            self.run("ip", "addr", "add", f"{self.addresses[node]}/24", "dev", "eth0", node=node)
            self.run("ip", "link", "set", "eth0", "up", node=node)

    def _start_daemon(self, node, *command):
        with open(self.folder / f"{command[0]}-{node}.out", "w") as out:
            # A session of its own, which ends with the namespaces.
            subprocess.Popen(self._inside(node, *command), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                             env=self.environment(), start_new_session=True)

    def _start_daemons(self):
        munge = self.folder / "munge"
        self._start_daemon(CONTROLLER, "munged", "-F", f"--socket={munge}/socket", f"--key-file={munge}/key",
                           f"--pid-file={munge}/pid", f"--seed-file={munge}/seed", f"--log-file={munge}/log")
        self.wait("munged listens", (munge / "socket").exists)
        self._start_daemon(CONTROLLER, "slurmctld", "-D")
        for node in self.nodes:
            self._start_daemon(node, "slurmd", "-D", "-N", node)
        self.wait_for_nodes()
