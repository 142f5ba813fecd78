"""launch/run: what it starts, and what becomes of it."""

import os
import shlex
import shutil
import signal

from . import command_line, hosts, machine, mpirun
from .script import Failure, complain, note, program
from .supervision import Supervisor, write


def main(words):
    options = command_line.parse(words)
    program = find_program()
    os.environ.setdefault("HOME", os.environ.get("TMPDIR", "/tmp"))  # without one Open MPI 5 does not start
    launcher = mpirun.detect(program)
    job = Job(options, launcher, program)
    if options.dry_run:
        print(shlex.join(job.command()))
        return 0
    remark_on_root(options)
    if launcher.ROOM_BYTES:
        require_room(launcher.ROOM_BYTES)
    supervisor = Supervisor(launcher, options.verbose, options.start_seconds, options.trains())
    attempt, resume = 0, []
    while True:
        if supervisor.asked is not None:
            raise Failure(supervisor.asked, "interrupted while no ranks were running")
        ended = supervisor.run(job.command() + resume, job.environment)
        code, what = outcome(ended, options, supervisor, launcher)
        if code != 5 or attempt == options.retries or not options.trains():
            if what:
                complain(what)
            return code
        seconds = 1 << min(attempt, 6)
        attempt += 1
        job.folder = ended.folder or job.folder
        resume = ["--resume", "auto"]  # from this run's newest checkpoint, or as the first time
        start = "from the newest checkpoint" if job.has_checkpoint() else "from the start"
        note(f"{what or 'a rank was lost'}; going on {start} in {seconds} s (retry {attempt} of {options.retries})")
        supervisor.wait(seconds)
        if supervisor.asked is None and options.placement:
            job.leave_out_lost_hosts()


class Job:
    """The command of mpirun, and the environment in which it runs."""

    def __init__(self, options, launcher, program):
        self.options = options
        self.launcher = launcher
        self.program = program
        self.folder = None  # of the training run, when it has told
        self.environment = dict(os.environ)
        self.ranks = options.ranks
        self.hosts = options.hosts
        self.placement = options.placement
        in_allocation = any(os.environ.get(key) for key in ("SLURM_JOB_NODELIST", "PBS_NODEFILE", "LSB_DJOB_HOSTFILE"))
        self._several_hosts = bool(self.hosts) or in_allocation
        self._crowded = options.force
        self._bind = options.bind
        shards = options.shards()
        if shards is not None and self.ranks is not None and self.ranks > shards:
            raise Failure(2, f"{self.ranks} ranks share {shards} shards, expected at most one rank a shard: set data.shards to "
                             f"{self.ranks} or more (train.batch_size is a multiple of it), or start fewer ranks")
        if self._several_hosts:
            self._fit_hosts()
        else:
            self._fit_machine()
        if self._bind == "core" and self._crowded:
            raise Failure(2, "--bind core with more threads than cores, or --force: expected --bind none")
        if self._crowded:
            self.environment["OMP_WAIT_POLICY"] = os.environ.get("OMP_WAIT_POLICY") or "passive"
        self.environment["OMP_NUM_THREADS"] = str(self.threads)

    def _fit_hosts(self):
        of_task = "" if self.hosts else os.environ.get("SLURM_CPUS_PER_TASK", "")
        self.threads = self.options.threads or int(of_task or 1)
        slots = hosts.total_slots(self.hosts) if self.hosts else None
        if slots is not None and self.ranks and self.ranks > slots and not self._crowded:
            raise Failure(2, f"-np {self.ranks} with {' '.join(self.placement)} needs {self.ranks} slots, found {slots}: expected "
                             f"-np {slots} at most, or --force")

    def _fit_machine(self):
        options, cores = self.options, machine.cores()
        if self.ranks is None:
            self.ranks = min(max(cores // (options.threads or 1), 1), 8, max(options.shards() or 8, 1))
        fit = max(cores // self.ranks, 1)
        self.threads = options.threads or fit
        if self.threads > fit and not options.force:
            raise Failure(2, f"--threads {self.threads} with -np {self.ranks} needs {self.ranks * self.threads} cores, found "
                             f"{cores}: expected --threads {fit} at most, or --force")
        self._crowded = self.ranks * self.threads > cores
        if self._crowded and not options.force and self._bind != "core":
            note(f"{self.ranks} ranks on {cores} cores: they take turns")
        if self._bind is None and not self._crowded and machine.whole_machine():
            self._bind = "core"

    def command(self):
        options = self.options
        variables = {"LOCKSTEP_LAUNCHER": "1",  # the ranks tell how far they are, see src/liveness/launcher.h
                     "LOCKSTEP_START_SECONDS": str(options.start_seconds)}
        for key in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "CIFAR10_DIR"):
            if self.environment.get(key):
                variables[key] = self.environment[key]
        start = mpirun.Start(
            ranks=self.ranks, hosts=self.hosts, placement=self.placement, several_hosts=self._several_hosts,
            whole_names=bool(self.hosts) and hosts.share_a_label([*self.hosts, *hosts.this_host()]),
            threads=self.threads, bound=self._bind == "core", crowded=self._crowded, variables=variables, users=options.mpi,
        )  # fmt: skip
        return [*self.launcher.command(start), self.program, *options.words]

    def has_checkpoint(self):
        """Whether the run has one; beside .next they are of the run that it replaces, see src/run/run_place.h."""
        if self.folder is None or (self.folder / ".next").exists():
            return False
        return any(self.folder.glob("checkpoints/step-*.safetensors"))

    def leave_out_lost_hosts(self):
        """The command goes to the hosts that still answer: their slots, and no more ranks than those."""
        agent = self.launcher.agent(self.options.mpi)
        left = [host for host in self.hosts if hosts.answers(host, agent)]
        gone = " ".join(host.name for host in self.hosts if host not in left)
        if not gone:
            return
        if not left:
            raise Failure(5, f"no host answers: {gone}")
        self.hosts = left
        self.placement = ["--host", hosts.as_list(left)]
        slots = sum(host.slots or 1 for host in left)
        if self.ranks is not None:
            self.ranks = min(self.ranks, slots)
        note(f"{gone} does not answer: going on with {hosts.as_list(left).replace(',', ' ')}")


def find_program():
    path = program()
    if not os.path.isfile(path) or not os.access(path, os.X_OK):
        raise Failure(2, f"{path} is not a program; build it with launch/build, or build and train with launch/quickstart")
    return os.path.realpath(path)


def remark_on_root(options):
    contained = os.environ.get("container") or os.path.exists("/.dockerenv") or os.path.exists("/run/.containerenv")
    if os.geteuid() == 0 and not (options.root_meant or os.environ.get("OMPI_ALLOW_RUN_AS_ROOT") or contained):
        note("running as root; a user of your own is safer, --allow-run-as-root says that root is meant")


def require_room(least):
    """That Open MPI can write its files, so many bytes, on this host."""
    variable = next((key for key in ("TMPDIR", "TEMP", "TMP") if os.environ.get(key)), None)
    folder = os.environ[variable] if variable else "/tmp"
    named = f"{variable} is {folder}, " if variable else f"{folder}: "
    if not os.path.isdir(folder):
        raise Failure(2, f"{named}which is not a folder, expected one for Open MPI's files")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Failure(2, f"{named}which cannot be written, expected a folder for Open MPI's files")
    free = shutil.disk_usage(folder).free
    if free < least:
        raise Failure(2, f"{named}which has {free >> 10} KiB left, expected {least >> 10} KiB for Open MPI's files; another "
                         "folder may be named by TMPDIR")


def outcome(ended, options, supervisor, launcher):
    """(exit code, what to say of it): what the job's end means. 5 where a rank, a host or mpirun was lost."""
    def show_own():
        for line in ended.held:
            write(line)
        if ended.spoken and not options.verbose:
            write(ended.spoken)

    code, asked = ended.code, supervisor.asked
    if code in (0, 2, 3, 4) or (code == 1 and ended.started and options.words[0] in command_line.FIND_DIFFERENCES):
        show_own()
        return code, None
    if code in (130, 143) or (asked is not None and ended.finished and code == 128 + signal.SIGUSR1):
        # With the latter mpirun, which had nothing left to do, was ended by the signal that asks the ranks.
        show_own()
        done = "saved their state and ended" if options.words[0] in command_line.SAVE_THEIR_STATE else "ended"
        return asked or code, supervisor.why and f"{supervisor.why}: the ranks {done}"
    if asked is not None:
        what = ended.lost or ended.spoken or "the ranks ended"
        return asked, f"{supervisor.why or 'interrupted'}: {what} (code {code}) before training was done"
    if ended.lost:
        return 5, ended.lost
    if ended.spoken:
        show_own()
        return 5, None
    if ended.cause:
        return ended.cause
    if code == 5:  # a rank has said it
        show_own()
        return 5, None
    if unnamed := launcher.unnamed_loss(ended.said):
        return 5, f"{unnamed} (code {code})"
    exited = launcher.rank_that_exited(ended.said)
    if 128 < code < 160:
        what = f"a rank or mpirun was ended by {signal.Signals(code - 128).name} (code {code})"
    elif code == 205:
        what = f"a host was lost (code {code})"
    elif exited:
        what = "rank {} ended with exit code {}".format(*exited)
    else:
        what = f"mpirun could not start the ranks, or lost them (code {code})"
        if ended.said:
            what += f": {launcher.NAME} says '{mpirun.first_sentence(ended.said)}'"
    return 5, what + ", expected them to finish" + ("" if options.verbose else f"; --verbose shows what {launcher.NAME} says")
